import numpy as np
import polars as pl
import pytest

from tests.support.worlds import AS_OF, empty_shop, ledger_of, one_off_buyer
from training.analytics.customer_value.holdout import judge_holdout
from training.analytics.customer_value.order_summary import ORDER_DAYS, build_order_days, last_day_before

UNTIL = last_day_before(AS_OF)


def random_shop(n: int = 3000, seed: int = 0) -> pl.DataFrame:
    """Two years of customers who order at random until they stop, as BG/NBD has it."""
    rng = np.random.default_rng(seed)
    rows = []
    for customer in range(n):
        rate, p, value = rng.gamma(0.6, 1 / 60), rng.beta(0.8, 3.0), rng.gamma(4, 10)
        day = UNTIL - float(rng.integers(0, 730))
        while day <= UNTIL:
            rows.append((f"C{customer:05}", int(day), float(value * rng.gamma(5, 0.2))))
            if rng.random() < p:
                break
            day += 1 + rng.exponential(1 / max(rate, 1e-6))
    return pl.DataFrame(rows, schema=ORDER_DAYS, orient="row").unique(["customer_id", "day"]).sort("customer_id", "day")


def test_in_a_world_of_the_model_it_beats_what_is_naive_and_is_calibrated():
    judged = judge_holdout(random_shop(), UNTIL, 90)
    assert judged["from"] == "2026-08-22"
    for name in ("orders", "revenue"):
        rmse = {method: figures["rmse"] for method, figures in judged[name]["methods"].items()}
        assert min(rmse, key=rmse.get) == "reprise", name
    orders = judged["orders"]
    assert orders["methods"]["reprise"]["total"] == pytest.approx(orders["observed"], rel=0.1)
    assert judged["any_order"]["error"] < 0.03
    assert judged["any_order"]["brier"] < judged["any_order"]["brier_of_last_share"]
    assert sum(judged["any_order"]["counts"]) == judged["customers"]
    assert sum(state["customers"] for state in judged["by_lifecycle"]) == judged["customers"]


def test_figures_by_hand():
    # twelve customers every 10 days up to the last day; the cut is 30 days before: three orders each
    regulars = ledger_of([(f"C{n}", "MILK", 0.5 + 10 * i) for n in range(12) for i in range(20)])
    judged = judge_holdout(build_order_days(regulars), UNTIL, 30)
    assert judged["customers"] == 12
    assert judged["orders"]["observed"] == 36
    assert judged["orders"]["methods"]["last_window"] == {"mae": 0, "rmse": 0, "total": 36}
    assert judged["revenue"]["methods"]["shop_mean"] == {"mae": 0, "rmse": 0, "total": 72}
    # the last order known lies on the cut, the next one ten days after
    assert judged["next_order"]["customers"] == 12
    assert judged["next_order"]["methods"]["reprise"]["mae_days"] == pytest.approx(0, abs=1e-9)


def test_nobody_comes_back_in_the_window():
    gone = ledger_of([(f"C{n}", "MILK", 100.5 + 10 * i) for n in range(12) for i in range(5)])
    judged = judge_holdout(build_order_days(gone), UNTIL, 30)
    assert judged["orders"]["observed"] == 0
    assert judged["next_order"]["methods"]["reprise"] == {"mae_days": None, "median_days": None}


def test_without_prices_only_orders_are_judged():
    regulars = ledger_of([(f"C{n}", "MILK", 0.5 + 10 * i) for n in range(12) for i in range(20)])
    judged = judge_holdout(build_order_days(regulars.with_columns(unit_price=pl.lit(None, pl.Float64))), UNTIL, 30)
    assert judged["revenue"] is None
    assert judged["orders"]["observed"] == 36


@pytest.mark.parametrize("world", [empty_shop, one_off_buyer])
def test_too_little_to_judge(world):
    assert judge_holdout(build_order_days(world()), UNTIL, 90) is None
