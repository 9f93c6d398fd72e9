"""Workers that are killed over and over leave the results that a recount of the archive gives."""

import random
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from recommender.events.event import Event
from recommender.redis.shops import RedisShopStorage
from recommender.results.placements import WITHIN_DAYS, sum_rows
from tests.support.event_workers import start_worker
from tests.support.recount import campaign_results
from tests.support.redis_servers import wait_until
from training.analytics.counters.campaign_results import to_money
from training.analytics.results.placements import count_placements
from training.events.archive import Archive

KILLS, N_EVENTS, SEED = 6, 6_000, 11
FIGURES = ("placement", "ranks", "seen", "clicked", "carted", "bought", "units")


def make_events(start: datetime) -> list[Event]:
    rng = random.Random(SEED)
    types = ("impression",) * 6 + ("click", "click", "add_to_cart", "purchase", "purchase", "mail_sent")
    events = []
    for number in range(N_EVENTS):
        event_type, answer = rng.choice(types), rng.randrange(400)
        fields = {"campaign_id": "reorder"} if event_type == "mail_sent" else {"product_id": f"P{answer % 7}"}
        if event_type in ("impression", "click", "add_to_cart") or (event_type == "purchase" and rng.random() < 0.5):
            fields |= {
                "recommendation_id": f"r{answer}",
                "placement": ("home", "cart")[answer % 2],
                "rank": answer % 15 + 1,
            }
        if event_type == "purchase":
            fields |= {"unit_price": rng.randrange(100, 900) / 100, "currency": "EUR"}
        at = start + timedelta(days=9 * number / N_EVENTS)
        events.append(
            Event(event_id=f"e{number}", event_type=event_type, customer_id=f"C{answer % 50}", occurred_at=at, **fields)
        )
    return events


def test_results_after_kills_are_those_of_a_recount(redis_url: str, tmp_path: Path) -> None:
    rng, home, shop = random.Random(SEED), tmp_path / "home", "counted"
    now = datetime.now(UTC)
    events = make_events(now - timedelta(days=10))
    with closing(RedisShopStorage(redis_url, 5_000)) as storage:
        log, results = storage.event_log(shop), storage.results(shop)
        for kill in range(KILLS):
            part = events[kill * N_EVENTS // KILLS : (kill + 1) * N_EVENTS // KILLS]
            for first in range(0, len(part), 500):
                log.accept(part[first : first + 500], now, 100_000)
            before, waited = results.counted_at(), log.queue.backlog().waiting
            worker = start_worker(home, redis_url, "--shop", shop)
            # killed at its first batch, in the middle of the count, or after it
            want = rng.choice(["archiving", "counted", "counted"])
            wait_until(
                lambda want=want, before=before, waited=waited: (
                    log.queue.backlog().waiting < waited if want == "archiving" else results.counted_at() != before
                ),
                want,
                90,
            )
            worker.kill()
            worker.wait()
        # what the killed ones had in hand comes to this one after half a minute
        wait_until(
            lambda: _work(home, redis_url, shop) == 0 and log.queue.backlog().waiting == 0, "all is archived", 200
        )
        days = results.days(date(2020, 1, 1), date(2100, 1, 1))
        campaigns = results.campaigns()
    archived = Archive(home / "ledger", shop).read()
    assert len(archived) == N_EVENTS
    told = count_placements(archived, WITHIN_DAYS).to_dicts()
    summed = sum_rows([row for day in days for row in day.rows], ["placement", "ranks"])
    assert [[getattr(row, name) for name in FIGURES] for row in summed] == [
        [row[name] for name in FIGURES] for row in told
    ]
    assert [row.money["EUR"] for row in summed] == [round(to_money(row["money"])["EUR"], 2) for row in told]
    assert sum(row.bought for row in summed) > 100
    assert campaigns == campaign_results(archived, WITHIN_DAYS, datetime.now(UTC).date())


def _work(home: Path, url: str, shop: str) -> int:
    return start_worker(home, url, "--shop", shop, "--once").wait(timeout=120)
