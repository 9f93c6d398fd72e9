"""Archived answers: exposures to experiments, impressions and clicks."""

from pathlib import Path

import polars as pl

from recommender.errors import TooLittleDataError
from training.analytics.experiments.attribution import SLOT
from training.analytics.read_columns import AS_IT_IS, SideFile, read_columns
from training.analytics.restraint.restraint import SHOWN
from training.tables.workspace import Workspace


def read_shown_file(file: Path, work: Workspace, how: SideFile = AS_IT_IS) -> pl.DataFrame:
    """Impressions and clicks of a file, in the columns of `SHOWN`; a rank that is no number is null.

    Raises:
        UnreadableFileError, MissingColumnError: see `read_columns`.
    """
    texts = [name for name in SHOWN if name != "occurred_at"]
    required = {"event_type", "customer_id", "placement"}
    optional = [name for name in texts if name not in required]
    rows, _ = read_columns(file, texts, work, moment="occurred_at", optional=optional, how=how)
    return rows.select(pl.col(name).cast(SHOWN[name], strict=name != "rank") for name in SHOWN)


def exposures_of(events: pl.DataFrame, experiment: str) -> pl.DataFrame:
    """customer_id, variant, exposed_at, placement of each exposure to one experiment.

    Raises:
        TooLittleDataError: there is none; the message names the experiments that there are.
    """
    exposures = events.filter(pl.col("event_type") == "exposure")
    found = exposures.filter(pl.col("experiment") == experiment)
    if found.is_empty():
        seen = ", ".join(exposures["experiment"].drop_nulls().unique().sort()) or "none"
        raise TooLittleDataError(f"nobody was exposed to experiment {experiment!r}; exposures are of: {seen}")
    return found.select("customer_id", "variant", pl.col("occurred_at").alias("exposed_at"), "placement")


def slots_of(events: pl.DataFrame) -> pl.DataFrame:
    """Impressions and clicks of customers, as `training.analytics.experiments.attribution.read_events` gives them."""
    wanted = events.filter(pl.col("event_type").is_in(["impression", "click"]), pl.col("customer_id").is_not_null())
    return wanted.select(*SLOT, "event_type", "occurred_at")
