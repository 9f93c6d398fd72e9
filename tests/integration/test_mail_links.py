"""The links of a mail against a real Redis: what they ask of it, what they leave there, and when it is gone."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from pydantic import SecretStr

from api import create_app
from recommender.campaigns.links import MailLink, sign
from recommender.events.event import Event
from recommender.redis.shops import RedisShopStorage
from recommender.settings import MailSettings, Settings
from tests.support import small_shop
from tests.support.mail_samples import SECRET, SHOP_SITE
from tests.support.redis_servers import RedisServer, redis_server

PRODUCTS = [replace(product, url=f"{SHOP_SITE}/{place}") for place, product in enumerate(small_shop.PRODUCTS)]
TOKEN = sign(MailLink("default", "w47", "ANNA", ("MILK", "a/b c", "COFFEE"), 2), SECRET)


@pytest.fixture
def server(tmp_path) -> Iterator[RedisServer]:
    with redis_server(tmp_path / "redis") as server:
        yield server


@pytest.fixture
def storage(server) -> Iterator[RedisShopStorage]:
    storage = RedisShopStorage(server.url, timeout_ms=100)
    storage.store("default").publish(small_shop.publication(products=PRODUCTS), keep=3)
    yield storage
    storage.close()


@pytest.fixture
def client(storage):
    """Of an app that does not look what changed by itself."""
    app = create_app(Settings(mail=MailSettings(secret=SecretStr(SECRET))), storage, lambda: small_shop.NOW)
    shops = app.extensions["reprise"].shops
    shops.cache("default")
    shops.follow()
    shops.keep_following = lambda: None
    return app.test_client()


def calls(server) -> int:
    """Scripts that were run."""
    with_scripts = server.call("INFO", "commandstats")
    return sum(int(with_scripts.get(f"cmdstat_{name}", {"calls": 0})["calls"]) for name in ("evalsha", "eval"))


def events(client, storage) -> list[Event]:
    client.application.extensions["reprise_mail_links"].events.flush()
    queue = storage.event_log("default").queue
    queue.join()
    return [Event.from_json(entry.wire) for entry in queue.take("test")]


def click(client, slot=1):
    return client.get(f"/v1/m/{TOKEN}/{slot}/click")


def test_a_mail_costs_one_round_trip_however_often_it_is_opened(client, server):
    before = calls(server)
    for path in ("1/image", "2/image", "1/image"):  # HEAD, so that no event is written
        client.head(f"/v1/m/{TOKEN}/{path}")
        client.head(f"/v1/m/{TOKEN}/{path.replace('image', 'click')}")
    assert calls(server) - before in (1, 2)  # a script that the server does not know yet is sent twice


def test_a_click_and_an_opening_are_kept_once(client, storage):
    for _ in range(3):
        assert click(client, 2).headers["Location"] == f"{SHOP_SITE}/6"
        client.get(f"/v1/m/{TOKEN}/1/image")
    kept = [(one.event_type, one.customer_id, one.product_id, one.rank) for one in events(client, storage)]
    assert sorted(kept) == [("click", "ANNA", "a/b c", 2), ("mail_open", "ANNA", None, None)]


@pytest.mark.parametrize("how", ["kill", "pause"])
def test_links_lead_on_while_redis_is_gone_and_nobody_waits_twice(client, server, how):
    click(client)
    before = calls(server)
    getattr(server, how)()
    try:
        assert [click(client, slot).headers["Location"] for slot in (1, 2)] == [f"{SHOP_SITE}/0", f"{SHOP_SITE}/6"]
        assert {click(client, slot).status_code for slot in (1, 2) * 50} == {302}
    finally:
        server.resume() if how == "pause" else None
    if how == "pause":
        assert calls(server) - before < 100, "not every click has asked and waited"


def test_the_whole_catalogue_is_at_hand_even_if_no_link_was_opened_before(client, server):
    assert client.application.extensions["reprise"].shops.cache("default").state.catalogue is not None
    server.kill()
    assert [click(client, slot).headers["Location"] for slot in (1, 2)] == [f"{SHOP_SITE}/0", f"{SHOP_SITE}/6"]
