import pytest

from tests.support.worlds import AS_OF, empty_shop, ledger_of, one_off_buyer
from training.analytics.customer_value.customer_profiles import build_profiles
from training.analytics.customer_value.fitted_models import fit_models
from training.analytics.customer_value.kpis import by_group, by_month, churn_rate, shop_kpis
from training.analytics.customer_value.order_summary import build_order_days, last_day_before, summarise

UNTIL = last_day_before(AS_OF)


def figures_of(ledger):
    order_days = build_order_days(ledger)
    summary = summarise(order_days, UNTIL)
    return order_days, build_profiles(summary, fit_models(summary), horizon_days=365, discount_rate=0.1)


FOUR = ledger_of(
    [
        *(("ANNA", "MILK", days) for days in (0.5, 40.5, 80.5)),
        ("BEN", "MILK", 45.5),
        ("CLEO", "MILK", 35.5),
        ("DORA", "MILK", 5.5),
    ]
)


def test_the_shop():
    kpis = shop_kpis(*figures_of(FOUR), UNTIL, 30)
    assert (kpis["customers"], kpis["orders"], kpis["revenue"]) == (4, 6, 12.0)
    assert (kpis["repeat_purchase_rate"], kpis["orders_per_customer"], kpis["average_order_value"]) == (0.25, 1.5, 2.0)
    assert (kpis["active_customers"], kpis["median_days_between_orders"]) == (2, 40.0)
    # 30 to 59 days ago ANNA, BEN and CLEO ordered; since then only ANNA did
    assert kpis["churn_rate"] == pytest.approx(2 / 3)


def test_the_window_of_churn_ends_with_its_day():
    order_days = build_order_days(ledger_of([("ANNA", "MILK", 10.5), ("ANNA", "MILK", 0.5), ("BEN", "MILK", 19.5)]))
    assert churn_rate(order_days, UNTIL, 10) == 0.5
    assert churn_rate(order_days, UNTIL - 1, 10) == 1
    assert churn_rate(order_days, UNTIL, 9) == 0
    assert churn_rate(order_days, UNTIL, 20) is None


def test_months_follow_each_other_also_without_orders():
    months = by_month(build_order_days(ledger_of([("ANNA", "MILK", 100.5), ("ANNA", "MILK", 0.5)])), UNTIL, 30)
    assert [month["month"] for month in months] == ["2026-08", "2026-09", "2026-10", "2026-11"]
    assert [month["orders"] for month in months] == [1, 0, 0, 1]
    assert [month["new_customers"] for month in months] == [1, 0, 0, 0]
    assert [month["repeat_order_share"] for month in months] == [0, None, None, 1]
    assert [month["whole"] for month in months] == [True, True, True, False]
    assert [month["churn_rate"] for month in months] == [None, None, None, None]


def test_churn_by_month_needs_two_windows():
    orders = [("ANNA", "MILK", 100.5), ("BEN", "MILK", 70.5), ("BEN", "MILK", 60.5), ("CLEO", "MILK", 75.5)]
    months = by_month(build_order_days(ledger_of(orders)), UNTIL, 20)
    # 2026-08-11, BEN 09-10 and 09-20, CLEO 09-05: of who ordered from 08-22 to 09-10, only BEN did so up to 09-30
    assert [month["churn_rate"] for month in months] == [None, 0.5, None, None]


def test_groups_share_out_customers_and_money():
    groups = by_group(figures_of(FOUR)[1], "lifecycle")
    assert sum(group["customers"] for group in groups) == 4
    assert sum(group["revenue_share"] for group in groups) == pytest.approx(1)
    assert groups[0]["predicted_clv"] is None


@pytest.mark.parametrize(("world", "months"), [(empty_shop, 0), (one_off_buyer, 7)])
def test_degenerate_shops(world, months):
    order_days, profiles = figures_of(world())
    kpis = shop_kpis(order_days, profiles, UNTIL, 90)
    assert kpis["customers"] == len(profiles) == len(by_group(profiles, "rfm_segment"))
    assert kpis["churn_rate"] is None
    assert kpis["predicted_clv"] is None
    assert len(by_month(order_days, UNTIL, 90)) == months
