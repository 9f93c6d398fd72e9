"""The simulations of tests/benchmarks in small, with fixed seeds: rates stay in the range that so few runs allow."""

from tests.benchmarks import experiment_simulations as simulations


def test_no_change_is_seldom_taken_for_one():
    ranges = simulations.simulate_no_change(30, 800)
    assert len(ranges) == 16
    assert [each for each in ranges if not each.holds] == []


def test_a_look_after_every_customer_is_allowed():
    (found,) = simulations.simulate_every_customer(200, 4_000)
    assert found.holds


def test_a_look_every_day_is_allowed_and_was_not_before():
    *ranges, naive = simulations.simulate_every_day(15, 500)
    assert len(ranges) == 6
    assert [each for each in ranges if not each.holds] == []
    assert naive.rate > 2 * simulations.LEVEL


def test_a_planted_lift_is_found_as_often_as_was_said():
    customers = simulations.plan("orders", cuped=True)
    found, _ = simulations.simulate_lift_of("orders_per_customer", "CUPED", 60, customers)
    assert found.holds
