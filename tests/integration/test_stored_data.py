"""What release 0.1.0 stored stays readable: its home and its Redis give the answers that 0.1.0 gave.

`tests/fixtures/0.1.0/README.md` says how the data was made.
"""

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from api import create_app
from api.console.views import VIEWS
from recommender.cli.main import reprise as door
from recommender.data_dir import DataDirectory
from recommender.redis.open import open_storage
from recommender.settings import Settings
from recommender.storage.shops import ShopStorage
from recommender.storage.versions import current_manifest
from tests.support.commands import Reprise
from tests.support.keyed_shop import bearer
from training.artifacts import load
from training.campaigns.mail.outbox import open_outbox, outbox_path
from training.events.archive import Archive

FIXTURE = Path(__file__).parents[1] / "fixtures" / "0.1.0"
FACTS = json.loads((FIXTURE / "facts.json").read_text())
NOW = datetime.fromisoformat(FACTS["now"])
CURRENT, BEFORE = FACTS["versions"]
ERASED, UNSUBSCRIBED = FACTS["erased"], FACTS["unsubscribed"]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the home for tests that only read."""
    return shutil.copytree(FIXTURE / "home", tmp_path_factory.mktemp("kept") / "home")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A copy of the home for one test, and its REPRISE_HOME."""
    return shutil.copytree(FIXTURE / "home", tmp_path / "home")


@pytest.fixture(scope="module")
def storage(kept: Path) -> Iterator[ShopStorage]:
    with open_storage(Settings(home=kept, redis_timeout_ms=5_000)) as storage:
        yield storage


@pytest.fixture(scope="module")
def client(kept: Path, storage: ShopStorage) -> FlaskClient:
    """The service at the moment at which the data was stored."""
    return create_app(Settings(home=kept, log_level="error"), storage, lambda: NOW).test_client()


