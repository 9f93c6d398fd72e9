"""Who gets in, for how long, and what a form of somebody else can do: nothing."""

from datetime import timedelta

import pytest

from api.console.session import COOKIE, SESSION_S
from recommender.errors import StoreUnavailableError
from tests.support.console import Visitor, World, open_world
from tests.support.keyed_shop import add_publishable_key, key_id
from tests.support.small_shop import NOW

SIGN_IN = "/console/sign-in"


def is_out(answer) -> bool:
    return answer.status_code == 303 and answer.headers["Location"].startswith(SIGN_IN)


def cookie_of(visitor: Visitor) -> str:
    found = visitor.client.get_cookie(COOKIE, path="/console")
    assert found is not None
    return found.value


def test_without_a_session_every_view_leads_to_the_form_and_back(world: World) -> None:
    visitor = world.browser()
    answer = visitor.get("versions")
    assert (is_out(answer), answer.headers["Location"]) == (True, f"{SIGN_IN}?next=versions")
    page = visitor.client.get(answer.headers["Location"])
    signed_in = visitor.submit(page, "Sign in", key=world.keys["read"])
    assert signed_in.headers["Location"] == "/console/versions"


def test_the_cookie_is_for_our_pages_alone_and_short(world: World) -> None:
    answer = world.browser().post("sign-in", key=world.keys["read"])
    (cookie,) = (one for one in answer.headers.getlist("Set-Cookie") if one.startswith(COOKIE))
    assert {"HttpOnly", "SameSite=Strict", "Path=/console", f"Max-Age={SESSION_S}"} <= set(cookie.split("; "))
    assert "Secure" not in cookie
    client = world.app.test_client()
    over_tls = client.post(SIGN_IN, data={"key": world.keys["read"]}, headers={"X-Forwarded-Proto": "https"})
    assert "Secure" in over_tls.headers["Set-Cookie"]
    assert world.keys["read"] not in cookie
    assert world.keys["read"].split("_")[2] not in world.log.getvalue()


@pytest.mark.parametrize("given", ["", "sk_no_key", "nonsense", "sk_0123456789abcdef_" + "0" * 64, "x" * 10_000])
def test_a_key_that_is_not_known_is_refused_in_words(world: World, given: str) -> None:
    answer = world.browser().post("sign-in", key=given)
    assert (answer.status_code, "This key is not known here" in answer.text) == (401, True)
    assert "Set-Cookie" not in answer.headers


def test_a_key_that_may_not_look_is_refused_in_words(world: World) -> None:
    publishable = add_publishable_key(world.storage)
    for key in (world.add_key("events"), publishable):
        answer = world.browser().post("sign-in", key=key)
        assert (answer.status_code, "opens no page here" in answer.text) == (403, True)


@pytest.mark.parametrize("origin", ["https://elsewhere.example", "null"])
def test_signing_in_from_a_page_of_another_address_says_so_and_blames_no_key(world: World, origin: str) -> None:
    browser = world.app.test_client()
    answer = browser.post("/console/sign-in", data={"key": world.keys["read"]}, headers={"Origin": origin})
    assert (answer.status_code, answer.headers.get("Set-Cookie")) == (403, None)
    assert "a proxy before it has to pass on the header Host" in answer.text
    assert "This key" not in answer.text


def test_a_session_ends_with_its_time_and_where_the_clock_is_set_back(world: World, reader: Visitor) -> None:
    world.clock.now = NOW + timedelta(seconds=SESSION_S)
    assert reader.get("overview").status_code == 200
    world.clock.now = NOW + timedelta(seconds=SESSION_S + 1)
    assert is_out(reader.get("overview"))
    world.clock.now = NOW - timedelta(hours=1)
    assert is_out(reader.get("overview"))


def test_a_stolen_cookie_is_of_no_use_elsewhere_nor_after_its_owner_signed_out(world: World, reader: Visitor) -> None:
    thief = world.browser(agent="Another browser")
    thief.client.set_cookie(COOKIE, cookie_of(reader), path="/console")
    assert is_out(thief.get("overview"))
    twin = world.browser()
    twin.client.set_cookie(COOKIE, cookie_of(reader), path="/console")
    assert twin.get("overview").status_code == 200
    assert is_out(reader.submit(reader.get("overview"), "Sign out"))
    assert is_out(twin.get("overview"))


def test_a_cookie_that_was_changed_or_is_of_another_key_is_refused(world: World, reader: Visitor) -> None:
    cookie = cookie_of(reader)
    admin = key_id(world.keys["admin"])
    for wrong in (cookie[:-1], cookie.replace(key_id(world.keys["read"]), admin), "", ".", "a.b.c.d.e", "x" * 4_000):
        visitor = world.browser()
        visitor.client.set_cookie(COOKIE, wrong, path="/console")
        assert is_out(visitor.get("overview")), wrong


def test_a_revoked_key_ends_its_sessions_and_a_new_scope_counts_at_once(world: World, reader: Visitor) -> None:
    kept = world.storage.api_keys()[key_id(world.keys["read"])]
    world.storage.add_api_key(kept.revoke(NOW))
    world.follow()
    assert is_out(reader.get("overview"))


def test_who_may_look_changes_nothing(world: World, reader: Visitor) -> None:
    page = reader.get("versions")
    assert "Activate" not in page.text
    csrf = page.text.partition('name="csrf" value="')[2].partition('"')[0]
    answer = reader.post("activate", csrf=csrf, version="20261119T020000Z-0001", before="")
    assert answer.status_code == 403
    assert world.storage.store("default").current() != "20261119T020000Z-0001"


def test_a_form_of_another_session_does_nothing(world: World, owner: Visitor) -> None:
    other = world.browser(world.keys["admin"])
    csrf = other.get("versions").text.partition('name="csrf" value="')[2].partition('"')[0]
    for token in ({}, {"csrf": ""}, {"csrf": csrf}, {"csrf": "é"}):
        answer = owner.post("activate", version="20261119T020000Z-0001", before="", **token)
        assert answer.status_code == 403
    assert world.storage.actions("default") == []


def test_a_post_without_a_session_changes_nothing_and_says_so(world: World) -> None:
    answer = world.browser().post("activate", version="20261119T020000Z-0001")
    assert (answer.status_code, "nothing was changed" in answer.text) == (401, True)


def test_without_keys_this_machine_is_let_in_as_by_the_api_and_no_other() -> None:
    world = open_world()
    visitor = world.browser()
    assert "All is well." in visitor.text("overview")
    page = visitor.get("versions")
    assert visitor.submit(page, "Activate").status_code == 303
    assert visitor.client.post("/console/activate", data={"csrf": "x"}).status_code == 403
    elsewhere = visitor.client.get("/console/overview", environ_base={"REMOTE_ADDR": "203.0.113.7"})
    assert is_out(elsewhere)
    rebound = visitor.client.get("/console/overview", base_url="http://evil.example:8000")
    assert rebound.status_code == 403
    framed = visitor.client.post("/console/activate", headers={"Origin": "https://evil.example"})
    assert framed.status_code == 403


def test_while_redis_is_gone_a_session_goes_on_and_before_keys_were_read_nobody_has_one(
    world: World, reader: Visitor, monkeypatch
) -> None:
    def fail(*_args) -> None:
        raise StoreUnavailableError("Redis does not answer")

    monkeypatch.setattr(world.storage, "has_ended", fail)
    assert reader.get("customers").status_code == 200
    monkeypatch.setattr(world.storage, "api_keys", fail)
    fresh = World(world.storage)
    assert fresh.browser().get("overview").status_code == 503
