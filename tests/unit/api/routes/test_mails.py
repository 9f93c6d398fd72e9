"""Pictures and links of a mail, as they are when the mail is opened."""

import io
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from pydantic import SecretStr

from api import create_app
from api.routes.mails import EMPTY_PICTURE
from api.telemetry.logs import make_logger
from recommender.campaigns.links import MailLink, sign
from recommender.catalogue.catalogue import Catalogue
from recommender.catalogue.overrides import ProductChange
from recommender.errors import BackPressureError, StoreUnavailableError
from recommender.events.event import Event
from recommender.settings import MailSettings, Settings
from tests.fakes.shops import MemoryShopStorage
from tests.fakes.versions import MemoryVersionStore
from tests.support import small_shop
from tests.support.keyed_shop import add_key
from tests.support.mail_samples import SECRET, SHOP_SITE

PRODUCTS = [
    replace(product, url=f"{SHOP_SITE}/{place}", image_url=f"{SHOP_SITE}/{place}.jpg")
    for place, product in enumerate(small_shop.PRODUCTS)
]
MILK, BREAD, COFFEE, BUTTER, KETTLE, OLD = (f"{SHOP_SITE}/{place}" for place in range(6))
LINK = MailLink("default", "w47", "ANNA", ("MILK", "BREAD", "COFFEE", "KETTLE"), 3)
SIGNED = Settings(mail=MailSettings(secret=SecretStr(SECRET)))


class FragileStore(MemoryVersionStore):
    """A store that can be taken down, and counts how often products were asked for."""

    down, finds = False, 0
    whole: Catalogue | None = None

    def find_products(self, version: str, product_ids: Sequence[str]) -> dict[str, bytes]:
        self.finds += 1
        if self.down:
            raise StoreUnavailableError("Redis does not answer")
        return super().find_products(version, product_ids)

    def catalogue(self, version: str, most_bytes: int):
        return self.whole


class Mails:
    """A shop, its readers, and what they did."""

    def __init__(self, settings: Settings = SIGNED, products=PRODUCTS, store: FragileStore | None = None) -> None:
        self.now = small_shop.NOW
        self.store = store or FragileStore()
        self.store.publish(small_shop.publication(products=products), keep=3)
        self.storage = MemoryShopStorage({"default": self.store})
        self.app = create_app(settings, self.storage, lambda: self.now)
        self.client = self.app.test_client()

    def get(self, slot, what="click", link=LINK, **given):
        return self.client.get(f"/v1/m/{sign(link, SECRET)}/{slot}/{what}", **given)

    def leads_to(self, slot, what="click", link=LINK):
        return self.get(slot, what, link).headers.get("Location")

    def say(self, product_id, **fields):
        self.store.update_products([ProductChange(product_id, "patch", fields)])
        self.follow()

    def follow(self):
        shops = self.app.extensions["reprise"].shops
        shops.cache("default")
        shops.follow()

    def events(self) -> list[Event]:
        self.app.extensions["reprise_mail_links"].events.flush()
        return [Event.from_json(entry.wire) for entry in self.store.event_log.queue.take("test")]


@pytest.fixture
def mails() -> Mails:
    return Mails()


def test_each_slot_leads_to_its_product(mails):
    assert [mails.leads_to(slot) for slot in (1, 2, 3)] == [MILK, BREAD, COFFEE]
    assert [mails.leads_to(slot, "image") for slot in (1, 2, 3)] == [f"{one}.jpg" for one in (MILK, BREAD, COFFEE)]
    assert mails.get(1).status_code == 302
    assert mails.get(1).data == b""


@pytest.mark.parametrize("sold_out", [False, True])
def test_an_order_again_leads_to_the_basket_with_what_the_slot_shows_now(sold_out):
    cart = {"cart_url": "https://cart.example/add/{product_id}", "utm_source": "mails"}
    mails = Mails(Settings(mail=MailSettings(secret=SecretStr(SECRET), **cart)))
    if sold_out:
        mails.say("MILK", in_stock=False)
    shown = "KETTLE" if sold_out else "MILK"
    assert mails.leads_to(1, "order") == (
        f"https://cart.example/add/{shown}?utm_source=mails&utm_medium=email&utm_campaign=w47"
    )
    assert mails.leads_to(2).endswith("?utm_source=mails&utm_medium=email&utm_campaign=w47")


def test_without_a_basket_it_leads_to_the_product_and_the_click_is_noted_once(mails):
    assert mails.leads_to(1, "order") == mails.leads_to(1) == MILK
    mails.get(1, "order", headers={"User-Agent": "Mozilla/5.0"})
    mails.get(1, "click", headers={"User-Agent": "Mozilla/5.0"})
    assert [(one.event_type, one.product_id) for one in mails.events()] == [("click", "MILK")]


