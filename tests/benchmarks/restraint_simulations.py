"""How often the suggested cap is the planted one, and how often it is too high, on made-up logs of a cap experiment.

Positions 1 to 5 add purchases, 6 to 8 add nothing, from 9 on each one drives purchases away; four variants show 3, 5, 8
and 12 products. Better products stand higher, so the curve by position overstates; and where nothing shown adds
anything at all, the trial must not say otherwise. Customers buy at rates of their own (gamma), before and after.

Run `python tests/benchmarks/restraint_simulations.py [--runs 200] [--json]`: some minutes on one core. Exit code 1 if a
rate is out of its range.
"""

import argparse
import json
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.stats import norm

from tests.benchmarks.experiment_simulations import Range, about, at_most
from training.analytics.experiments.effects import LEVEL
from training.analytics.restraint.cap_trial import BEFORE_DAYS
from training.analytics.restraint.restraint import SHOWN, Restraint, learn_restraint

Floats = NDArray[np.float64]
LENGTHS = (3, 5, 8, 12)
BEST = 5
DAYS = 14
START = datetime(2026, 9, 1, tzinfo=UTC)
RATE = 0.5
"""Mean purchases of a customer in DAYS without any recommendation; gamma-distributed of shape 2."""
USEFUL, USELESS, HARMFUL = 0.06, 0.0, -0.03
"""Purchases per customer in DAYS that a position adds: up to BEST, up to 8, and from there on."""
WANTED = (0.12, 0.10, 0.09, 0.08, 0.07, 0.06, 0.05, 0.04, 0.03, 0.03, 0.02, 0.02)
"""How often the product that stands at each position is bought anyway: better ones stand higher."""
N_PRODUCTS = 400
MANY = 10_000
"""Customers in each variant whose standard errors tell those of fewer."""


def value_of(length: int) -> float:
    """Purchases per customer that so many products add."""
    added = [USEFUL if position <= BEST else USELESS if position <= 8 else HARMFUL for position in range(1, length + 1)]
    return sum(added)


