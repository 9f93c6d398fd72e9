import math
from datetime import timedelta

import polars as pl
import pytest

from recommender.publication.profile import Profile
from recommender.publication.profile_blocks import decode_block
from tests.support.worlds import AS_OF, LEDGER_SCHEMA, empty_shop, ledger_of, new_customer, weekly_milk_buyer
from training.analytics.customer_value.customer_profiles import build_profiles
from training.analytics.customer_value.describe import describe_customers
from training.analytics.customer_value.fitted_models import fit_models
from training.analytics.customer_value.order_summary import build_order_days, last_day_before, summarise

LAST_DAY = last_day_before(AS_OF)


def many_customers() -> pl.DataFrame:
    """Thirty customers; number i ordered i % 5 + 1 times, every 10 + i days, the last time i days ago."""
    numbers = [(number, order) for number in range(30) for order in range(number % 5 + 1)]
    return ledger_of((f"c{number:02}", "MILK", 0.5 + number + order * (10 + number)) for number, order in numbers)


def described(ledger: pl.DataFrame) -> dict[str, Profile]:
    blocks = describe_customers(ledger, AS_OF).profiles.encode()
    return {profile.customer_id: profile for _, wire in blocks for profile in decode_block(wire)}


def test_a_weekly_buyer_and_one_who_bought_once():
    people = described(weekly_milk_buyer())
    anna, ben = people["ANNA"], people["BEN"]
    assert (anna.first_day, anna.last_day, anna.orders) == (LAST_DAY - 5 - 133, LAST_DAY - 5, 20)
    assert (anna.spent, anna.average_order_value, anna.average_days_between_orders) == (40, 2, 7)
    assert anna.usual_gap_days == pytest.approx(7)
    assert anna.expected_day == anna.last_day + 7
    assert [anna.lifecycle(LAST_DAY + days) for days in (0, 1, 6, 17)] == ["loyal", "due", "at_risk", "lapsed"]
    assert (ben.orders, ben.last_day, ben.first_day) == (1, LAST_DAY - 40, LAST_DAY - 40)
    assert math.isnan(ben.average_days_between_orders)
    assert ben.usual_gap_days == pytest.approx(7)


def test_too_few_customers_to_learn_from_leave_the_predictions_unknown():
    for profile in described(weekly_milk_buyer()).values():
        for name in ("probability_alive", "churn_probability", "expected_orders_90d", "predicted_clv", "total_clv"):
            assert math.isnan(getattr(profile, name)), name
    document = describe_customers(weekly_milk_buyer(), AS_OF).document
    assert document["models"] == {"bg_nbd": None, "gamma_gamma": None}
    assert "fewer than 10 customers" in document["notes"][0]


def test_where_nobody_came_back_no_gap_is_known():
    once = described(ledger_of([("ANNA", "MILK", 3.5), ("BEN", "MILK", 900.5)]))
    assert [(one.expected_day, one.lifecycle(LAST_DAY)) for one in once.values()] == [(None, "new")] * 2


def test_without_prices_value_is_unknown():
    ledger = many_customers().with_columns(pl.lit(None, pl.Float64).alias("unit_price"))
    for profile in described(ledger).values():
        assert math.isnan(profile.spent)
        assert math.isnan(profile.average_order_value)
        assert math.isnan(profile.predicted_clv)
        assert 0 <= profile.churn_probability <= 1


def test_an_empty_shop_has_no_profiles():
    found = describe_customers(empty_shop(), AS_OF)
    assert (len(found.profiles), found.profiles.n_blocks) == (0, 1)
    assert found.document["bytes_per_customer"] is None


def test_only_what_is_before_as_of_counts():
    ledger, day = many_customers(), timedelta(days=1)
    before = describe_customers(ledger.filter(pl.col("ordered_at") < AS_OF - 20 * day), AS_OF - 20 * day)
    now = describe_customers(ledger, AS_OF - 20 * day)
    assert list(now.profiles.encode()) == list(before.profiles.encode())
    assert now.document == before.document
    assert 0 < len(now.profiles) < 30


def test_all_figures_are_those_of_the_command_as_far_as_their_digits_go():
    ledger = many_customers()
    summary = summarise(build_order_days(ledger), LAST_DAY)
    rows = build_profiles(summary, fit_models(summary), horizon_days=365, discount_rate=0.1).to_dicts()
    people = described(ledger)
    assert len(rows) == len(people) == 30
    for row in rows:
        found = people[row["customer_id"]]
        for name in ("average_order_value", "average_days_between_orders", "usual_gap_days", "predicted_clv"):
            assert getattr(found, name) == pytest.approx(row[name] or math.nan, rel=1e-6, nan_ok=True), name
        for name in ("probability_alive", "churn_probability", "expected_orders_30d", "expected_orders_365d"):
            assert getattr(found, name) == pytest.approx(row[name], rel=1e-3, abs=1e-7), name
        assert f"{found.rfm_recency}{found.rfm_frequency}{found.rfm_monetary}" == row["rfm_score"]
        assert (found.segment, found.lifecycle(LAST_DAY)) == (row["rfm_segment"], row["lifecycle"])
        assert found.total_clv == pytest.approx(row["total_clv"], rel=1e-6)
        assert found.predicted_number_of_orders == pytest.approx(row["predicted_number_of_orders"], rel=1e-3)


def test_the_same_ledger_gives_the_same_bytes():
    one, other = (describe_customers(many_customers(), AS_OF) for _ in range(2))
    assert one.profiles.records.tobytes() == other.profiles.records.tobytes()
    assert one.document == other.document
    assert one.document["bytes_per_customer"] == 46  # an id of 3 bytes, its length, and 41
    assert one.document["models"]["bg_nbd"]["n_customers"] == 30


@pytest.mark.parametrize("world", [new_customer, weekly_milk_buyer])
def test_worlds_of_few_customers_give_no_error(world):
    assert set(described(world())) == set(world()["customer_id"])


def test_amounts_and_dates_out_of_range_are_cut_to_it():
    rows = [("big", "MILK", AS_OF - timedelta(days=days), f"o{days}", 1e9, 1e300) for days in (1, 2)]
    old = ("old", "MILK", AS_OF.replace(year=1950), "o", 1.0, 1.0)
    people = described(pl.DataFrame([*rows, old], schema=LEDGER_SCHEMA, orient="row"))
    assert people["big"].spent == pytest.approx(3.4028235e38)
    assert (people["old"].first_day, people["old"].last_day) == (0, 0)
