"""Test mails that the console sends to the colleagues of the settings, over a real mail server."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from recommender.settings import MailSettings, Settings
from tests.support import small_shop
from tests.support.console import Clock, Visitor, World, open_world, publication
from tests.support.redis_servers import wait_until
from tests.support.smtp_sink import Sink, run_sink

ASKED = {"campaign": "w48", "audience": "everyone", "customer": "ANNA", "greeted": "Ann"}
SEEDS = ("ann@shop.example", "ben@shop.example", "eve@shop.example")
LATER = small_shop.NOW + timedelta(days=2)
"""Then Anna may be written to."""


def open_mailing(sink: Sink, **more: object) -> tuple[World, Visitor]:
    settings = {
        "smtp": f"smtp://127.0.0.1:{sink.port}",
        "smtp_from": "Shop <news@shop.example>",
        "seeds": SEEDS,
        **more,
    }
    world = open_world(settings=Settings(mail=MailSettings.model_validate(settings)), clock=Clock(LATER))
    return world, world.browser(world.add_key("read", "admin"))


def outcome(world: World) -> dict[str, object]:
    """What the log says of the test, once it ended."""
    wait_until(lambda: world.storage.actions("default")[0].what == "test_mail_sent", "the test ended")
    found: dict[str, object] = world.storage.actions("default")[0].after
    return found


def test_a_test_goes_to_the_colleagues_claims_nothing_and_stands_in_the_log() -> None:
    with run_sink() as sink:
        world, owner = open_mailing(sink)
        page = owner.get("mails", **ASKED)
        assert "ann@shop.example, ben@shop.example" in page.text
        answer = owner.submit(page, "Send the test")
        assert (answer.status_code, "done=test_mail" in answer.headers["Location"]) == (303, True)
        assert outcome(world) == {"sent": 3}
    assert sorted(taken.recipient for taken in sink.taken) == sorted(SEEDS)
    for taken in sink.taken:
        assert taken.message["Subject"].startswith("[Test] ")
        assert taken.message["List-Unsubscribe"] is None
        assert "/v1/m/" not in taken.message.as_string()
    begun = world.storage.actions("default")[1]
    assert (begun.what, begun.subject, begun.after) == ("test_mail", "w48", {"customer": "ANNA", "addresses": 3})
    assert world.storage.contacts("default").campaigns() == []
    assert not world.storage.contacts("default").standings(["ANNA"])[0].mails
    assert world.storage.event_log("default").queue.backlog().waiting == 0
    assert not any(seed in world.log.getvalue() for seed in SEEDS), "addresses are no matter of the log"


@pytest.mark.parametrize(
    ("prepare", "said"),
    [
        (lambda sink: sink.acts[SEEDS[1]].append("550 5.1.1 no such mailbox"), {"sent": 2, "bounced": 1}),
        (lambda sink: sink.acts[SEEDS[0]].append("drop"), {"lost": 3}),
        (lambda sink: sink.refused_senders.add("news@shop.example"), "check --from"),
    ],
)
def test_what_the_server_says_stands_in_the_log(prepare: Callable[[Sink], object], said: object) -> None:
    with run_sink() as sink:
        prepare(sink)
        world, owner = open_mailing(sink)
        owner.submit(owner.get("mails", **ASKED), "Send the test")
        told = outcome(world)
    assert told == said if isinstance(said, dict) else str(said) in str(told)


@pytest.mark.parametrize(
    "more", [{"smtp": "ftp://nowhere"}, {"smtp_from": "nobody"}, {"seeds": ["no address"]}, {"smtp": "smtp://u@host"}]
)
def test_settings_that_do_not_fit_send_nothing_and_say_so(more: dict[str, object]) -> None:
    with run_sink() as sink:
        world, owner = open_mailing(sink, **more)
        answer = owner.submit(owner.get("mails", **ASKED), "Send the test")
        assert (answer.status_code, "The settings of mails do not fit together." in answer.text) == (400, True)
        assert "console_mail_settings" in world.log.getvalue()
        assert (sink.connections, world.storage.actions("default")) == (0, [])


def test_another_shop_neither_sees_nor_writes_to_the_colleagues_of_the_settings() -> None:
    with run_sink() as sink:
        world, _ = open_mailing(sink)
        world.storage.store("other").publish(publication(), keep=3)
        stranger = world.browser(world.add_key("read", "admin", shop="other"))
        page = stranger.get("mails", **ASKED)
        assert "env REPRISE_SHOP=other reprise send w48" in page.text
        assert not any(seed in page.text for seed in SEEDS)
        csrf = page.text.partition('name="csrf" value="')[2].partition('"')[0]
        assert stranger.post("test-mail", csrf=csrf, **ASKED).status_code == 400
        assert world.storage.actions("other") == []
    assert sink.taken == []


def test_a_form_of_another_session_sends_nothing() -> None:
    with run_sink() as sink:
        world, owner = open_mailing(sink)
        reader = world.browser(world.add_key("read"))
        page = owner.get("mails", **ASKED)
        assert reader.submit(page, "Send the test").status_code == 403
        assert "Send the test" not in reader.get("mails", **ASKED).text
        assert (sink.connections, world.storage.actions("default")) == (0, [])
