"""What came of placements, counted from events."""

from datetime import timedelta

import polars as pl
import pytest

from tests.support.event_files import NOW, archive, event
from training.analytics.results.placements import count_placements

DAY = timedelta(days=1)
numbers = iter(range(10_000))


def happened(event_type, days_ago, product_id="MILK", customer_id="ANNA", **fields):
    moment = {"occurred_at": NOW - days_ago * DAY, "event_type": event_type}
    return event(f"e{next(numbers)}", customer_id, product_id, **moment, **fields)


def shown(days_ago, product_id="MILK", rank=1, answer="r1", placement="home", **fields):
    return happened(
        "impression", days_ago, product_id, rank=rank, recommendation_id=answer, placement=placement, **fields
    )


@pytest.fixture
def count(tmp_path):
    def count(*events, within_days=7):
        return count_placements(archive(tmp_path, *events).read(), within_days).to_dicts()

    return count


def test_a_chain_from_seen_to_bought_is_one_of_each(count):
    rest = {"recommendation_id": "r1", "placement": "home"}
    [row] = count(
        shown(3, rank=2),
        shown(2.9, rank=2),
        happened("click", 2.8, rank=2, **rest),
        happened("add_to_cart", 2.7, recommendation_id="r1"),
        happened("purchase", 2, recommendation_id="r1", quantity=2, unit_price=1.5, currency="EUR"),
        happened("purchase", 1, "BREAD", unit_price=9),
    )
    assert row == {
        "placement": "home",
        "ranks": "1-3",
        "seen": 1,
        "clicked": 1,
        "carted": 1,
        "bought": 1,
        "units": 2,
        "money": [{"currency": "EUR", "amount": 3.0}],
    }


def test_a_purchase_that_names_no_answer_belongs_to_the_last_click(count):
    rest = {"placement": "home", "rank": 1}
    rows = count(
        happened("click", 5, recommendation_id="r1", **rest),
        happened("click", 4, recommendation_id="r2", placement="cart", rank=1),
        happened("purchase", 3, unit_price=2),
    )
    assert [(row["placement"], row["bought"], row["money"]) for row in rows] == [
        ("cart", 1, [{"currency": None, "amount": 2.0}]),
        ("home", 0, None),
    ]


@pytest.mark.parametrize(
    ("purchase", "counts"),
    [
        ({"days_ago": 2}, True),
        ({"days_ago": 11}, False),  # before the click
        ({"days_ago": 2.99, "customer_id": "BEN"}, False),
        ({"days_ago": 2.99, "product_id": "BREAD"}, False),
        ({"days_ago": 0.5}, False),  # too late
        ({"days_ago": 0.5, "recommendation_id": "r1"}, False),
        ({"days_ago": 2, "recommendation_id": "r1", "customer_id": "BEN"}, True),  # the shop says so itself
    ],
)
def test_a_purchase_belongs_to_what_it_followed_in_time(count, purchase, counts):
    clicked = happened("click", 10, recommendation_id="r1", placement="home", rank=1)
    [row] = count(clicked, happened("purchase", **purchase), within_days=9)
    assert row["bought"] == counts


def test_what_was_only_seen_brings_no_purchase_unless_the_shop_names_the_answer(count):
    assert count(shown(3), happened("purchase", 2))[0]["bought"] == 0
    assert count(shown(3), happened("purchase", 2, recommendation_id="r1"))[0]["bought"] == 1


def test_ranks_stand_in_bands_and_money_by_currency(count):
    ranks = [1, 3, 4, 6, 7, 12, 13, None]
    rows = count(
        *(shown(3, f"P{rank}", rank=rank, answer=f"r{rank}") for rank in ranks),
        shown(3, "MILK", answer="other", placement=None),
        *(
            happened("purchase", 2, f"P{rank}", recommendation_id=f"r{rank}", unit_price=1.1, currency=currency)
            for rank, currency in ((1, "EUR"), (3, "CHF"), (3, "EUR"))
        ),
    )
    assert [(row["placement"], row["ranks"], row["seen"]) for row in rows] == [
        ("home", "1-3", 2),
        ("home", "4-6", 2),
        ("home", "7-12", 2),
        ("home", "13 on", 1),
        ("home", "unknown", 1),
        (None, "1-3", 1),
    ]
    assert rows[0]["money"] == [{"currency": "CHF", "amount": 1.1}, {"currency": "EUR", "amount": 2.2}]
    assert (rows[0]["bought"], rows[0]["units"]) == (2, 3)


def test_a_visitor_who_logs_in_to_buy_is_found_by_the_answer(count):
    events = [
        shown(3, customer_id=None, session_id="s1"),
        happened("click", 2.9, customer_id=None, session_id="s1", recommendation_id="r1", placement="home", rank=1),
        happened("purchase", 2.8, recommendation_id="r1"),
    ]
    assert [(row["seen"], row["clicked"], row["bought"]) for row in count(*events)] == [(1, 1, 1)]


def test_no_events_no_results(count):
    assert count(happened("view", 1)) == []
    assert count(happened("impression", 1)) == [], "without an answer's id nobody knows where it stood"


def test_the_same_events_in_any_order_give_the_same(tmp_path):
    events = [shown(3, f"P{n}", answer=f"r{n}") for n in range(40)]
    events += [
        happened("purchase", 2, f"P{n}", recommendation_id=f"r{n}", unit_price=n / 7, currency="EUR") for n in range(40)
    ]
    frame = archive(tmp_path, *events).read()
    first = count_placements(frame, 7)
    for seed in range(5):
        assert count_placements(frame.sample(fraction=1, shuffle=True, seed=seed), 7).equals(first)
    assert isinstance(first["money"].dtype, pl.List)
