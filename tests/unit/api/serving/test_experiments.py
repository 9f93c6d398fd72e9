"""Experiments in answers: who gets which treatment, what the answer says of it, and that exposures are kept."""

import json
from datetime import timedelta

import pytest

from api import create_app
from recommender.errors import BackPressureError, StoreUnavailableError
from recommender.experiments.experiment import HOLDOUT, Experiment, assign
from recommender.settings import Settings
from tests.fakes.shops import MemoryShopStorage
from tests.fakes.versions import MemoryVersionStore
from tests.support import small_shop
from tests.support.small_shop import NOW, publication

OLDER = "20261119T020000Z-0001"


def experiment(holdout=0.0, treatment=None, **fields):
    known = {"name": "cap-1", "variants": {"control": 1, "one": 1}, "holdout": holdout, "placements": ("home",)}
    return Experiment.model_validate(
        known | {"treatments": {"one": {"cap": 1} if treatment is None else treatment}} | fields
    )


def salted(variant, tried, customer_id="ANNA"):
    """The same experiment with a salt that puts the customer into the variant."""
    salts = (tried.model_copy(update={"salt": f"s{number}"}) for number in range(1_000))
    return next(one for one in salts if assign(one, customer_id) == variant)


class Shop:
    """A shop of small_shop's version with experiments."""

    def __init__(self, *experiments, store=None, **settings):
        self.now = NOW
        self.store = store or MemoryVersionStore()
        if store is None:
            self.store.publish(publication(), keep=3)
        chosen = Settings(experiments=experiments, **settings)
        self.app = create_app(chosen, MemoryShopStorage({"default": self.store}), lambda: self.now)
        self.client = self.app.test_client()

    def ask(self, customer="ANNA", query=""):
        answer = self.client.get(f"/v1/customers/{customer}/recommendations{query}")
        assert answer.status_code == 200, answer.text
        return answer.json

    def kept(self, event_type="exposure"):
        own = self.app.extensions["reprise"]
        own.exposures.flush()
        waiting = [json.loads(entry.wire) for entry in self.store.event_log.queue.entries.values()]
        return [event for event in waiting if event["event_type"] == event_type]


def shown(answer):
    return [item["product_id"] for item in answer["items"]]