@pytest.mark.parametrize(
    "said", [{"in_stock": False}, {"blocked": True}, {"valid_until": "2026-11-01T00:00:00Z"}, {"url": "/p/milk"}]
)
def test_what_is_gone_gives_way_to_a_spare_that_no_other_slot_shows(mails, said):
    mails.say("MILK", **said)
    assert [mails.leads_to(slot) for slot in (1, 2, 3)] == [KETTLE, BREAD, COFFEE]
    assert mails.leads_to(1, "image") == f"{KETTLE}.jpg"


def test_two_that_are_gone_do_not_share_a_spare(mails):
    link = LINK._replace(product_ids=(*LINK.product_ids, "COFFEE", "OLD", "BUTTER"))
    mails.say("MILK", in_stock=False)
    mails.say("COFFEE", in_stock=False)
    assert [mails.leads_to(slot, link=link) for slot in (1, 2, 3)] == [KETTLE, BREAD, BUTTER]


def test_when_all_spares_are_taken_a_sold_out_product_keeps_its_page_and_a_blocked_one_has_none(mails):
    link = LINK._replace(product_ids=LINK.product_ids[:3])
    mails.say("MILK", in_stock=False)
    mails.say("BREAD", blocked=True)
    assert mails.leads_to(1, link=link) == MILK
    assert mails.get(2, link=link).status_code == 404
    assert mails.get(2, "image", link=link).data == EMPTY_PICTURE


def test_what_no_version_knows_gives_way_and_what_is_new_does_not(mails):
    link = LINK._replace(product_ids=("NEVER", "NEW", "MILK"), slots=2)
    mails.say("NEW", title="New", url=f"{SHOP_SITE}/new")
    assert [mails.leads_to(slot, link=link) for slot in (1, 2)] == [MILK, f"{SHOP_SITE}/new"]


def test_what_the_email_placement_blocks_is_blocked(mails):
    placement = SIGNED.placements["email"]
    blocked = placement.model_validate(placement.model_dump() | {"blocks": [{"category": "Dairy"}]})
    mails.store.place("email", blocked)
    mails.follow()
    assert mails.leads_to(1) == KETTLE


def test_a_product_without_a_picture_has_an_empty_one():
    mails = Mails(products=[replace(product, image_url=None) for product in PRODUCTS])
    answer = mails.get(1, "image")
    assert (answer.status_code, answer.content_type, answer.data) == (200, "image/gif", EMPTY_PICTURE)


@pytest.mark.parametrize("url", ["javascript:alert(1)", "//evil.example", "/p/milk", "https://a@evil.example", None])
def test_only_addresses_of_the_web_are_led_to(url):
    mails = Mails(products=[replace(product, url=url, image_url=url) for product in PRODUCTS])
    assert mails.get(1).status_code == 404
    assert mails.get(1, "image").data == EMPTY_PICTURE


def test_no_link_leads_out_of_the_allowed_hosts():
    mails = Mails(SIGNED.model_copy(update={"link_hosts": ("example.org", SHOP_SITE.partition("//")[2])}))
    mails.say("MILK", url="https://evil.example/p", image_url="https://evil.example/p.jpg")
    mails.say("BREAD", image_url="https://evil.example/p.jpg")
    assert [mails.leads_to(slot) for slot in (1, 2, 3)] == [KETTLE, BREAD, COFFEE]
    assert mails.get(2, "image").data == EMPTY_PICTURE
    alone = LINK._replace(product_ids=("MILK",), slots=1)
    assert mails.get(1, link=alone).status_code == 404


def test_no_parameter_changes_where_a_link_leads(mails):
    token = sign(LINK, SECRET)
    for query in ("?url=https://evil.example", "?next=//evil.example", "?to=https%3A%2F%2Fevil.example"):
        assert mails.client.get(f"/v1/m/{token}/1/click{query}").headers["Location"] == MILK


def test_an_address_beyond_ascii_is_sent_as_one_within():
    mails = Mails(products=[replace(product, url="https://shop.example/käse?q=ü") for product in PRODUCTS])
    assert mails.leads_to(1) == "https://shop.example/k%C3%A4se?q=%C3%BC"


