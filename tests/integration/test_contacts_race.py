"""Campaigns that claim at once, from several processes: never one mail too many."""

import multiprocessing
import random
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta

import pytest

from recommender.events.event import Event
from recommender.redis.keys import Keys
from recommender.redis.shops import RedisShopStorage
from recommender.settings import MailSettings
from recommender.storage.contacts import Claim
from tests.support.redis_servers import redis_cluster

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
WEEK = timedelta(days=7)
N_CUSTOMERS, N_PROCESSES, N_CAMPAIGNS = 300, 4, 6
RULES = MailSettings(most_per_week=2)


def claim_all(url: str, shop: str, seed: int) -> list[tuple[str, str, datetime, str | None]]:
    """Every campaign claims every customer, in an order of its own, at a moment of its own; what was answered."""
    chance, storage = random.Random(seed), RedisShopStorage(url, timeout_ms=30_000)
    contacts, answered = storage.contacts(shop), []
    wanted = [(campaign, customer) for campaign in range(N_CAMPAIGNS) for customer in range(N_CUSTOMERS)]
    chance.shuffle(wanted)
    for first in range(0, len(wanted), 64):
        claims = [
            Claim(f"{seed % 2}-{campaign}", str(customer), ("TEA",), None, NOW + timedelta(days=chance.randrange(14)))
            for campaign, customer in wanted[first : first + 64]
        ]
        answers = contacts.claim(claims, RULES)
        answered += [(one.campaign_id, one.customer_id, one.at, why) for one, why in zip(claims, answers, strict=True)]
    storage.close()
    return answered


def assert_nobody_gets_too_many(url: str, shop: str) -> None:
    """Four processes run twelve campaigns, each of them twice at once; then every customer's weeks are looked at."""
    storage = RedisShopStorage(url, timeout_ms=30_000)
    log, contacts = storage.event_log(shop), storage.contacts(shop)
    left = Event(event_id="1", event_type="unsubscribe", customer_id="7", occurred_at=NOW)
    log.accept([left], NOW, 10)
    with multiprocessing.get_context("spawn").Pool(N_PROCESSES) as pool:
        answers = [
            one for some in pool.starmap(claim_all, [(url, shop, n) for n in range(N_PROCESSES)]) for one in some
        ]
    customers = [str(n) for n in range(N_CUSTOMERS)]
    kept = dict(zip(customers, contacts.standings(customers), strict=True))
    storage.close()
    granted = defaultdict(set)
    for campaign_id, customer_id, _, why in answers:
        if why is None:
            granted[customer_id].add(campaign_id)
    assert len(answers) == N_PROCESSES * N_CAMPAIGNS * N_CUSTOMERS
    for customer_id, standing in kept.items():
        assert granted[customer_id] == {mail.campaign_id for mail in standing.mails}
        moments = sorted(mail.at for mail in standing.mails)
        assert all(later - first >= WEEK for first, later in zip(moments, moments[2:], strict=False))
    assert kept["7"].mails == ()
    assert Counter(why for *_, why in answers).keys() == {None, "too_often", "unsubscribed"}
    assert min(len(standing.mails) for one, standing in kept.items() if one != "7") >= 2


@pytest.mark.parametrize("server", ["redis_url", "other_redis_url"])
def test_several_processes_claim_at_once(request, server, shop, connect):
    url = request.getfixturevalue(server)
    client = connect(url)
    try:
        assert_nobody_gets_too_many(url, shop)
    finally:
        client.call("DEL", "none", *client.call("KEYS", Keys(shop).current.replace("current", "*")))


@pytest.mark.slow
def test_on_a_cluster(tmp_path, shop):
    with redis_cluster(tmp_path) as cluster:
        assert_nobody_gets_too_many(cluster.url, shop)
