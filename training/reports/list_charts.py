"""Charts of a version's lists: coverage, rhythms of products, and examples of due products."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import NormalDist

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from recommender.publication.lists import LIST_NAMES, Basis, ListTable, Own
from recommender.publication.manifest import Publication
from recommender.publication.product import Product
from recommender.slate.candidates import Candidate
from recommender.slate.due import Due
from recommender.slate.placements import Placement, clamp_limit
from recommender.slate.slate import Context, Item, build_slate
from recommender.words.language import get_language
from training.evaluation import offline_metrics
from training.reports.charts import Axis, Bar, Chart, Series, Table, axis, bar_chart, percent, plot

_SHOWN_PRODUCTS = 6
_SHOWN_CUSTOMERS = 5
_FEWEST_REBUYERS = 5
"""Customers whose rhythms make a product's curve."""
_CURVE_POINTS = 90
_MOST = 0.9
"""A curve ends where nine in ten customers have bought nine times in ten."""
_DUE_EXAMPLES = Placement(cap=4, default_limit=4, min_probability=0.05, mix="buy_again", fallbacks=())
_Z_MOST = NormalDist().inv_cdf(_MOST)
_SQRT_2_PI = math.sqrt(2 * math.pi)
_LANGUAGE = get_language("en")
"""Of reports, all of which are English."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class DueExample:
    """The due products of one customer, who is not named."""

    heading: str
    lines: list[tuple[str, str, Markup]]
    """Title, the reason as an answer gives it, and the facts behind it."""


def coverage_table(publication: Publication) -> Table:
    """The table of lists by name: their number, length and coverage."""
    columns = ("list", "lists", "empty", "median length", "products on any", "learned", "filled from category or shop")
    return Table(columns, [_coverage_row(name, publication) for name in LIST_NAMES if name in publication.tables])


def coverage_chart(publication: Publication) -> Chart:
    """The chart of catalogue coverage by name of the lists."""
    shares = {name: _product_share(publication.tables[name], publication) for name in LIST_NAMES}
    bars = [Bar(name.replace("_", " "), 100 * share, percent(share), strong=True) for name, share in shares.items()]
    heading = "Products that stand on any list"
    return Chart(heading, bar_chart(heading, "% of all products", bars))


def rhythm_charts(publication: Publication) -> list[Chart]:
    """Charts of the gaps between purchases of the products bought again most, of different categories where there are.

    A curve is the mean of the log-normal gaps of the customers who bought the product at least twice, as published:
    the gap of one of them drawn by lot.
    """
    records = publication.tables["buy_again"].records
    rebought = records[records["purchases"] > 1]
    return [
        _rhythm_chart(publication.products[product], rebought[rebought["product_index"] == product])
        for product in _well_known(rebought, publication.products)
    ]


def due_examples(publication: Publication) -> list[DueExample]:
    """Due products at `as_of` of a few customers, from the most to the least frequent buyers, as the service answers.

    Their ids are left out: a report is passed on.
    """
    return [_example(position, publication) for position in _customers(publication.tables["buy_again"])]


def _coverage_row(name: str, publication: Publication) -> tuple[str, ...]:
    table = publication.tables[name]  # type: ignore[index]
    lengths = np.diff(table.starts)
    learned = float((table.basis == Basis.MODEL).mean()) if len(table) else math.nan
    return (
        name.replace("_", " "),
        f"{len(table):,}",
        f"{int((lengths == 0).sum()):,}",
        f"{np.median(lengths):.0f}" if len(table) else "-",
        percent(_product_share(table, publication)),
        percent(learned),
        percent(1 - learned),
    )


def _product_share(table: ListTable, publication: Publication) -> float:
    return offline_metrics.coverage(table.records["product_index"], len(publication.products))


def _well_known(rebought: NDArray[np.void], products: Sequence[Product]) -> list[int]:
    """Products by falling number of repeat purchases, one of each category first."""
    index = rebought["product_index"].astype(np.int64)
    repeats = np.bincount(index, weights=rebought["purchases"].astype(np.float64) - 1, minlength=len(products))
    ranked = np.argsort(-repeats, kind="stable")
    known = ranked[np.bincount(index, minlength=len(products))[ranked] >= _FEWEST_REBUYERS].tolist()
    leaders: dict[str | int, int] = {}
    for product in known:
        # a product without a category is one of its own
        leaders.setdefault(products[product].category or product, product)
    others = [product for product in known if product not in leaders.values()]
    return [*leaders.values(), *others][:_SHOWN_PRODUCTS]


def _rhythm_chart(product: Product, rebought: NDArray[np.void]) -> Chart:
    middle, sd = rebought["log_gap"].astype(np.float64), np.maximum(rebought["log_gap_sd"].astype(np.float64), 0.05)
    high = float(np.quantile(np.exp(middle + _Z_MOST * sd), _MOST))
    days = np.linspace(0, high, _CURVE_POINTS + 1)[1:]
    density = _mean_density(days, middle, sd)
    median = float(np.exp(np.median(middle)))
    x = axis("days until bought again", high)
    svg = plot(
        f"Days between purchases of {_title(product)}",
        Axis(x.label, high, [tick for tick in x.ticks if tick[0] <= high]),
        Axis("likelihood", float(density.max()) * 1.15, ()),
        [Series(_title(product), [(0, 0), *zip(days.tolist(), density.tolist(), strict=True)], area=True)],
        marks=[(median, f"median {median:.0f} days")],
    )
    return Chart(f"{_title(product)} ({len(rebought):,} customers)", svg)


def _mean_density(days: Floats, middle: Floats, sd: Floats) -> Floats:
    """(n_days,) mean over the rows of the log-normal densities."""
    z = (np.log(days)[:, None] - middle) / sd
    density: Floats = (np.exp(-(z**2) / 2) / (sd * _SQRT_2_PI)).mean(axis=1) / days
    return density


def _customers(table: ListTable) -> list[int]:
    """Positions of customers spread evenly from the most to the fewest repeat purchases of what is still likely."""
    owner = np.repeat(np.arange(len(table)), np.diff(table.starts))
    purchases = table.records["purchases"].astype(np.float64)
    unlikely = table.records["score"] < _DUE_EXAMPLES.min_probability  # False for NaN
    repeats = np.bincount(owner, weights=np.where(unlikely, 0, purchases - 1), minlength=len(table))
    ranked = np.argsort(-repeats, kind="stable")[: int((repeats > 0).sum())]
    chosen: list[int] = (
        ranked[np.arange(_SHOWN_CUSTOMERS) * len(ranked) // _SHOWN_CUSTOMERS].tolist() if len(ranked) else []
    )
    return list(dict.fromkeys(chosen))


def _example(position: int, publication: Publication) -> DueExample:
    table, manifest = publication.tables["buy_again"], publication.manifest
    records = [Own(*record) for record in table.records[table.starts[position] : table.starts[position + 1]].tolist()]
    candidates = [
        Candidate(publication.products[own.product_index], "buy_again", _probability(own), own) for own in records
    ]
    context = Context(clamp_limit(_DUE_EXAMPLES, None))
    slate = build_slate(candidates, _DUE_EXAMPLES, context, datetime.fromisoformat(manifest.as_of))
    waiting = slate.suppressed.get("not_due", 0)
    note = f"; {waiting} of them too recent to be shown" if waiting else ""
    heading = (
        f"A customer with {_count(len(records), 'own product')}, bought {sum(own.purchases for own in records)} times"
    )
    horizon_days = manifest.settings.get("horizon_days")
    return DueExample(heading + note, [_due_line(item, item.due, horizon_days) for item in slate.items if item.due])


def _due_line(item: Item, due: Due, horizon_days: int | None) -> tuple[str, str, Markup]:
    within = [f"{share:.0%} within {days} days" for days, share in due.probability.items()]
    facts = Markup(
        "Bought {}, last on <time>{}</time>; due about <time>{}</time>, at even odds between <time>{}</time> and "
        "<time>{}</time>; by rhythm alone {}."
    )
    purchases, last = item.reason.evidence["purchases"], item.reason.evidence["last_purchased_on"]
    times = "once" if purchases == 1 else f"{purchases} times"
    words = ", ".join(within)
    if item.probability is not None and horizon_days:
        words += f"; with all that is known {item.probability:.0%} within {horizon_days} days"
    return (
        _title(item.product),
        _LANGUAGE.reason(item.reason.code, item.reason.evidence),
        facts.format(times, last, due.at, due.from_, due.to, words.replace("%", " %")),
    )


def _probability(own: Own) -> float | None:
    return None if math.isnan(own.score) else own.score


def _title(product: Product) -> str:
    return product.title or product.product_id


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