def test_forged_cut_and_made_up_links_are_all_the_same_404(mails):
    token = sign(LINK, SECRET)
    other = sign(LINK, "another secret, of another service")
    payload, signature = token.rsplit(".", 1)
    shop = sign(LINK._replace(shop="nowhere"), SECRET)
    paths = [f"{token}/{slot}" for slot in ("0", "4", "-1", "01", "1.0", "x", "\u0661", "9" * 400)]
    paths += [f"{one}/1" for one in (other, token[:-1], token[1:], payload, f"{payload}.{signature[::-1]}", "x", "...")]
    paths += [f"{shop}/1", f"{sign(LINK._replace(product_ids=(), slots=0), SECRET)}/1"]
    answers = [mails.client.get(f"/v1/m/{path}/click") for path in paths]
    assert {(answer.status_code, answer.content_type) for answer in answers} == {(404, "application/problem+json")}
    told = {answer.text.replace(answer.json["request_id"], "") for answer in answers}
    assert len(told) == 1
    assert [answer for answer in answers if "Location" in answer.headers] == []
    assert mails.client.get(f"/v1/m/{other}/1/image").status_code == 404
    assert mails.events() == []


@pytest.mark.parametrize("what", ["click", "image"])
def test_a_server_without_a_secret_says_so_and_calls_no_link_forged(what):
    answer = Mails(Settings()).get(1, what)
    assert (answer.status_code, answer.json["code"]) == (404, "no_mail_secret")
    assert "REPRISE_MAIL__SECRET" in answer.json["detail"]


def test_another_shops_mail_leads_to_that_shops_products(mails):
    elsewhere = [replace(product, url="https://other.example/") for product in PRODUCTS]
    mails.storage.store("other").publish(small_shop.publication(products=elsewhere), keep=3)
    assert mails.leads_to(1, link=LINK._replace(shop="other")) == "https://other.example/"
    assert mails.leads_to(1) == MILK


def test_nobody_keeps_an_answer_and_no_page_learns_where_the_reader_came_from(mails):
    for what in ("click", "image"):
        headers = mails.get(1, what).headers
        assert headers["Cache-Control"] == "no-store"
        assert headers["Referrer-Policy"] == "no-referrer"
    assert mails.get(1, "image").headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert mails.get(1).headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_a_click_is_an_event_once_per_product_and_day(mails):
    for _ in range(3):
        mails.get(2)
    mails.now += timedelta(days=1)
    mails.get(2)
    events = mails.events()
    assert [(one.event_type, one.customer_id, one.product_id, one.campaign_id, one.rank) for one in events] == [
        ("click", "ANNA", "BREAD", "w47", 2)
    ] * 2
    assert [one.occurred_at for one in events] == [small_shop.NOW, small_shop.NOW + timedelta(days=1)]


def test_a_click_is_of_the_product_that_it_led_to(mails):
    mails.say("BREAD", in_stock=False)
    mails.get(2)
    assert [(one.product_id, one.rank) for one in mails.events()] == [("KETTLE", 2)]


def test_a_mail_is_opened_once_per_customer_and_campaign(mails):
    for slot in (1, 2, 3, 1):
        mails.get(slot, "image")
    mails.get(1, "image", LINK._replace(customer_id="x/y"))
    mails.get(1, "image", LINK._replace(campaign_id="w48"))
    opened = [(one.event_type, one.customer_id, one.campaign_id, one.product_id) for one in mails.events()]
    assert sorted(opened) == [
        ("mail_open", "ANNA", "w47", None),
        ("mail_open", "ANNA", "w48", None),
        ("mail_open", "x/y", "w47", None),
    ]


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Purpose": "prefetch"},
        {"Sec-Purpose": "prefetch;prerender"},
        {"Purpose": "prefetch"},
        {"X-Purpose": "preview"},
        {"X-Moz": "prefetch"},
        {"User-Agent": ""},
        {"User-Agent": "Slackbot-LinkExpanding 1.0"},
        {"User-Agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"},
        {"User-Agent": "facebookexternalhit/1.1"},
        {"User-Agent": "Barracuda Sentinel (EE)"},
        {"User-Agent": "python-requests/2.32"},
    ],
)
def test_programs_that_say_so_are_led_on_and_not_counted(mails, headers):
    assert mails.get(1, headers=headers).status_code == 302
    assert mails.get(1, "image", headers=headers).status_code == 302
    assert mails.events() == []


@pytest.mark.parametrize(
    "agent",
    [
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148",
        "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
        "Microsoft Office/16.0 (Microsoft Outlook 16.0.17928; Pro)",
    ],
)
def test_mail_programs_are_counted(mails, agent):
    mails.get(1, "image", headers={"User-Agent": agent})
    assert [one.event_type for one in mails.events()] == ["mail_open"]


def test_head_is_answered_and_not_counted(mails):
    answer = mails.client.head(f"/v1/m/{sign(LINK, SECRET)}/1/click")
    assert (answer.status_code, answer.headers["Location"]) == (302, MILK)
    assert mails.events() == []


