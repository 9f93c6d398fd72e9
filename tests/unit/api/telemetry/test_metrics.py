"""Metrics say what happened, under labels that name nobody."""

import inspect
import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from api import create_app
from api.security import browser_events
from api.telemetry.metrics import REJECTIONS
from recommender.events import event
from recommender.publication.manifest import version_as_of
from recommender.settings import Settings
from tests.fakes.shops import MemoryShopStorage
from tests.fakes.versions import MemoryVersionStore
from tests.support import small_shop

MONITORING = Path(__file__).parents[4] / "api" / "monitoring"
SIMILAR = "/v1/products/<shop_id:product_id>/similar"


@pytest.fixture
def read(client):
    """A function that gives the value of a sample now; 0 where there is none."""

    def read(name: str, **labels: str) -> float:
        families = text_string_to_metric_families(client.get("/metrics").text)
        return sum(
            sample.value
            for family in families
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    return read


@pytest.fixture
def rise(read):
    """A function that tells by how much a sample rises while something is done."""

    def rise(act, name: str, **labels: str) -> float:
        before = read(name, **labels)
        act()
        return read(name, **labels) - before

    return rise


def test_requests_are_counted_by_rule_method_and_status(client, rise):
    counted = {"route": SIMILAR, "method": "GET", "status": "404"}
    assert rise(lambda: client.get("/v1/products/nope/similar"), "reprise_requests_total", **counted) == 1
    assert rise(lambda: client.get("/v1/products/nope/similar"), "reprise_request_seconds_count", route=SIMILAR) == 1


def test_a_path_without_a_route_and_a_made_up_method_have_one_label_each(client, rise):
    counted = {"route": "unmatched", "method": "OTHER"}
    assert rise(lambda: client.open("/secret/ANNA", method="BREW"), "reprise_requests_total", **counted) == 1


def test_an_answer_given_before_is_counted_like_any_other(client, rise):
    client.get("/v1/products/MILK/similar")
    counted = {"route": SIMILAR, "method": "GET", "status": "200"}
    assert rise(lambda: client.get("/v1/products/MILK/similar"), "reprise_requests_total", **counted) == 1
    assert rise(lambda: client.get("/v1/products/MILK/similar"), "reprise_answers_total", source="kept") == 1


@pytest.mark.parametrize(
    ("path", "source"), [("/v1/customers/ANNA/recommendations", "redis"), ("/v1/popular?limit=3", "memory")]
)
def test_slates_are_counted_by_where_their_lists_come_from(client, rise, path, source):
    client.get("/v1/placements")
    assert rise(lambda: client.get(path), "reprise_answers_total", source=source) == 1


def test_slate_sizes_are_counted_against_what_was_allowed(client, rise):
    act = lambda: client.get("/v1/popular?placement=email&limit=30")  # noqa: E731
    shown = len(act().json["items"])
    path = "/v1/popular?placement=email&limit=31"
    assert rise(lambda: client.get(path), "reprise_slate_items_total", placement="email") == shown
    path = "/v1/popular?placement=email&limit=32"
    assert rise(lambda: client.get(path), "reprise_slate_room_total", placement="email") == 8
    path = "/v1/popular?placement=email&limit=33"
    assert rise(lambda: client.get(path), "reprise_limits_clamped_total", placement="email") == 1


def test_fallbacks_are_counted_by_reason(client, rise):
    act = lambda: client.get("/v1/customers/nobody/recommendations")  # noqa: E731
    assert rise(act, "reprise_fallbacks_total", reason="unknown_customer") == 1


def test_events_are_counted_by_what_became_of_them(client, store, rise):
    store.event_log.erase("OTTO", small_shop.NOW)
    good = {"event_type": "view", "customer_id": "ANNA", "product_id": "MILK"}
    good["occurred_at"] = small_shop.NOW.isoformat()
    sent = [
        good | {"event_id": "1"},
        good | {"event_id": "1"},
        good | {"event_id": "2", "occurred_at": (small_shop.NOW + timedelta(days=1)).isoformat()},
        good | {"event_id": "3", "customer_id": "OTTO"},
        {"event_id": "4"},
        {"event_id": "5"},
    ]
    act = lambda: client.post("/v1/events", json={"events": sent})  # noqa: E731
    assert rise(act, "reprise_events_total", result="accepted") == 1
    assert rise(act, "reprise_events_total", result="duplicate") == 2
    for code, n in {"in_the_future": 1, "erased": 1, "invalid_event": 2}.items():
        assert rise(act, "reprise_events_total", result="rejected", code=code) == n


def test_events_of_a_request_that_accepts_none_are_counted(client, rise):
    act = lambda: client.post("/v1/events", json={"events": [{}, {}]})  # noqa: E731
    assert rise(act, "reprise_events_total", result="rejected", code="invalid_event") == 2


@pytest.mark.parametrize("good", [0, 1])
def test_products_of_bulk_requests_are_counted(client, rise, good):
    products = [{"product_id": "MILK"}] * good + [{"price": "1"}, {"colour": "red"}]
    act = lambda: client.post("/v1/products", json={"products": products})  # noqa: E731
    assert rise(act, "reprise_product_changes_total", result="accepted") == good
    assert rise(act, "reprise_product_changes_total", result="rejected") == 2


def test_every_code_of_a_rejected_event_is_known_before_it_comes(client):
    sources = inspect.getsource(event) + inspect.getsource(browser_events)
    codes = set(re.findall(r'(?:EventRejected|PydanticCustom)Error\(\s*"(\w+)"', sources)) | {"erased", "invalid_event"}
    assert codes == set(REJECTIONS)
    known = set(re.findall(r'reprise_events_total\{code="(\w+)",result="rejected"\}', client.get("/metrics").text))
    assert codes <= known


def test_round_trips_are_timed_and_their_failures_counted(client, rise):
    act = lambda: client.get("/v1/customers/ANNA/recommendations")  # noqa: E731
    assert rise(act, "reprise_store_seconds_count", operation="read") == 1


def test_a_store_that_is_down_is_told(down_client, read, rise):
    act = lambda: down_client.get("/v1/popular")  # noqa: E731
    assert rise(act, "reprise_store_errors_total", operation="follow") >= 1


def test_the_age_of_the_version_can_be_told(read):
    storage = MemoryShopStorage()
    storage.store("aged").publish(small_shop.publication(), keep=3)  # no other test follows a shop of that name
    create_app(Settings(shop="aged"), storage).test_client().get("/v1/popular")
    told = read("reprise_version_as_of_timestamp_seconds", shop="aged")
    assert told == version_as_of(small_shop.VERSION).timestamp()


def test_no_label_names_a_customer_or_a_product(client):
    for path in (
        "/v1/customers/ANNA/recommendations",
        "/v1/products/MILK/similar",
        "/nope/ANNA",
        "/v1/products/KETTLE/x",
    ):
        client.get(path, headers={"Authorization": "Bearer sk_abc_secret"})
    text = client.get("/metrics").text
    assert "reprise_requests_total{" in text
    assert not re.search("ANNA|MILK|KETTLE|secret", text)


def test_only_the_servers_own_shop_sees_them():
    app = create_app(Settings(shop="mine"), MemoryShopStorage({"mine": MemoryVersionStore()}), lambda: small_shop.NOW)
    assert app.test_client().get("/metrics").status_code == 200


def test_server_timing_tells_where_the_time_went(client):
    header = client.get("/v1/customers/ANNA/recommendations").headers["Server-Timing"]
    assert re.fullmatch(r"redis;dur=\d+\.\d\d, all;dur=\d+\.\d\d", header)


@pytest.mark.parametrize("file", ["grafana-dashboard.json", "alerts.yml"])
def test_dashboard_and_alerts_ask_for_metrics_that_there_are(client, file):
    client.get("/v1/customers/nobody/recommendations?limit=50")
    client.get("/v1/customers/nobody/recommendations?limit=50")
    known = set(re.findall(r"^# TYPE (reprise_\w+) ", client.get("/metrics").text, re.MULTILINE))
    known |= {f"{name}_bucket" for name in known}
    asked = set(re.findall(r"reprise_\w+", (MONITORING / file).read_text()))
    assert len(asked) >= 4
    assert asked <= known


def test_the_dashboard_is_json_whose_panels_do_not_overlap():
    places = [panel["gridPos"] for panel in json.loads((MONITORING / "grafana-dashboard.json").read_text())["panels"]]
    taken = [(x, y) for p in places for x in range(p["x"], p["x"] + p["w"]) for y in range(p["y"], p["y"] + p["h"])]
    assert len(taken) == len(set(taken))
    assert max(x for x, _ in taken) < 24
