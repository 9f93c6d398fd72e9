"""Data needs: whether a shop's purchases are enough for each feature; and the ingest report in words."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

import polars as pl

from recommender.cli.console import print_table
from training.ingest.ingest_report import IngestReport
from training.selection.gate import MIN_CUSTOMERS

FEWEST_BUYERS = 5
"""A product with fewer buyers gets its similar list from its category."""
TREND_DAYS = 30


@dataclass(frozen=True)
class DataNeed:
    """The data that one feature needs, as plain JSON.

    Attributes:
        feature: its name.
        found, needed: how many there are, and how many are enough to be worth showing.
        counted: what is counted.
    """

    feature: str
    found: int
    needed: int
    counted: str

    @property
    def enough(self) -> bool:
        """Whether the feature can be learned."""
        return self.found >= self.needed

    def to_dict(self) -> dict[str, object]:
        """The fields and `enough` as plain JSON."""
        return {
            "feature": self.feature,
            "enough": self.enough,
            "found": self.found,
            "needed": self.needed,
            "counted": self.counted,
        }


def list_needs(ledger: pl.DataFrame, horizon_days: int) -> list[DataNeed]:
    """The data needs of all features, counted in the ledger; an empty ledger has 0 of everything.

    The numbers needed are rules of thumb, but for the gate's, which is what `training.selection.gate` asks for.
    """
    lines = ledger.lazy()
    pairs = lines.group_by("customer_id", "product_id").agg(pl.col("order_id").n_unique().alias("orders"))
    buyers = pairs.group_by("product_id").len().filter(pl.col("len") >= FEWEST_BUYERS)
    explorers = pairs.group_by("customer_id").len().filter(pl.col("len") >= 2)
    baskets = lines.group_by("customer_id", "order_id").agg(pl.col("product_id").n_unique().alias("products"))
    last = pl.col("ordered_at").max()
    # marked before grouping: inside a group the maximum would be each customer's own last day
    late = lines.with_columns((pl.col("ordered_at") > last - timedelta(days=horizon_days)).alias("late"))
    judged = late.group_by("customer_id").agg(pl.col("late").any(), (~pl.col("late")).any().alias("before"))
    recent = lines.filter(pl.col("ordered_at") > last - timedelta(days=TREND_DAYS))
    counts = [
        ("similar", buyers, 20, f"products with {FEWEST_BUYERS} or more buyers"),
        ("discover", explorers, 100, "customers with two or more products"),
        ("bought together", baskets.filter(pl.col("products") > 1), 100, "orders with two or more products"),
        ("buy again", pairs.filter(pl.col("orders") > 1), 50, "products bought again by the same customer"),
        ("due date", pairs.filter(pl.col("orders") > 2), 30, "products bought three or more times by one customer"),
        ("trending", recent, 100, f"purchases in the last {TREND_DAYS} days"),
        (
            "gate (evaluation)",
            judged.filter(pl.col("late") & pl.col("before")),
            MIN_CUSTOMERS,
            f"customers who bought in the last {horizon_days} days and before",
        ),
    ]
    found = pl.collect_all([frame.select(pl.len()) for _, frame, _, _ in counts])
    return [
        DataNeed(feature, int(count.item()), needed, counted)
        for (feature, _, needed, counted), count in zip(counts, found, strict=True)
    ]


def print_report(report: IngestReport, needs: list[DataNeed]) -> None:
    """The report and the features as tables for people."""
    print_table(["what", "found"], list(_describe(report)), title="Purchases")
    if report.suspicious:
        rows = [
            (s["customer_id"], f"{s['purchases']:,}", f"{s['share']:.1%}", f"{s['orders_per_day']:.1f}")
            for s in report.suspicious
        ]
        title = f"Left out as tills or bots: {report.suspicious_rule}"
        print_table(["customer_id", "purchases", "share", "orders a day"], rows, title=title)
    print_table(
        ["feature", "enough", "found", "needed", "what is counted"],
        [(n.feature, "yes" if n.enough else "no", f"{n.found:,}", f"{n.needed:,}", n.counted) for n in needs],
        title="Enough data for",
    )


def _describe(report: IngestReport) -> Iterator[tuple[str, str]]:
    """Label and text of each fact, in the order of reading."""
    yield "files", ", ".join(report.sources[:5]) + (" …" if len(report.sources) > 5 else "")
    yield "columns", ", ".join(f"{ours} = {theirs!r}" for ours, theirs in report.columns.items())
    yield "not used", ", ".join(map(repr, report.columns_unused)) or "none"
    yield "times", "; ".join(report.times)
    yield "rows", f"{report.rows_read:,} read, {report.rows_good:,} good, {_total(report.left_out):,} left out"
    yield (
        "bad rows",
        (f"{_total(report.quarantined):,} ({report.bad_share:.2%}, allowed are {report.max_bad_rows_share:.2%})"),
    )
    yield "quarantine", report.quarantine or "none"
    refunds = report.refunds
    yield (
        "refunds",
        (
            f"{refunds['lines']:,} lines, {refunds['purchases_gone']:,} purchases gone; "
            f"{refunds['unmatched_lines']:,} found no earlier purchase; {refunds['own_lines']:,} went back themselves"
        ),
    )
    yield "prices ignored", f"{report.prices_ignored:,}"
    yield "duplicate lines", f"{report.duplicates:,} (kept: an order may hold a product on two lines)"
    yield "span", f"{report.first_at or 'none'} to {report.last_at or 'none'}"
    yield "purchases", f"{report.purchases:,} in {report.orders:,} orders"
    yield "customers", f"{report.customers:,}, {_share(report.repeat_customer_share)} with two or more orders"
    yield "products", f"{report.products:,}, {_share(report.repeat_pair_share)} of customers' products bought again"
    gap = report.median_gap_days
    yield "median gap", "none" if gap is None else f"{gap:.1f} days between purchases of the same product"
    yield "catalogue", ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in report.catalogue.items())


def _total(counts: Mapping[str, int]) -> int:
    return sum(counts.values())


def _share(share: float | None) -> str:
    return "none" if share is None else f"{share:.1%}"
