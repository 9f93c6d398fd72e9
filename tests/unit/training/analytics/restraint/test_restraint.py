"""How many products still add value: on logs small enough to solve by eye, and on simulated ones."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from tests.benchmarks import restraint_simulations as simulations
from training.analytics.restraint.cap_trial import Arm, CapTrial, Step
from training.analytics.restraint.restraint import NOTHING_TO_COMPARE, SHOWN, Restraint, learn_restraint

START = datetime(2026, 9, 1, tzinfo=UTC)
PURCHASES = {"customer_id": pl.String, "product_id": pl.String, "ordered_at": pl.Datetime("ms", "UTC")}
NOBODY = ("LATER", "OTHER", 30.0)
"""Ends the logs, so that every window before is over."""


def impression(customer_id, product_id, rank, day=0.0, placement="home"):
    return {
        "event_type": "impression",
        "customer_id": customer_id,
        "product_id": product_id,
        "rank": rank,
        "occurred_at": START + timedelta(days=day),
        "placement": placement,
        "recommendation_id": f"{customer_id}{day}",
    }


def exposure(customer_id, variant, day=0.0, placement="home", experiment="caps"):
    at = START + timedelta(days=day)
    known = {"event_type": "exposure", "customer_id": customer_id, "occurred_at": at, "placement": placement}
    return {**known, "experiment": experiment, "variant": variant}


def learn(events, *purchases, **arguments):
    shown = pl.DataFrame(events, schema=SHOWN)
    rows = [(who, what, START + timedelta(days=day)) for who, what, day in (*purchases, NOBODY)]
    return learn_restraint(shown, pl.DataFrame(rows, PURCHASES, orient="row"), **arguments)


def trial_of(*steps, first=3):
    """Arms and steps with these (last, low, high)."""
    lengths = [first, *(last for last, _, _ in steps)]
    arms = [Arm(f"show-{length}", length, 100, 1.0, 0.9, 1.1, 0.5) for length in lengths]
    found = [
        Step(before + 1, last, (low + high) / 2, low, high)
        for before, (last, low, high) in zip(lengths, steps, strict=False)
    ]
    return CapTrial("caps", arms, found)


def suggestion(*trials, minimum=0.0):
    return Restraint("home", [], [], trials, minimum)


class TestPositions:
    def test_bought_where_it_stood_beside_bought_by_those_who_never_saw_it(self):
        """A and B see MILK first; A buys it. C and D see TEA first; C buys MILK anyway."""
        (found,) = learn(
            [
                impression("A", "MILK", 1),
                impression("B", "MILK", 1),
                impression("C", "TEA", 1),
                impression("D", "TEA", 1),
            ],
            ("A", "MILK", 2.0),
            ("C", "MILK", 3.0),
        )
        (first,) = found.positions
        assert (first.position, first.pairs, first.customers) == (1, 4, 4)
        assert first.bought == 0.25
        assert first.anyway == pytest.approx(0.25)  # of MILK 1/2, of TEA 0
        assert first.more == pytest.approx(0.0)
        assert first.low < 0 < first.high

    def test_it_counts_once_where_it_was_seen_first_and_only_within_the_days(self):
        events = [
            impression("A", "MILK", 2),
            impression("A", "MILK", 1, day=1),
            impression("A", "TEA", 1),
            impression("B", "EGGS", 1),
        ]
        (found,) = learn(events, ("A", "MILK", 13.9), ("A", "TEA", 14.1), ("B", "EGGS", -1.0))
        assert [(value.position, value.pairs, value.bought) for value in found.positions] == [(1, 2, 0.0), (2, 1, 1.0)]

    def test_what_was_shown_too_late_to_tell_is_not_counted(self):
        early = [impression("B", "TEA", 1), impression("C", "EGGS", 1)]
        (found,) = learn([*early, impression("A", "MILK", 1, day=16.1)], ("A", "MILK", 17.0))
        (first,) = found.positions
        assert (first.pairs, first.customers, first.bought) == (2, 2, 0.0)

    def test_what_everybody_saw_has_nobody_to_be_compared_with(self):
        (found,) = learn([impression("A", "MILK", 1), impression("B", "MILK", 1)], ("A", "MILK", 1.0))
        assert (found.positions, found.cap) == ([], None)
        assert found.advice == NOTHING_TO_COMPARE

    def test_nothing_is_said_of_what_was_shown_too_lately(self):
        (found,) = learn([impression("A", "MILK", 1, day=20), impression("B", "TEA", 1, day=20)], ("A", "MILK", 21.0))
        assert (found.cap, found.advice) == (None, NOTHING_TO_COMPARE)

    def test_the_cap_is_the_last_position_in_a_row_and_only_an_upper_bound(self):
        people = [f"C{number}" for number in range(200)]
        events = [impression(one, f"{rank}-{i % 2}", rank) for i, one in enumerate(people) for rank in (1, 2, 3)]
        buyers = [(one, f"{rank}-{i % 2}", 1.0) for i, one in enumerate(people) for rank in (1, 3) if i % 5 < 2]
        (found,) = learn(events, *buyers)
        assert (found.cap, found.causal) == (1, False)
        assert found.advice.startswith("upper bound, not causal: positions 1 to 1 may add value")

    def test_lengths_of_the_first_answer(self):
        events = [impression("A", "MILK", 1), impression("A", "TEA", 2), impression("A", "EGGS", 1, day=1)]
        (found,) = learn([*events, impression("B", "TEA", 1)], ("A", "SOAP", 1.0), ("A", "SALT", 2.0))
        assert [(one.length, one.customers, one.purchases, one.came_back) for one in found.lengths] == [
            (1, 1, 0.0, 0.0),
            (2, 1, 2.0, 1.0),
        ]

    def test_each_placement_is_on_its_own(self):
        events = [impression("A", "MILK", 1), impression("A", "TEA", 1, placement="cart")]
        assert [one.placement for one in learn(events)] == ["cart", "home"]
        assert [one.placement for one in learn(events, placements=["cart"])] == ["cart"]


class TestTrial:
    def logs(self, **changes):
        """Twenty customers are shown one product, twenty two, twenty none; 10, 15 and 5 of them buy once."""
        events, purchases = [], []
        for variant, length, n_buyers in (("one", 1, 10), ("two", 2, 15), ("holdout", 0, 5)):
            for i in range(20):
                who = f"{variant}-{i:02}"
                events.append(exposure(who, variant, **changes))
                events += [impression(who, f"P{i % 3}{rank}", rank) for rank in range(1, length + 1)]
                purchases += [(who, "SOAP", 1.0)] if i < n_buyers else []
        return events, purchases

    def test_arms_from_the_shortest_and_what_each_step_adds(self):
        events, purchases = self.logs()
        (found,) = learn(events, *purchases)
        (trial,) = found.trials
        assert [(arm.variant, arm.length, arm.customers, arm.purchases) for arm in trial.arms] == [
            ("holdout", 0, 20, 0.25),
            ("one", 1, 20, 0.5),
            ("two", 2, 20, 0.75),
        ]
        assert [(step.first, step.last, step.value) for step in trial.steps] == [(1, 1, 0.25), (2, 2, 0.25)]
        error = ((0.25 * 0.75 + 0.5 * 0.5) / 19) ** 0.5
        assert trial.steps[0].low == pytest.approx(0.25 - 1.959964 * error)

    def test_what_they_bought_before_is_taken_away(self):
        events, purchases = self.logs()
        before = [(who, "SALT", -10.0) for who, _, _ in purchases]  # exactly those who buy again
        (found,) = learn(events, *purchases, *before)
        assert [arm.purchases for arm in found.trials[0].arms] == pytest.approx([0.5, 0.5, 0.5])

    def test_who_is_in_several_variants_or_too_late_is_left_out(self):
        events, purchases = self.logs()
        (found,) = learn([*events, exposure("one-00", "two"), exposure("NEW", "one", day=20)], *purchases)
        assert [arm.customers for arm in found.trials[0].arms] == [20, 19, 20]

    @pytest.mark.parametrize("placement", ["home", "cart"])
    def test_an_experiment_on_something_else_or_in_several_placements_is_no_trial(self, placement):
        events = [impression(one, "MILK", 1) for one in "ABCD"]
        exposed = [exposure("A", "x"), exposure("B", "y"), exposure("C", "x", placement=placement), exposure("D", "y")]
        (found,) = learn(events + exposed)
        assert found.trials == []


class TestSuggestion:
    @pytest.mark.parametrize(
        ("steps", "cap", "said"),
        [
            (
                [(5, 0.1, 0.2), (8, -0.1, 0.1), (12, 0.1, 0.3)],
                5,
                "cap 5: experiment 'caps' shows that the positions up",
            ),
            ([(5, -0.1, 0.2), (8, 0.1, 0.3)], 3, "cap 3, the fewest tried: experiment 'caps' does not show that more"),
            ([(5, 0.1, 0.2), (8, 0.1, 0.2)], 8, "cap 8"),
            ([(5, 0.1, 0.2), (8, -0.2, -0.1)], 5, "positions 6 to 8 lower the total"),
        ],
    )
    def test_steps_are_taken_in_turn_until_one_is_not_shown_to_add_value(self, steps, cap, said):
        found = suggestion(trial_of(*steps))
        assert (found.cap, found.causal) == (cap, True)
        assert said in found.advice

    def test_a_step_has_to_add_more_than_the_minimum(self):
        assert suggestion(trial_of((5, 0.1, 0.2)), minimum=0.1).cap == 3

    def test_a_hold_out_that_buys_as_much_leaves_nothing_to_suggest(self):
        found = suggestion(trial_of((4, -0.1, 0.1), first=0))
        assert found.cap is None
        assert "does not show that any product adds value" in found.advice


class TestNothing:
    def test_no_events(self):
        assert learn([]) == []

    def test_without_a_rank_or_a_customer_there_is_nothing_to_learn(self):
        events = [impression("A", "MILK", None), impression(None, "MILK", 1), exposure("A", "one")]
        assert learn(events) == []

    def test_one_customer_alone_has_no_interval(self):
        (found,) = learn([impression("A", "MILK", 1), impression("B", "TEA", 2)])
        document = found.to_dict()
        assert document["positions"][0]["low"] is None
        assert (document["cap"], document["causal"]) == (None, False)


def test_the_same_logs_give_the_same_figures_whatever_their_order():
    shown, purchases = simulations.make_logs(100, simulations.np.random.default_rng(1))
    first = learn_restraint(shown, purchases)
    again = learn_restraint(shown.sample(fraction=1.0, shuffle=True, seed=2), purchases.reverse())
    assert [one.to_dict() for one in first] == [one.to_dict() for one in again]


def test_a_planted_cap_is_found_and_so_is_the_harm_beyond():
    found = simulations.learn(3, 2_500)
    assert (found.cap, found.causal, found.trials[0].harmful.first) == (5, True, 9)
    assert all(value.low > 0 for value in found.positions)  # what the curve alone would take for useful


@pytest.mark.slow
def test_the_planted_cap_is_found_as_often_as_was_said():
    assert [each for each in simulations.simulate(10, 2_500) if not each.holds] == []
