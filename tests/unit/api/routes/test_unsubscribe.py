import io
import json
from datetime import timedelta
from html import escape

import pytest
from flask.testing import FlaskClient

from api import create_app
from api.telemetry.logs import make_logger
from recommender.campaigns.links import MailLink, sign
from recommender.errors import StoreUnavailableError
from recommender.events.event import Event
from recommender.settings import MailSettings, Settings
from recommender.words.language import LANGUAGES, get_language
from tests.fakes.shops import MemoryShopStorage
from tests.fakes.versions import MemoryVersionStore
from tests.support import small_shop

SECRET = "a secret of thirty-two characters"
PATH = f"/v1/m/{sign(MailLink('corner', 'reorder', 'ANNA'), SECRET)}/unsubscribe"
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


class Clock:
    now = small_shop.NOW

    def __call__(self):
        return self.now


@pytest.fixture
def storage() -> MemoryShopStorage:
    return MemoryShopStorage({"default": MemoryVersionStore(), "corner": MemoryVersionStore()})


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def client(storage: MemoryShopStorage, clock: Clock) -> FlaskClient:
    settings = Settings(mail=MailSettings.model_validate({"secret": SECRET}))
    return create_app(settings, storage, clock).test_client()


def unsubscribed(storage: MemoryShopStorage) -> bool:
    (standing,) = storage.contacts("corner").standings(["ANNA"])
    return standing.unsubscribed


@pytest.mark.parametrize(
    "body",
    [
        {"data": ONE_CLICK},
        {"data": ONE_CLICK, "content_type": "multipart/form-data"},
        {"data": b"", "content_type": "application/octet-stream"},
    ],
)
def test_a_post_unsubscribes_in_the_shop_of_the_mail(client: FlaskClient, storage: MemoryShopStorage, body):
    answer = client.post(PATH, **body)
    assert answer.status_code == 200
    assert "You are unsubscribed" in answer.text
    assert unsubscribed(storage)
    assert client.post(PATH, **body).status_code == 200


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_looking_at_the_link_changes_nothing(client: FlaskClient, storage: MemoryShopStorage, method: str):
    assert client.open(PATH, method=method).status_code == 200
    assert not unsubscribed(storage)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("asked", "title", "sentence"),
    [
        ("GET unsubscribe", "mails_of", "ask_about_mails"),
        ("POST unsubscribe", "unsubscribed", "no_more_mails"),
        ("POST fewer-mails", "fewer_mails_set", "one_a_month"),
        ("POST subscribe", "subscribed", "mails_again"),
    ],
)
def test_it_speaks_the_readers_language_and_says_what_holds(client, language, asked, title, sentence):
    method, action = asked.split()
    words, accept = get_language(language), {"Accept-Language": f"{language},en;q=0.5"}
    page = client.open(to(action), method=method, headers=accept)
    assert f'<html lang="{language}" dir="{words.notation.direction}">' in page.text
    said, told = (words.words[one].format(shop=words.words["this_shop"]) for one in (title, sentence))
    assert f"<h1>{escape(said)}</h1>" in page.text
    assert f"<p>{escape(told)}</p>" in page.text
    assert page.headers["Content-Language"] == language


def to(action):
    return PATH.replace("/unsubscribe", f"/{action}")


def test_it_names_the_shop(storage, clock):
    settings = Settings(mail=MailSettings.model_validate({"secret": SECRET, "sender": "Tea & <Bean>"}))
    client = create_app(settings, storage, clock).test_client()
    assert "<h1>Mails from Tea &amp; &lt;Bean&gt;</h1>" in client.get(PATH).text
    assert "No more" not in client.get(PATH).text, "nothing is promised before it is done"
    assert "You will get no more product mails from Tea &amp; &lt;Bean&gt;." in client.post(PATH).text


def test_a_reader_may_want_fewer_and_there_is_a_way_back(client, storage):
    def state():
        (standing,) = storage.contacts("corner").standings(["ANNA"])
        return standing.unsubscribed, standing.wants_fewer

    asks = client.get(PATH).text
    assert ('action="fewer-mails"' in asks, 'action="unsubscribe"' in asks) == (True, True)
    assert "one product mail a month at most" in client.post(to("fewer-mails")).text
    assert state() == (False, True)
    gone = client.post(PATH).text
    assert ('action="subscribe"' in gone, state()) == (True, (True, True))
    assert "You are subscribed" in client.post(to("subscribe")).text
    assert state() == (False, False)
    for action in ("fewer-mails", "subscribe"):
        assert client.get(to(action)).status_code == 405, "what opens links ahead presses nothing"


def test_the_page_needs_no_script_and_asks_to_be_left_alone(client: FlaskClient):
    answer = client.get(PATH)
    assert answer.content_type == "text/html; charset=utf-8"
    assert '<form method="post" action="unsubscribe">' in answer.text
    assert answer.text.count("<button>") == 2
    assert "<script" not in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Robots-Tag"] == "noindex"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "form-action 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "ANNA" not in answer.text
    assert PATH.split("/")[3] not in answer.text


@pytest.mark.parametrize("path", [PATH.replace("/v1/m/", "/v1/m/x"), "/v1/m/a.b/unsubscribe"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_forged_link_is_not_found(client: FlaskClient, storage: MemoryShopStorage, path: str, method: str):
    answer = client.open(path, method=method)
    assert answer.status_code == 404
    assert answer.json is not None
    assert answer.json["code"] == "forged_link"
    assert not unsubscribed(storage)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_server_without_a_secret_says_so_and_calls_no_link_forged(storage: MemoryShopStorage, method: str):
    answer = create_app(Settings(), storage, Clock()).test_client().open(PATH, method=method)
    assert answer.json is not None
    assert (answer.status_code, answer.json["code"]) == (404, "no_mail_secret")
    assert not unsubscribed(storage)


def test_who_subscribed_again_may_unsubscribe_again_with_the_same_mail(
    client: FlaskClient, storage: MemoryShopStorage, clock: Clock
):
    assert client.post(PATH).status_code == 200
    clock.now += timedelta(hours=1)
    again = {"event_id": "e", "event_type": "subscribe", "customer_id": "ANNA", "occurred_at": clock.now.isoformat()}
    storage.event_log("corner").accept([Event.model_validate(again)], clock.now, 10)
    assert not unsubscribed(storage)
    clock.now += timedelta(hours=1)
    assert client.post(PATH).status_code == 200
    assert unsubscribed(storage)


def test_what_cannot_be_kept_is_not_promised(client: FlaskClient, storage: MemoryShopStorage, monkeypatch):
    def fail(*_: object) -> None:
        raise StoreUnavailableError("Redis does not answer")

    monkeypatch.setattr(storage.event_log("corner"), "tell_reader", fail)
    assert client.post(PATH).status_code == 503


def test_the_link_is_in_no_line_of_the_log(client: FlaskClient):
    stream = io.StringIO()
    client.application.extensions["reprise_log"] = make_logger("info", stream)
    client.post(PATH)
    client.get("/v1/m/forged.token/unsubscribe")
    routes = [json.loads(line)["route"] for line in stream.getvalue().splitlines()]
    assert routes == ["/v1/m/<string:signed>/unsubscribe"] * 2
    assert PATH.split("/")[3] not in stream.getvalue()
    assert "forged.token" not in stream.getvalue()
