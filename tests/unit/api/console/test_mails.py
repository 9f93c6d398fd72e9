"""The mail of a named customer, looked at in the browser: the very mail, and nothing spent by looking."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from api.console.changing.errands import MOST_WAITING, Errands
from recommender.errors import OverloadedError
from recommender.settings import MailSettings, Settings
from tests.support import small_shop
from tests.support.console import Clock, Visitor, World, open_world, publication, to_text
from tests.support.redis_servers import wait_until
from tests.unit.api.console.test_bad_input import SCRIPT, dangerous

ASKED = {"campaign": "w48", "audience": "everyone", "customer": "ANNA"}
LATER = small_shop.NOW + timedelta(days=2)
"""Then Anna's last order is so long ago that she may be written to."""


@pytest.fixture
def world() -> World:
    world = open_world(clock=Clock(LATER))
    world.keys = {"read": world.add_key("read"), "admin": world.add_key("read", "admin")}
    return world


def test_the_mail_of_a_customer_is_seen_and_nothing_is_claimed(world: World, reader: Visitor) -> None:
    page = reader.get("mails", **ASKED, greeted="Anna", locale="de")
    text = to_text(page.text)
    assert "This is the mail." in text
    assert "Guten Tag Anna" in text, "the text part stands in the page"
    assert '<iframe class="mail" sandbox=""' in page.text
    html = reader.get("mails", **ASKED, greeted="Anna", locale="de", **{"as": "html"})
    assert html.text.startswith("<!doctype html>")
    assert "Guten Tag Anna" in html.text
    assert "/v1/m/" not in page.text + html.text, "nothing that is clicked in it counts"
    assert world.storage.contacts("default").campaigns() == []
    assert not world.storage.contacts("default").standings(["ANNA"])[0].mails
    assert world.storage.actions("default") == []


def test_the_frame_runs_loads_and_sends_nothing(reader: Visitor) -> None:
    answer = reader.get("mails", **ASKED, **{"as": "html"})
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox; default-src 'none'; style-src 'unsafe-inline';")
    assert "img-src" not in policy
    assert (answer.headers["Cache-Control"], answer.headers["X-Robots-Tag"]) == ("no-store", "noindex")
    page = reader.get("mails", **ASKED).headers["Content-Security-Policy"]
    assert "frame-src 'self'" in page
    assert "unsafe" not in page


def test_what_the_catalogue_holds_is_text_in_the_page_and_in_the_mail() -> None:
    products = [replace(one, title=SCRIPT) for one in small_shop.PRODUCTS]
    visitor = open_world(replace(publication(), products=products), clock=Clock(LATER)).browser()
    page = visitor.get("mails", **ASKED, greeted=SCRIPT)
    assert SCRIPT not in page.text
    assert dangerous(page.text) == []
    assert SCRIPT not in visitor.get("mails", **ASKED, greeted=SCRIPT, **{"as": "html"}).text


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"customer": "nobody"}, "This customer would get no mail: not known to the version."),
        ({"audience": "win_back"}, "This customer would get no mail: not in the audience."),
        ({"campaign": "no spaces"}, "name has up to 64 letters, digits, dots"),
        ({"audience": "nobody"}, "Choose an audience from the list."),
        ({"slots": "0"}, "Products in a mail: give a whole number from 1 to 50."),
        ({"slots": "x"}, "Products in a mail: give a whole number"),
        ({"customer": "x" * 10_000}, "id, 512 characters at most."),
        ({"customer": ""}, "Name a campaign, which need not have begun, and a customer"),
        ({"locale": "nonsense"}, "This is the mail."),
    ],
)
def test_why_there_is_none_is_said(reader: Visitor, more: dict[str, str], said: str) -> None:
    assert said in reader.text("mails", **{**ASKED, **more})


def test_of_a_campaign_that_began_the_mail_is_as_it_began(world: World, owner: Visitor) -> None:
    owner.submit(owner.get("campaigns"), "Begin", campaign="w48", audience="everyone", slots="1")
    page = owner.get("mails", campaign="w48", customer="ANNA")
    assert "This is the mail" in to_text(page.text)
    assert "--slots 1 " in page.text
    owner.submit(owner.get("campaigns", campaign="w48"), "Cancel this campaign")
    assert "w48 was cancelled and cannot begin again." in owner.text("mails", **ASKED)
    wait_until(lambda: world.storage.actions("default")[0].what == "freed", "the errand is done")


def test_a_fault_of_the_shops_template_is_shown_with_its_line(tmp_path: Path) -> None:
    mine = tmp_path / "mine.jinja"
    mine.write_text('{% extends "mail.html.jinja" %}\n{% block closing %}Yours, {{ customer.name }}{% endblock %}')
    visitor = open_world(settings=Settings(mail=MailSettings(template=mine)), clock=Clock(LATER)).browser()
    assert "Yours, Anna" in visitor.text("mails", **ASKED, greeted="Anna")
    mine.write_text('{% extends "mail.html.jinja" %}\n{% block closing %}{{ naam }}{% endblock %}')
    text = visitor.text("mails", **ASKED)
    assert "The template cannot be filled." in text
    assert "line 2" in text
    assert "customer.name" in text, "an example of what may stand there"


def test_without_a_mail_server_it_says_which_command_sends_a_test(owner: Visitor, reader: Visitor) -> None:
    page = owner.get("mails", **ASKED | {"customer": "x/y", "campaign": "w-1"})
    assert "reprise send w-1 --audience everyone --slots 4 --addresses addresses.csv --preview x/y --test" in page.text
    csrf = page.text.partition('name="csrf" value="')[2].partition('"')[0]
    answer = owner.post("test-mail", csrf=csrf, **ASKED)
    assert (answer.status_code, "No test mails are sent from here" in answer.text) == (400, True)
    assert "reprise send" not in reader.text("mails", **ASKED), "who only looks has nothing to send"
    assert reader.post("test-mail", csrf=csrf, **ASKED).status_code == 403


def test_errands_wait_in_a_bounded_line_and_one_that_fails_stops_none(world: World) -> None:
    errands, done = Errands(), []
    with world.app.app_context():
        errands.add(lambda: 1 / 0)
        errands.add(lambda: done.append(1))
        wait_until(lambda: done == [1], "the next one is done")
        assert "console_errand_failed" in world.log.getvalue()
        held = Errands()
        held._thread = errands._thread  # nobody works on its line
        for _ in range(MOST_WAITING):
            held.add(lambda: None)
        with pytest.raises(OverloadedError):
            held.add(lambda: None)