class TestAnswer:
    def test_the_control_gets_what_everybody_gets_and_the_answer_says_so(self):
        answer = Shop(salted("control", experiment())).ask()
        assert answer["experiments"] == [{"experiment": "cap-1", "variant": "control"}]
        assert shown(answer) == shown(Shop().ask()) == ["MILK", "COFFEE", "BUTTER"]

    def test_a_treated_placement_counts_and_the_answer_names_the_one_that_was_asked_for(self):
        answer = Shop(salted("one", experiment())).ask()
        assert answer["experiments"] == [{"experiment": "cap-1", "variant": "one"}]
        assert answer["limit"] == {"requested": None, "applied": 1, "cap": 1}
        assert (shown(answer), answer["placement"]) == (["MILK"], "home")

    def test_another_placement_with_the_rules_set_while_the_service_runs(self):
        shop = Shop(salted("one", experiment(treatment={"placement": "cart", "default_limit": 2})))
        shop.store.place("cart", Settings().placements["cart"].model_copy(update={"cap": 3}))
        shop.app.extensions["reprise"].shops.cache("default").follow()
        answer = shop.ask()
        assert answer["limit"] == {"requested": None, "applied": 2, "cap": 3}
        assert answer["placement"] == "home"

    def test_a_kept_version(self):
        store = MemoryVersionStore()
        for version in (OLDER, small_shop.VERSION):
            store.publish(publication(version), keep=3)
        shop = Shop(salted("one", experiment(treatment={"version": OLDER})), store=store)
        answer = shop.ask()
        assert answer["model_version"] == OLDER
        assert shown(answer) == ["MILK", "COFFEE", "BUTTER"]

    def test_a_version_that_is_gone_gives_the_current_one(self):
        answer = Shop(salted("one", experiment(treatment={"version": OLDER}))).ask()
        assert answer["model_version"] == small_shop.VERSION
        assert shown(answer) == ["MILK", "COFFEE", "BUTTER"]

    def test_what_was_said_of_products_since_counts_for_a_kept_version_too(self):
        store = MemoryVersionStore()
        for version in (OLDER, small_shop.VERSION):
            store.publish(publication(version), keep=3)
        shop = Shop(salted("one", experiment(treatment={"version": OLDER})), store=store)
        shop.client.patch("/v1/products/MILK", json={"in_stock": False})
        shop.app.extensions["reprise"].shops.follow()
        answer = shop.ask()
        assert (answer["model_version"], shown(answer)) == (OLDER, ["COFFEE", "BUTTER"])

    def test_while_redis_does_not_answer_the_last_copies_stand_in_for_a_kept_version(self, monkeypatch):
        shop = Shop(salted("one", experiment(treatment={"version": OLDER})))
        shop.app.extensions["reprise"].shops.cache("default").follow()

        def fail(*_):
            raise StoreUnavailableError("Redis does not answer")

        monkeypatch.setattr(shop.store, "read", fail)
        answer = shop.ask()
        assert answer["fallback"]["reason"] == "store_unavailable"
        assert shown(answer) == ["COFFEE", "MILK", "BREAD"]
        assert answer["experiments"] == [{"experiment": "cap-1", "variant": "one"}]

    def test_the_hold_out_is_shown_nothing_and_reads_nothing(self):
        shop = Shop(salted(HOLDOUT, experiment(holdout=0.5)))
        shop.store.read = None
        answer = shop.ask()
        assert answer["experiments"] == [{"experiment": "cap-1", "variant": HOLDOUT}]
        assert (answer["items"], answer["model_version"]) == ([], None)
        assert answer["fallback"] == {"reason": "holdout", "used": None}

    def test_the_hold_out_may_be_shown_what_others_see(self):
        tried = experiment(holdout=0.5, treatments={HOLDOUT: {}})
        assert shown(Shop(salted(HOLDOUT, tried)).ask()) == ["MILK", "COFFEE", "BUTTER"]

    def test_a_placement_that_it_does_not_name_and_a_time_before_it_are_not_part_of_it(self):
        shop = Shop(salted("one", experiment(starts=NOW)))
        assert shop.ask(query="?placement=cart")["experiments"] == []
        shop.now -= timedelta(seconds=1)
        assert shop.ask()["experiments"] == []

    def test_lists_that_everybody_may_share_stay_as_they_are_byte_for_byte(self):
        tried, plain = Shop(salted("one", experiment(placements=()))), Shop()
        for path in ("/v1/products/MILK/similar", "/v1/popular", "/v1/products/BREAD/bought-together"):
            assert tried.client.get(path).data == plain.client.get(path).data
            assert "experiments" not in plain.client.get(path).json
        assert tried.kept() == []

    def test_a_session_takes_part_only_with_its_customer(self):
        shop = Shop(salted("one", experiment()))
        for customer, variants in ((None, []), ("ANNA", ["one"])):
            body = {"placement": "home", "session_id": "s1"} | ({"customer_id": customer} if customer else {})
            answer = shop.client.post("/v1/recommendations", json=body).json
            assert [one["variant"] for one in answer["experiments"]] == variants
            assert (len(answer["items"]) == 1) == bool(variants)
        assert [event["customer_id"] for event in shop.kept()] == ["ANNA"]

    def test_each_request_of_a_batch_gets_what_it_would_get_alone(self):
        store = MemoryVersionStore()
        for version in (OLDER, small_shop.VERSION):
            store.publish(publication(version), keep=3)
        variants, treatments = {"control": 1, "one": 1, "old": 1}, {"one": {"cap": 1}, "old": {"version": OLDER}}
        tried = experiment(holdout=0.3, variants=variants, treatments=treatments)
        shop = Shop(tried, store=store)
        customers = [f"C{number}" for number in range(30)]
        paths = [f"/v1/customers/{one}/recommendations" for one in customers] + ["/v1/products/MILK/similar"]
        posted = {"path": "/v1/recommendations", "body": {"placement": "home", "customer_id": "C1"}}
        alone = [shop.client.get(path).json for path in paths]
        alone.append(shop.client.post(posted["path"], json=posted["body"]).json)
        requests = [*({"path": path} for path in paths), posted]
        batch = shop.client.post("/v1/batch", json={"requests": requests}).json["responses"]
        for one in (*alone, *(response["body"] for response in batch)):
            if "experiments" in one:
                del one["recommendation_id"]
        assert [response["body"] for response in batch] == alone
        assert {one["experiments"][0]["variant"] for one in alone[:30]} == {"control", "one", "old", HOLDOUT}
        assert {one["model_version"] for one in alone} == {None, OLDER, small_shop.VERSION}