def make_logs(n: int, rng: Generator, *, planted: bool = True) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Exposures and impressions, and purchases, of `n` customers in each variant."""
    lengths = np.repeat(LENGTHS, n)
    customers = np.array([f"C{number:06}" for number in range(len(lengths))])
    products = rng.integers(N_PRODUCTS, size=(len(customers), 12)) // 12 * 12 + np.arange(12)  # no product twice
    shown = pl.concat([_exposures(customers, lengths), _impressions(customers, lengths, products)], how="diagonal")
    return shown, _purchases(customers, lengths, products, rng, planted=planted)


def _exposures(customers: NDArray[np.str_], lengths: NDArray[np.int64]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "event_type": "exposure",
            "customer_id": customers,
            "product_id": None,
            "occurred_at": START,
            "placement": "home",
            "recommendation_id": customers,
            "rank": None,
            "experiment": "caps",
            "variant": [f"show-{length}" for length in lengths],
        },
        schema=SHOWN,
    )


def _impressions(customers: NDArray[np.str_], lengths: NDArray[np.int64], products: NDArray[np.int64]) -> pl.DataFrame:
    rows, columns = np.nonzero(np.arange(12) < lengths[:, None])
    return pl.DataFrame(
        {
            "event_type": "impression",
            "customer_id": customers[rows],
            "product_id": [f"P{product}" for product in products[rows, columns]],
            "occurred_at": START,
            "placement": "home",
            "recommendation_id": customers[rows],
            "rank": columns + 1,
            "experiment": None,
            "variant": None,
        },
        schema=SHOWN,
    )


def _purchases(
    customers: NDArray[np.str_],
    lengths: NDArray[np.int64],
    products: NDArray[np.int64],
    rng: Generator,
    *,
    planted: bool,
) -> pl.DataFrame:
    """What they wanted of the twelve anyway, what they buy besides, and what the answer adds or drives away."""
    rates = rng.gamma(2.0, 0.5, len(customers))
    wanted = rng.random((len(customers), 12)) < np.minimum(1.0, np.array(WANTED) * rates[:, None])
    who, where = np.nonzero(wanted)
    added = np.array([value_of(length) for length in LENGTHS])[np.searchsorted(LENGTHS, lengths)] * planted
    during = rng.poisson(rates * (RATE + added))
    before = rng.poisson(rates * RATE * BEFORE_DAYS / DAYS)
    people, days, bought = (
        np.concatenate(parts)
        for parts in (
            (customers[who], np.repeat(customers, during), np.repeat(customers, before)),
            (_days(len(who), rng), _days(int(during.sum()), rng), -BEFORE_DAYS / DAYS * _days(int(before.sum()), rng)),
            (products[who, where], *(rng.integers(N_PRODUCTS, size=int(many.sum())) for many in (during, before))),
        )
    )
    end = pl.DataFrame({"customer_id": "LATER", "product_id": "P0", "ordered_at": START + timedelta(days=DAYS)})
    moments = pl.Series(days * 86_400e6).cast(pl.Duration("us")) + START
    made = pl.DataFrame({"customer_id": people, "product_id": bought, "ordered_at": moments})
    return pl.concat(
        [made.with_columns(pl.format("P{}", "product_id").alias("product_id")), end], how="vertical_relaxed"
    )


def _days(n: int, rng: Generator) -> Floats:
    return rng.uniform(0, DAYS, n)


def learn(run: int, n: int, *, planted: bool = True) -> Restraint:
    """What one simulation teaches."""
    shown, purchases = make_logs(n, np.random.default_rng([7, run]), planted=planted)
    (found,) = learn_restraint(shown, purchases, within_days=DAYS)
    return found


def certainty(n: int) -> float:
    """How often the planted cap should be suggested: positions 4 and 5 are found, and 6 to 8 are not.

    By the normal distribution, with the standard errors of a large simulation.
    """
    shown, purchases = make_logs(MANY, np.random.default_rng(8))
    (large,) = learn_restraint(shown, purchases, within_days=DAYS)
    step, z = large.trials[0].steps[0], float(norm.ppf(1 - LEVEL / 2))
    error = (step.high - step.low) / (2 * z) * np.sqrt(MANY / n)
    return float(norm.sf(z - USEFUL / error) * (1 - LEVEL / 2))


def simulate(runs: int, n: int) -> list[Range]:
    """The rates, with `n` customers in each variant."""
    found: Counter[str] = Counter()
    for run in range(runs):
        planted, nothing = learn(run, n), learn(run, n, planted=False)
        found["cap"] += planted.cap == BEST
        found["over"] += (planted.cap or 0) > BEST
        found["harm"] += planted.trials[0].harmful is not None
        found["alarm"] += nothing.cap != LENGTHS[0]
        found["curve"] += sum(value.low > 0 for value in planted.positions) > BEST
    title = f"{4 * n:,} customers, {runs} runs: "
    return [
        about(f"{title}the planted cap of {BEST} is suggested", found["cap"], runs, certainty(n)),
        at_most(f"{title}a higher cap is suggested", found["over"], runs, LEVEL / 2),
        at_most(
            f"{title}nothing adds anything, and more than the fewest are suggested", found["alarm"], runs, LEVEL / 2
        ),
        Range(f"{title}it is said that the last positions lower the total", found["harm"] / runs, 0.5, 1.0),
        Range(
            f"{title}for contrast, the curve alone takes more than {BEST} for useful", found["curve"] / runs, 0.0, 1.0
        ),
    ]


def main() -> None:
    """Print a line per rate, or one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200, help="of the simulation (default 200)")
    parser.add_argument("--customers", type=int, default=2_500, help="in each variant (default 2500)")
    parser.add_argument("--json", action="store_true", help="one JSON document: runs, and name → rate and its range")
    arguments = parser.parse_args()
    ranges = simulate(arguments.runs, arguments.customers)
    if arguments.json:
        rates = {each.name: {"rate": each.rate, "low": each.low, "high": each.high} for each in ranges}
        print(json.dumps({"runs": arguments.runs, "rates": rates}, ensure_ascii=False, indent=2))
    else:
        for each in ranges:
            told = "" if each.holds else "   OUT OF ITS RANGE"
            print(f"{each.rate:7.2%}  [{each.low:6.2%}, {each.high:6.2%}]  {each.name}{told}")
    sys.exit(0 if all(each.holds for each in ranges) else 1)


if __name__ == "__main__":
    main()
