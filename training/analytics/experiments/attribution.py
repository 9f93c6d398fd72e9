"""Click attribution: purchases that followed a recommendation, which it need not have caused."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from training.analytics.experiments.outcomes import Period, lines_of
from training.analytics.read_columns import AS_IT_IS, SideFile, read_columns
from training.analytics.results.purchases_after import followed
from training.tables.workspace import Workspace

SLOT = ["customer_id", "product_id", "recommendation_id"]
"""One product recommended to one customer in one answer."""


@dataclass(frozen=True)
class Attribution:
    """The funnel from impressions over clicks to purchases, in one variant.

    Attributes:
        customers: in the variant.
        recommended: slots that were seen or clicked.
        clicked: those of them that were clicked.
        bought: those clicked whose product the customer bought within the days after the click.
        orders: orders that hold such a purchase.
        revenue: of such purchases; each counts once, for the last click before it.
    """

    customers: int
    recommended: int
    clicked: int
    bought: int
    orders: int
    revenue: float

    @property
    def revenue_per_customer(self) -> float:
        """Attributed revenue over all customers of the variant; NaN without any."""
        return self.revenue / self.customers if self.customers else float("nan")


def read_events(file: Path, work: Workspace, how: SideFile = AS_IT_IS) -> tuple[pl.DataFrame, int]:
    """Impressions and clicks of a file, and the number of unusable rows.

    Raises:
        UnreadableFileError, MissingColumnError: see `read_columns`.
    """
    return read_columns(
        file, [*SLOT, "event_type"], work, moment="occurred_at", optional=["recommendation_id"], how=how
    )


def attribute(
    events: pl.DataFrame, ledger: pl.DataFrame, customers: pl.DataFrame, period: Period, within_days: float
) -> dict[str, Attribution]:
    """Attribution of the purchases during the experiment, by variant.

    Args:
        events: as `read_events` gives them; other types than impression and click are not looked at.
        ledger: purchases as `training.ingest.ingest` returns them.
        customers: schema `training.analytics.experiments.assignments.CUSTOMERS`; events of others are not looked at.
        period: a purchase counts until its end, however late the click was.
        within_days: a purchase this long after the click, or sooner, belongs to it.

    Returns:
        Variant → its figures, by name.
    """
    inside = pl.col("occurred_at").is_between(period.start, period.end, closed="left")
    known = events.filter(inside).join(customers.select("customer_id", "variant"), on="customer_id", how="inner")
    clicks = known.filter(pl.col("event_type") == "click").sort("occurred_at", "recommendation_id")
    seen = known.filter(pl.col("event_type").is_in(["impression", "click"]))
    lines = lines_of(ledger, customers).filter(pl.col("ordered_at") < period.end)
    shown = clicks.select(*SLOT, shown_at="occurred_at")
    bought = followed(lines, shown, ["customer_id", "product_id"], within_days, sold_at="ordered_at")
    return {
        variant: _count(len(people), *(part.filter(variant=variant) for part in (seen, clicks, bought)))
        for (variant,), people in sorted(customers.partition_by("variant", as_dict=True).items())
    }


def _count(customers: int, seen: pl.DataFrame, clicks: pl.DataFrame, bought: pl.DataFrame) -> Attribution:
    recommended, clicked, paid = (len(part.unique(SLOT)) for part in (seen, clicks, bought))
    orders = len(bought.unique(["customer_id", "order_id"]))
    return Attribution(customers, recommended, clicked, paid, orders, float(bought["revenue"].sort().sum()))