@pytest.fixture
def run(home: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """A function that runs `reprise` in this process, with `home`, and returns what it printed."""
    monkeypatch.setenv("REPRISE_HOME", str(home))
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)  # `reprise worker` sets it for its process

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(door, arguments, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.stdout

    return run


def test_the_published_versions_are_listed_and_their_lists_counted(storage: ShopStorage):
    store = storage.store("default")
    manifest = current_manifest(store)
    assert manifest is not None
    assert [one.version for one in store.manifests()] == [CURRENT, BEFORE]
    assert (manifest.version, manifest.counts["customers"], manifest.counts["products"]) == (CURRENT, 30, 60)
    assert manifest.lists["similar"] == 60


@pytest.mark.parametrize("path", FACTS["answers"])
def test_the_answers_are_those_of_0_1_0(client: FlaskClient, path: str):
    answer = client.get(path, headers=bearer(FACTS["key"]))
    assert answer.status_code == 200
    assert [item["product_id"] for item in answer.json["items"]] == FACTS["answers"][path]


def test_events_at_hand_count_in_answers(client: FlaskClient):
    customer_id, _ = FACTS["bought"]
    profile = client.get(f"/v1/customers/{customer_id}/profile", headers=bearer(FACTS["key"])).json
    assert profile["last_order_on"] == f"{NOW:%Y-%m-%d}"
    customer_id, hidden = FACTS["hidden"]
    answer = client.get(f"/v1/customers/{customer_id}/recommendations?limit=50", headers=bearer(FACTS["key"])).json
    assert answer["suppressed"]["not_interested"] == 1
    assert hidden not in [item["product_id"] for item in answer["items"]]


def test_what_the_shop_said_of_placements_and_products_holds(client: FlaskClient, storage: ShopStorage):
    home = client.get("/v1/placements/home", headers=bearer(FACTS["key"])).json
    assert (home["cap"], home["default_limit"]) == (5, 5)
    popular = client.get("/v1/customers/newcomer/recommendations", headers=bearer(FACTS["key"])).json
    assert popular["suppressed"]["out_of_stock"] == 1


@pytest.mark.parametrize(
    ("key", "path", "status"),
    [
        (FACTS["key"], "/v1/models", 200),
        (FACTS["publishable"], "/v1/popular", 200),
        (FACTS["publishable"], "/v1/models", 403),
        (FACTS["revoked"], "/v1/popular", 401),
        (None, "/v1/popular", 401),
    ],
)
def test_keys_open_what_they_opened(client: FlaskClient, key: str | None, path: str, status: int):
    assert client.get(path, headers=bearer(key) if key else {}).status_code == status


def test_a_campaign_and_its_picks_are_read(client: FlaskClient):
    assert client.get("/v1/campaigns/reorder", headers=bearer(FACTS["key"])).json["progress"]["customers_picked"] == 24
    picks = client.get("/v1/campaigns/reorder/picks", headers=bearer(FACTS["key"])).json["picks"]
    assert len({one["customer_id"] for one in picks}) == len(picks) == 24
    assert ERASED not in {one["customer_id"] for one in picks}


def test_mails_and_consent_are_known(storage: ShopStorage, kept: Path):
    with open_outbox(outbox_path(kept, "default", "november")) as outbox:
        counts, mailed = outbox.counts(), outbox.states(0)
    assert (counts["sent"], counts["no_address"]) == (3, 21)
    sent = [customer_id for customer_id, state in mailed.items() if state == "sent"]
    unsubscribed, *standings = storage.contacts("default").standings([UNSUBSCRIBED, *sent])
    assert unsubscribed.unsubscribed
    assert all(one.mail_of("november").sent_at for one in standings)


def test_who_was_erased_stays_so_and_an_event_that_comes_again_is_known(client: FlaskClient):
    event = {"event_type": "view", "product_id": "MILK-1L", "occurred_at": NOW.isoformat()}
    of_erased = {**event, "event_id": "new", "customer_id": ERASED}
    again = {**event, "event_id": "made-up-2", "customer_id": "x"}
    answer = client.post("/v1/events", json={"events": [of_erased, again]}, headers=bearer(FACTS["key"])).json
    assert (answer["accepted"], answer["duplicates"]) == (0, 1)
    assert [one["code"] for one in answer["rejected"]] == ["erased"]


def test_saved_versions_hold_what_was_published(storage: ShopStorage, kept: Path):
    for published in storage.store("default").manifests():
        saved = load(published.version, DataDirectory(kept))
        assert saved.manifest.metrics == published.metrics
        assert len(saved.products) == len(saved.tables["similar"]) == published.lists["similar"] == 60
        # both were saved and published with 30 customers, and one of them was erased
        assert published.lists["buy_again"] == 30
        assert saved.profiles is not None
        assert len(saved.tables["buy_again"]) == len(saved.profiles) == 29
        assert ERASED not in saved.profiles.customer_ids


def test_rollback_and_publish_go_back_and_forward(run: Callable[..., str]):
    assert json.loads(run("rollback", "--json")) == {"from": CURRENT, "to": BEFORE}
    assert json.loads(run("models", "--json"))["current"] == BEFORE
    run("publish", CURRENT, "--json")
    models = json.loads(run("models", "--json"))
    assert (models["current"], [one["version"] for one in models["versions"]]) == (CURRENT, [CURRENT, BEFORE])


def test_waiting_events_are_archived_beside_those_that_were(home: Path, run: Callable[..., str], reprise: Reprise):
    waiting = json.loads(run("events", "--dead", "--json"))
    assert (waiting["waiting"], len(waiting["dead"])) == (4, 1)
    assert Archive(home / "ledger", "default").read().height == 7
    assert reprise("worker", "--once").returncode == 0
    archived = Archive(home / "ledger", "default").read()
    assert archived["event_type"].value_counts().sort("event_type").rows() == [
        ("mail_sent", 3),
        ("not_interested", 1),
        ("purchase", 3),
        ("unsubscribe", 1),
        ("view", 3),
    ]


def test_erasing_reaches_all_that_was_stored(home: Path, run: Callable[..., str]):
    customer_id, _ = FACTS["bought"]
    assert customer_id in Archive(home / "ledger", "default").values("customer_id")
    run("erase", customer_id, "--json")
    assert customer_id not in Archive(home / "ledger", "default").values("customer_id")
    for version in (CURRENT, BEFORE):
        profiles = load(version, DataDirectory(home)).profiles
        assert profiles is not None
        assert (len(profiles), customer_id in profiles.customer_ids) == (28, False)


@pytest.mark.parametrize("view", VIEWS)
def test_the_console_shows_a_version_that_tells_nothing_of_the_shop(client: FlaskClient, view: str):
    browser = client.application.test_client()
    assert browser.post("/console/sign-in", data={"key": FACTS["key"]}).status_code == 303
    query = {"customer": FACTS["bought"][0]} if view == "customers" else {}
    page = browser.get(f"/console/{view}", query_string=query, headers={"Accept-Language": "en"})
    assert page.status_code == 200
    if view in ("overview", "products", "due", "retention", "value"):
        assert "trained by an earlier release" in page.text
    if view == "versions":
        assert CURRENT in page.text
