"""How often an experiment cries wolf where nothing was changed, and how often it finds a lift that was planted.

False alarms may be as frequent as their level, and a lift must be found as often as the power calculator said, both
within what 2,000 runs can tell (the 99.9 % range of a binomial). Customers buy at rates of their own (gamma), spend
sums of their own (log-normal), and did both already in the 90 days before the start; they are assigned by the hash.

Run `python tests/benchmarks/experiment_simulations.py [--runs 2000] [--json]`: some minutes on one core. Exit code 1 if
a rate is out of its range.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.stats import binom

from recommender.experiments.experiment import Experiment, assign, shares
from training.analytics.experiments.effects import LEVEL, POWER, Effect, compare
from training.analytics.experiments.estimates import adjust_by_past, estimate_mean
from training.analytics.experiments.power import customers_needed
from training.analytics.experiments.sample_ratio import ALARM, check_sample_ratio
from training.analytics.experiments.sequential import always_valid_radius
from training.analytics.experiments.variant_figures import FIGURES, Figure, build_figures

Floats = NDArray[np.float64]
BEFORE_DAYS, DAYS = 90, 60
ORDERS = 1.5
"""Mean orders per customer in DAYS; as gamma-distributed rates of shape 1: 40 % of the customers buy nothing."""
LIFT = 0.05
NAMES = ("control", "treated")
NAIVE = "for contrast, a look each day at the one-look interval: orders"
SURE = 0.999
"""Chance that a right rate is in its range."""


class Range(NamedTuple):
    """How often something happened in the simulation, and how often it should."""

    name: str
    rate: float
    low: float
    high: float

    @property
    def holds(self) -> bool:
        """Whether the rate is in the range."""
        return self.low <= self.rate <= self.high


def at_most(name: str, happened: int, runs: int, level: float = LEVEL) -> Range:
    """A false alarm: it may be rarer than its level."""
    return Range(name, happened / runs, 0.0, float(binom.ppf(SURE, runs, level)) / runs)


def about(name: str, happened: int, runs: int, share: float = POWER) -> Range:
    """A lift found: as often as was said."""
    low, high = binom.interval(SURE, runs, share)
    return Range(name, happened / runs, float(low) / runs, float(high) / runs)


class People(NamedTuple):
    """(n,) orders per day and mean revenue of an order, of each customer."""

    rate: Floats
    basket: Floats


def draw_people(n: int, rng: Generator) -> People:
    """New customers."""
    return People(rng.gamma(1.0, ORDERS / DAYS, n), rng.lognormal(3.0, 0.6, n))


def shop_for(people: People, days: float, rng: Generator, lift: float = 0.0) -> dict[str, Floats]:
    """What they buy in `days`: each figure (n,)."""
    orders = rng.poisson(people.rate * days * (1 + lift)).astype(np.float64)
    return measures_of(orders, rng.gamma(2 * orders, people.basket / 2))


def measures_of(orders: Floats, revenue: Floats) -> dict[str, Floats]:
    """All of them bought before, so every order is a repeated one."""
    return {"repeated": (orders > 0).astype(np.float64), "orders": orders, "revenue": revenue}


def frame_of(variants: list[str], during: Mapping[str, Floats], before: Mapping[str, Floats]) -> pl.DataFrame:
    """The table that the report is made of."""
    columns = {**during, **{f"{name}_before": values for name, values in before.items()}}
    return pl.DataFrame({"variant": variants, **columns})


# Nothing was changed ------------------------------------------------------------------------------------------------


def simulate_no_change(runs: int, n: int) -> list[Range]:
    """Two, and four, variants that are all the same; one look at the end."""
    alarms: Counter[str] = Counter()
    for run in range(runs):
        alarms.update(_no_change(run, n))
    levels = {name: ALARM if "warning" in name else LEVEL for name in sorted(alarms)}
    return [at_most(name, alarms[name], runs, level) for name, level in levels.items()]


def _no_change(run: int, n: int) -> dict[str, int]:
    rng = np.random.default_rng([1, run])
    people = draw_people(n, rng)
    before, during = shop_for(people, BEFORE_DAYS, rng), shop_for(people, DAYS, rng)
    two = Experiment(name=f"two-{run}", variants=dict.fromkeys(NAMES, 1.0))
    four = Experiment(name=f"four-{run}", variants={"control": 2, "a": 1, "b": 1, "c": 1})
    assigned = {each.name: [assign(each, f"C{i:06}") for i in range(n)] for each in (two, four)}
    figures = build_figures(frame_of(assigned[two.name], during, before), "control", LIFT)
    several = build_figures(frame_of(assigned[four.name], during, before), "control", LIFT)
    ratio = check_sample_ratio(Counter(assigned[four.name]), shares(four))
    return {
        **_alarms("no change", figures),
        **_alarms("no change, any of three variants (Holm)", several),
        "no change: sample ratio, p < .05": int(ratio.p < LEVEL),
        "no change: sample ratio, warning": int(ratio.mismatch),
    }


def _alarms(title: str, figures: Mapping[str, Figure]) -> dict[str, int]:
    return {
        f"{title}: {name}, {method}": int(min(test.p_holm for test in tests.values()) < LEVEL)
        for name, figure in figures.items()
        for method, tests in (("plain", figure.plain), ("CUPED", figure.cuped))
        if tests
    }


# Looking all the time -----------------------------------------------------------------------------------------------


def simulate_every_customer(runs: int, n: int, first: int = 200) -> list[Range]:
    """Customers arrive one by one; a look after each, from the `first` on."""
    alarms = sum(_every_customer(np.random.default_rng([2, run]), n, first) for run in range(runs))
    return [at_most(f"always valid, a look after each of {n:,} customers: orders", alarms, runs)]


def _every_customer(rng: Generator, n: int, first: int) -> int:
    orders = shop_for(draw_people(n, rng), DAYS, rng)["orders"]
    treated = rng.random(n) < 0.5
    means, variances = zip(*(_running(orders, inside) for inside in (treated, ~treated)), strict=True)
    looks = slice(first, None)
    error = np.sqrt(variances[0] + variances[1])[looks]
    difference = (means[0] - means[1])[looks]
    return int((abs(difference) > always_valid_radius(error, LIFT * means[1][looks], LEVEL)).any())


def _running(values: Floats, inside: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """(n,) mean, and variance of the mean, of the values inside so far."""
    count = np.maximum(np.cumsum(inside), 2)
    mean = np.cumsum(values * inside) / count
    return mean, (np.cumsum(values**2 * inside) / count - mean**2) / (count - 1)


def simulate_every_day(runs: int, n: int) -> list[Range]:
    """A look on each of DAYS days at the same customers, whose purchases add up."""
    alarms: Counter[str] = Counter()
    for run in range(runs):
        rng = np.random.default_rng([3, run])
        people = draw_people(n, rng)
        alarms.update(_every_day("", people, _daily(people, rng), rng))
        alike = People(np.full(n, ORDERS / DAYS), people.basket)
        alarms.update(_every_day(" of customers alike with regular gaps", alike, _regular_daily(alike, rng), rng))
    naive = Range(NAIVE, alarms.pop(NAIVE) / runs, 0.0, 1.0)
    return [*(at_most(name, alarms[name], runs) for name in sorted(alarms)), naive]


def _names(who: str) -> dict[str, str]:
    return {
        f"always valid, a look on each of {DAYS} days: orders{who}, plain": "orders",
        f"always valid, a look on each of {DAYS} days: orders{who}, CUPED": "adjusted",
        f"always valid, a look on each of {DAYS} days: revenue{who}, plain": "revenue",
    }


def _daily(people: People, rng: Generator) -> Floats:
    """(DAYS, n) orders so far."""
    return np.cumsum(rng.poisson(people.rate, (DAYS, len(people.rate))), axis=0).astype(np.float64)


def _regular_daily(people: People, rng: Generator) -> Floats:
    """(DAYS, n) orders so far with gaps of half the spread (Erlang 4): who just bought will not buy soon."""
    quarters = np.cumsum(rng.poisson(4 * people.rate, (DAYS, len(people.rate))), axis=0)
    return (quarters + rng.integers(4, size=len(people.rate))) // 4.0


def _every_day(who: str, people: People, orders: Floats, rng: Generator) -> dict[str, int]:
    before = shop_for(people, BEFORE_DAYS, rng)["orders"]
    variant = rng.permutation(np.arange(len(before)) % 2)
    spent = rng.gamma(2 * np.diff(orders, axis=0, prepend=0), people.basket / 2).cumsum(axis=0)
    found: Counter[str] = Counter()
    for day in range(DAYS):
        adjusted = adjust_by_past(orders[day], before, variant)
        values = {"orders": orders[day], "adjusted": adjusted, "revenue": spent[day]}
        for name, column in _names(who).items():
            effect = _effect(values[column], variant)
            found[name] |= int(not effect.always_low <= 0 <= effect.always_high)
            if not who and column == "orders":
                found[NAIVE] |= int(effect.p < LEVEL)
    return found


def _effect(values: Floats, variant: NDArray[np.int64]) -> Effect:
    return compare(estimate_mean(values[variant == 1]), estimate_mean(values[variant == 0]), hoped_lift=LIFT)


# A lift was planted -------------------------------------------------------------------------------------------------


def simulate_lift(runs: int) -> list[Range]:
    """As many customers as the power calculator asks for, and 5 % more of each figure in one variant."""
    ranges = []
    for figure, measure in FIGURES.items():
        for method in ("plain", "CUPED"):
            n = plan(measure, cuped=method == "CUPED")
            ranges += simulate_lift_of(figure, method, runs, n)
    return ranges


def plan(measure: str, *, cuped: bool) -> int:
    """Customers per variant, from a million customers of the time before any experiment."""
    rng = np.random.default_rng(4)
    people = draw_people(1_000_000, rng)
    before, during = shop_for(people, BEFORE_DAYS, rng)[measure], shop_for(people, DAYS, rng)[measure]
    correlation = float(np.corrcoef(before, during)[0, 1]) if cuped else 0.0
    sd = None if measure == "repeated" else float(during.std())
    return customers_needed(float(during.mean()), LIFT, sd=sd, correlation=correlation)


def _more_orders(people: People, rng: Generator) -> dict[str, Floats]:
    return shop_for(people, DAYS, rng, lift=LIFT)


def _more_buyers(people: People, rng: Generator) -> dict[str, Floats]:
    """As many of those who would have bought nothing buy once that 5 % more customers buy."""
    orders = shop_for(people, DAYS, rng)["orders"]
    buyers = ORDERS / (1 + ORDERS)
    won = (orders == 0) & (rng.random(len(orders)) < LIFT * buyers / (1 - buyers))
    return measures_of(orders + won, rng.gamma(2 * (orders + won), people.basket / 2))


def simulate_lift_of(figure: str, method: str, runs: int, n: int) -> tuple[Range, Range]:
    """How often `n` customers in each variant find it: in one look, and with the always-valid interval at the end."""
    treat, found, always = _more_buyers if FIGURES[figure] == "repeated" else _more_orders, 0, 0
    for run in range(runs):
        rng = np.random.default_rng([5, run])
        control, treated = draw_people(n, rng), draw_people(n, rng)
        before = [shop_for(each, BEFORE_DAYS, rng) for each in (control, treated)]
        during = [shop_for(control, DAYS, rng), treat(treated, rng)]
        variants = [name for name in NAMES for _ in range(n)]
        result = build_figures(frame_of(variants, _join(during), _join(before)), "control", LIFT)[figure]
        effect = (result.cuped if method == "CUPED" else result.plain)["treated"].effect
        found += effect.low > 0
        always += effect.always_low > 0
    title = f"{LIFT:.0%} lift, {2 * n:,} customers: {figure}, {method}"
    return about(title, found, runs), Range(f"{title}, always-valid at the end", always / runs, 0.0, 1.0)


def _join(parts: list[dict[str, Floats]]) -> dict[str, Floats]:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def main() -> None:
    """Print a line per rate, or one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=2000, help="of each simulation (default 2000)")
    parser.add_argument("--json", action="store_true", help="one JSON document: runs, and name → rate and its range")
    arguments = parser.parse_args()
    runs = arguments.runs
    ranges = [
        *simulate_no_change(runs, 4_000),
        *simulate_every_customer(runs, 10_000),
        *simulate_every_day(runs, 2_000),
        *simulate_lift(runs),
    ]
    if arguments.json:
        rates = {each.name: {"rate": each.rate, "low": each.low, "high": each.high} for each in ranges}
        print(json.dumps({"runs": runs, "rates": rates}, ensure_ascii=False, indent=2))
    else:
        for each in ranges:
            told = "" if each.holds else "   OUT OF ITS RANGE"
            print(f"{each.rate:7.2%}  [{each.low:6.2%}, {each.high:6.2%}]  {each.name}{told}")
    sys.exit(0 if all(each.holds for each in ranges) else 1)


if __name__ == "__main__":
    main()
