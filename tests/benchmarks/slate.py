"""Time of one slate: 100 candidates, a dozen shown. Run `python tests/benchmarks/slate.py [--json]`."""

import argparse
import json
import math
from datetime import UTC, datetime
from functools import partial
from time import perf_counter

from recommender.publication.lists import Own
from recommender.publication.product import Product
from recommender.slate.candidates import Candidate
from recommender.slate.placements import Placement, clamp_limit
from recommender.slate.slate import Context, build_slate

AS_OF = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
TODAY = AS_OF.toordinal() - datetime(1970, 1, 1, tzinfo=UTC).toordinal()
HOME = Placement(cap=20, default_limit=12, max_per_category=5, min_probability=0.05)
BUY_AGAIN_PAGE = Placement(cap=50, default_limit=50, fallbacks=())


def make_product(index: int) -> Product:
    """One of 10 categories; every twentieth is out of stock."""
    return Product(f"p{index}", title=f"Product {index}", category=f"c{index % 10}", in_stock=index % 20 != 0)


def make_own(index: int) -> Candidate:
    """A product bought every 7 to 36 days, last 0 to 39 days ago: about a third is bought too recently."""
    own = Own(index, 0.9 - index / 200, TODAY - index * 7 % 40, 1 + index % 6, math.log(7 + index % 30), 0.4, 0.7)
    return Candidate(make_product(index), "buy_again", probability=own.score, own=own)


def make_discover(index: int) -> Candidate:
    """A product that was never bought."""
    return Candidate(make_product(index), "discover", probability=0.5 - index / 400)


def make_cases() -> dict[str, partial[object]]:
    """Name → the slate to time."""
    mixed = [make(i) for i in range(100) for make in ((make_own, make_discover)[i % 2],)]
    cart = frozenset({"p1", "p3"})
    home = Context(clamp_limit(HOME, None), cart=cart)
    due = Context(clamp_limit(BUY_AGAIN_PAGE, None), due_within_days=14)
    nothing = Context(clamp_limit(HOME, None), cart=cart, categories=frozenset({"none of these"}))
    return {
        "home: 100 candidates, 12 shown": partial(build_slate, mixed, HOME, home, AS_OF),
        "discover: 100 candidates, 12 shown": partial(
            build_slate, [make_discover(i) for i in range(100)], HOME, home, AS_OF
        ),
        "all 100 left out": partial(build_slate, mixed, HOME, nothing, AS_OF),
        "buy-again page: 50 own products, due within 14 days": partial(
            build_slate, [make_own(i) for i in range(50)], BUY_AGAIN_PAGE, due, AS_OF
        ),
    }


def time_us(work: partial[object], repeats: int = 7, rounds: int = 500) -> float:
    """Microseconds of one call: the best mean of several rounds, so that other work on the machine counts least."""
    best = math.inf
    for _ in range(repeats):
        start = perf_counter()
        for _ in range(rounds):
            work()
        best = min(best, perf_counter() - start)
    return best / rounds * 1e6


def main() -> None:
    """Print a line per case, or one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON document: case → µs per slate")
    as_json = parser.parse_args().json
    results = {name: round(time_us(work), 1) for name, work in make_cases().items()}
    if as_json:
        print(json.dumps(results, ensure_ascii=False, indent=2))
    else:
        for name, us in results.items():
            print(f"{us:8.1f} µs  {name}")


if __name__ == "__main__":
    main()
