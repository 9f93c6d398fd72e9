"""Events that the service tells itself: kept in the background, or lost, counted and logged."""

import io
import json
import threading
from functools import partial

import pytest
from prometheus_client import REGISTRY

from api.background import event_sink
from api.background.event_sink import EventSink
from api.telemetry.logs import make_logger
from recommender.errors import StoreUnavailableError
from recommender.events.event import Event
from recommender.experiments.exposure import exposure_event
from tests.fakes.shops import MemoryShopStorage
from tests.support.small_shop import NOW


def lost():
    return REGISTRY.get_sample_value("reprise_exposures_lost_total")


def seen(customer_id):
    return [partial(exposure_event, "cap", "six", customer_id, NOW)]


class Sink:
    """A sink with its storage and its log."""

    def __init__(self, storage=None, **options):
        self.storage = storage or MemoryShopStorage()
        self._log = io.StringIO()
        logger = make_logger("warning", self._log)
        self.sink = EventSink(
            "exposures", self.storage, 1_000, logger, **{"most_waiting": 100, "give_up_s": 0.0, **options}
        )

    def note(self, shop, customer_id, once=None):
        self.sink.note(shop, seen(customer_id), once)

    def kept(self, shop):
        self.sink.flush()
        entries = self.storage.event_log(shop).queue.entries.values()
        return [Event.from_json(entry.wire).customer_id for entry in entries]

    def told(self):
        self.sink.flush()
        return [json.loads(line) for line in self._log.getvalue().splitlines()]


@pytest.mark.parametrize("at_once", [1, 100])
def test_each_shop_gets_its_events(at_once):
    sink = Sink(at_once=at_once)
    for shop, who in (("a", "ANNA"), ("b", "BEN"), ("a", "CARL")):
        sink.note(shop, who)
    assert (sink.kept("a"), sink.kept("b"), sink.told()) == (["ANNA", "CARL"], ["BEN"], [])


def test_the_same_name_is_kept_once_a_shop():
    sink = Sink()
    for shop, who in (("a", "ANNA"), ("a", "BEN"), ("b", "CARL")):
        sink.note(shop, who, once="name")
    assert (sink.kept("a"), sink.kept("b")) == (["ANNA"], ["CARL"])


def test_what_is_no_event_is_lost_and_the_log_names_nobody():
    sink, before = Sink(), lost()
    sink.note("a", "SECRET" * 1_000)
    (line,) = sink.told()
    assert (line["event"], line["shop"], line["n"]) == ("exposures_lost", "a", 1)
    assert "SECRET" not in json.dumps(line)
    assert lost() == before + 1
    sink.note("a", "ANNA")
    assert sink.kept("a") == ["ANNA"]  # the thread goes on


def test_what_the_store_says_is_logged_and_the_same_name_may_come_again(monkeypatch):
    sink = Sink()

    def refuse(*_, **__):
        raise StoreUnavailableError("Redis does not answer")

    with monkeypatch.context() as patch:
        patch.setattr(sink.storage.event_log("a"), "accept", refuse)
        sink.note("a", "ANNA", once="name")
        assert [line["detail"] for line in sink.told()] == ["Redis does not answer"]
    sink.note("a", "ANNA", once="name")
    assert sink.kept("a") == ["ANNA"]


def test_where_too_many_wait_what_comes_is_lost():
    begun, go_on = threading.Event(), threading.Event()

    class Slow(MemoryShopStorage):
        def event_log(self, shop):
            begun.set()
            assert go_on.wait(60)
            return super().event_log(shop)

    sink = Sink(Slow(), most_waiting=1)
    sink.note("a", "ANNA")
    assert begun.wait(60)
    sink.note("a", "BEN")
    sink.note("a", "CARL")
    go_on.set()
    assert sink.kept("a") == ["ANNA", "BEN"]
    assert [line["detail"] for line in sink.told()] == ["too many wait to be kept"]


def test_no_more_of_a_shop_than_may_be_in_a_second():
    now, before = [100.2], lost()
    sink = Sink(most_per_s=2, clock=lambda: now[0])
    for shop, who in (("a", "ANNA"), ("a", "BEN"), ("a", "CARL"), ("b", "DORA")):
        sink.note(shop, who)
    now[0] = 101.0
    sink.note("a", "EVE")
    assert (sink.kept("a"), sink.kept("b"), sink.told()) == (["ANNA", "BEN", "EVE"], ["DORA"], [])
    assert lost() - before == 1


def test_losses_of_a_shop_are_told_once_a_second_and_counted_all(monkeypatch):
    now, before = [100.0], lost()
    sink = Sink(clock=lambda: now[0])

    def refuse(*_, **__):
        raise StoreUnavailableError("Redis does not answer")

    for shop in "ab":
        monkeypatch.setattr(sink.storage.event_log(shop), "accept", refuse)
    for at in (100.0, 100.5, 100.9, 101.0, 101.9):
        now[0] = at
        sink.note("a", "ANNA")
        sink.sink.flush()
    sink.note("b", "BEN")
    assert [(line["shop"], line["n"]) for line in sink.told()] == [("a", 1), ("a", 3), ("b", 1)]
    assert lost() - before == 6


def test_while_redis_does_not_answer_it_tries_again(monkeypatch):
    tries = []
    sink = Sink(give_up_s=60.0)
    log = sink.storage.event_log("a")
    accept = log.accept

    def fail_twice(*arguments, **options):
        tries.append(arguments)
        if len(tries) < 3:
            raise StoreUnavailableError("Redis does not answer")
        return accept(*arguments, **options)

    monkeypatch.setattr(log, "accept", fail_twice)
    monkeypatch.setattr(event_sink, "PAUSE_S", 0.0)
    sink.note("a", "ANNA")
    assert (sink.kept("a"), len(tries), sink.told()) == (["ANNA"], 3, [])
