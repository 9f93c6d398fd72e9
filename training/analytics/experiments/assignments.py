"""Assignments of customers to variants: from exposures, a file, or the salted hash alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

import polars as pl

from recommender.experiments.experiment import Experiment, assign
from training.analytics.read_columns import AS_IT_IS, SideFile, read_columns
from training.cells.forms.time_text import UTC_MOMENT
from training.tables.workspace import Workspace

CUSTOMERS = pl.Schema({"customer_id": pl.String(), "variant": pl.String(), "entered_at": UTC_MOMENT})

_NOBODY: Mapping[str, int] = MappingProxyType({})


@dataclass(frozen=True)
class Assignments:
    """Customers with their assigned variant, whatever they were shown (intention to treat).

    Attributes:
        customers: schema CUSTOMERS, each customer once, sorted by customer_id; entered_at: purchases count from here.
        left_out: reason → how many; rows for the first reason, else customers.
    """

    customers: pl.DataFrame
    left_out: Mapping[str, int]


def read_assignments(
    file: Path, start: datetime, end: datetime, work: Workspace, how: SideFile = AS_IT_IS
) -> Assignments:
    """A file of customer_id, variant and, optionally, exposed_at, with one row per customer or per exposure.

    A customer enters when first exposed, but not before `start`; at `start` where no row says when. Exposures must be
    logged in the control too, where the treatment would have been shown: else a variant is not like the other, which
    the sample-ratio check tells.

    Args:
        file: CSV, Parquet or JSON-lines.
        start: of the experiment, aware.
        end: who is first exposed at or after it is left out.
        work: for copies of the file.
        how: it is to be read.

    Raises:
        UnreadableFileError, MissingColumnError: see `read_columns`.
    """
    rows, unusable = read_columns(
        file, ["customer_id", "variant"], work, moment="exposed_at", optional=["exposed_at"], how=how
    )
    return enter(rows, start, end, {"rows without an id, a variant or a readable time": unusable})


def enter(
    exposures: pl.DataFrame, start: datetime, end: datetime, left_out: Mapping[str, int] = _NOBODY
) -> Assignments:
    """Assignments by first exposure.

    Args:
        exposures: customer_id, variant, exposed_at, which may be null; a customer may be in many rows.
        start: of the experiment, aware.
        end: who is first exposed at or after it is left out.
        left_out: reason → how many that were not taken already.
    """
    customers = exposures.group_by("customer_id").agg(
        pl.col("variant").n_unique().alias("variants"),
        pl.col("variant").first(),
        pl.col("exposed_at").min().fill_null(start).clip(start).alias("entered_at"),
    )
    several, late = pl.col("variants") > 1, pl.col("entered_at") >= end
    left_out = {
        **left_out,
        "in several variants": int(customers.select(several.sum()).item()),
        "first exposed at or after the end": int(customers.select((late & ~several).sum()).item()),
    }
    kept = customers.filter(~several & ~late)
    return Assignments(kept.select(pl.col(n).cast(t) for n, t in CUSTOMERS.items()).sort("customer_id"), left_out)


def assign_customers(experiment: Experiment, ledger: pl.DataFrame, start: datetime) -> Assignments:
    """Assignments by hash of all customers who bought before `start`: the hash that the service assigns by.

    Who bought for the first time later is left out: of the others who came later nothing is known, and those who
    bought may have done so because of the treatment.
    """
    known = ledger.filter(pl.col("ordered_at") < start)["customer_id"].unique().sort()
    variants = [assign(experiment, customer_id) for customer_id in known]
    later = ledger["customer_id"].n_unique() - len(known)
    customers = pl.DataFrame({"customer_id": known, "variant": variants, "entered_at": [start] * len(known)}, CUSTOMERS)
    return Assignments(customers, {"without a purchase before the start": later})