def test_products_are_asked_for_once_a_version(mails):
    for slot in (1, 2, 3):
        mails.get(slot)
        mails.get(slot, "image")
    assert mails.store.finds == 1


def test_what_was_read_is_led_to_while_redis_is_down(mails):
    mails.get(1)
    mails.store.down = True
    assert [mails.leads_to(slot) for slot in (1, 2, 3)] == [MILK, BREAD, COFFEE]


def test_so_is_what_was_read_of_an_earlier_version(mails):
    mails.get(1)
    mails.store.publish(small_shop.publication("20261121T020000Z-3f2a", PRODUCTS), keep=3)
    mails.follow()
    mails.store.down = True
    assert mails.leads_to(1) == MILK


def test_and_any_product_of_a_catalogue_at_hand():
    store = FragileStore()
    store.whole = Catalogue({place: product.to_json() for place, product in enumerate(PRODUCTS)})
    mails = Mails(store=store)
    mails.follow()
    store.down = True
    assert [mails.leads_to(slot) for slot in (1, 2, 3)] == [MILK, BREAD, COFFEE]
    assert mails.leads_to(1, link=LINK._replace(product_ids=("käse 🧀",), slots=1)) == f"{SHOP_SITE}/7"


def test_and_of_the_one_before_until_a_new_versions_is_read(monkeypatch):
    store = FragileStore()
    store.whole = Catalogue({place: product.to_json() for place, product in enumerate(PRODUCTS)})
    mails = Mails(store=store)
    mails.follow()
    mails.get(1, link=LINK._replace(product_ids=("BUTTER",), slots=1))
    store.publish(small_shop.publication("20261121T020000Z-3f2a", PRODUCTS), keep=3)
    monkeypatch.setattr(store, "catalogue", store.find_products)
    store.down = True
    mails.follow()
    assert mails.app.extensions["reprise"].shops.cache("default").state.catalogue is None
    assert mails.leads_to(1) == MILK


def test_what_could_not_be_asked_is_never_told_to_be_unknown(mails, monkeypatch):
    mails.follow()
    mails.store.down = True
    cache = mails.app.extensions["reprise"].shops.cache("default")
    # the background thread finds Redis answering again right after the click found that it does not
    monkeypatch.setattr(type(cache), "answering", property(lambda _: True, lambda *_: None), raising=False)
    assert mails.get(1).status_code == 503


def test_else_a_click_is_told_to_come_back_and_a_picture_is_empty(mails):
    mails.follow()
    mails.store.down = True
    answer = mails.get(1)
    assert (answer.status_code, answer.json["code"]) == (503, "store_unavailable")
    assert mails.get(1, "image").data == EMPTY_PICTURE
    assert mails.store.finds == 1  # nobody waits for it again until it answers


def test_a_click_that_cannot_be_kept_still_leads_on(mails, monkeypatch):
    def refuse(*_, **__):
        raise BackPressureError("1,000 events wait to be archived")

    monkeypatch.setattr(type(mails.store.event_log), "accept", refuse)
    stream = io.StringIO()
    mails.app.extensions["reprise_mail_links"].events._logger = make_logger("warning", stream)
    assert mails.leads_to(1) == MILK
    assert mails.events() == []
    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["mail_events_lost"]


def test_an_erased_customer_is_led_on_and_leaves_no_event(mails):
    mails.store.event_log.erase("ANNA", mails.now)
    assert mails.leads_to(1) == MILK
    assert mails.events() == []


def test_keys_do_not_matter(mails):
    add_key(mails.storage, "read")
    mails.follow()
    for headers in ({}, {"Authorization": "Bearer nonsense"}, {"Origin": "https://evil.example"}):
        assert mails.get(1, headers=headers).status_code == 302


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nothing_but_reading(mails, method):
    assert mails.client.open(f"/v1/m/{sign(LINK, SECRET)}/1/click", method=method).status_code == 405


def test_no_token_is_in_a_log_line_or_a_metric(mails):
    stream = io.StringIO()
    mails.app.extensions["reprise_log"] = make_logger("debug", stream)
    token = sign(LINK, SECRET)
    for path in ("1/click", "1/image", "9/click", "1/nothing", "1"):
        mails.client.get(f"/v1/m/{token}/{path}")
        mails.client.get(f"/v1/m/{token[:-3]}/{path}")
    mails.events()
    told = stream.getvalue() + mails.client.get("/metrics").text
    assert '"route":"/v1/m/<string:signed>/<string:slot>/click"' in told
    assert [text for text in (token, token[:20], "ANNA", "w47", "COFFEE", SHOP_SITE) if text in told] == []