class TestExposures:
    @pytest.mark.parametrize("variant", ["control", "one", HOLDOUT])
    def test_one_is_kept_of_every_variant_without_any_setting(self, variant):
        shop = Shop(salted(variant, experiment(holdout=0.3)))
        answer = shop.ask()
        (event,) = shop.kept()
        assert event.pop("event_id").startswith("exposure:cap-1:2026-11-20:")
        assert event.pop("occurred_at") == "2026-11-20T12:00:00Z"
        assert event == {
            "event_type": "exposure",
            "customer_id": "ANNA",
            "quantity": 1.0,
            "placement": "home",
            "recommendation_id": answer["recommendation_id"],
            "experiment": "cap-1",
            "variant": variant,
        }

    def test_one_a_day_per_customer_and_experiment_over_all_workers(self):
        tried = (salted("one", experiment()), experiment(name="mix", treatment={"mix": "discover"}))
        shop = Shop(*tried)
        other_worker = Shop(*tried, store=shop.store)
        for hours in (0, 1, 13, 14):
            for worker in (shop, other_worker):
                worker.now = NOW + timedelta(hours=hours)
                worker.ask()
                worker.ask("x/y")
                worker.kept()
        found = [(event["customer_id"], event["experiment"], event["occurred_at"][:10]) for event in shop.kept()]
        days = ("2026-11-20", "2026-11-21")
        assert sorted(found) == sorted(
            (who, what, day) for who in ("ANNA", "x/y") for what in ("cap-1", "mix") for day in days
        )

    def test_of_a_batch_too(self):
        shop = Shop(experiment())
        paths = [f"/v1/customers/C{number}/recommendations" for number in range(1_000)]
        shop.client.post("/v1/batch", json={"requests": [{"path": path} for path in paths]})
        assert sorted(event["customer_id"] for event in shop.kept()) == sorted(f"C{number}" for number in range(1_000))

    def test_one_that_could_not_be_kept_is_told_and_tried_again(self, capfd, monkeypatch):
        shop = Shop(experiment())
        log, kept = shop.store.event_log, shop.store.event_log.accept

        def refuse(*_, **__):
            raise BackPressureError("1,000,000 events wait to be archived")

        monkeypatch.setattr(log, "accept", refuse)
        shop.ask()
        assert shop.kept() == []
        told = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
        (lost,) = [line for line in told if line["event"] == "exposures_lost"]
        assert (lost["shop"], lost["n"]) == ("default", 1)
        assert "wait to be archived" in lost["detail"]
        monkeypatch.setattr(log, "accept", kept)
        shop.ask()
        assert len(shop.kept()) == 1

    def test_without_experiments_nothing_is_kept(self):
        shop = Shop()
        shop.ask()
        assert shop.kept() == []

    def test_impressions_say_where_a_product_stood(self):
        shop = Shop(log_impressions=True)
        shop.ask()
        shop.app.extensions["reprise"].impressions.flush()
        assert {event["product_id"]: event["rank"] for event in shop.kept("impression")} == {
            "MILK": 1,
            "COFFEE": 2,
            "BUTTER": 3,
        }
