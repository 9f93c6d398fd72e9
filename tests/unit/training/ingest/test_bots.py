from datetime import UTC, datetime, timedelta

import polars as pl

from training.ingest.bots import find_suspects

START = datetime(2024, 1, 1, tzinfo=UTC)


def purchases(**days_by_customer):
    """customer → list of days, one order each."""
    lines = [(customer, day) for customer, days in days_by_customer.items() for day in days]
    return pl.DataFrame(
        {
            "customer_id": [customer for customer, _ in lines],
            "order_id": [f"{customer}-{number}" for number, (customer, _) in enumerate(lines)],
            "ordered_at": [START + timedelta(days=day) for _, day in lines],
        }
    )


def people(n, times=3):
    return {f"c{number}": range(times) for number in range(n)}


def test_a_till_with_forty_percent_of_all_purchases_is_found():
    found = find_suspects(purchases(**people(20), till=range(40)))
    assert found["customer_id"].to_list() == ["till"]
    assert found["share"].to_list() == [0.4]
    assert found["orders_per_day"].to_list() == [1.0]


def test_a_bot_that_orders_all_day_is_found_whatever_its_share():
    found = find_suspects(purchases(**people(1000), bot=[number // 20 for number in range(120)]))
    assert found["customer_id"].to_list() == ["bot"]


def test_a_wholesaler_who_buys_most_days_stays():
    assert find_suspects(purchases(**people(1000), wholesaler=[number // 2 for number in range(150)])).is_empty()


def test_a_shop_of_few_customers_has_no_suspects():
    assert find_suspects(purchases(**people(3), regular=range(400))).is_empty()


def test_an_empty_shop_has_none():
    assert find_suspects(purchases(a=[1]).clear()).is_empty()
