"""Learned restraint: how many products per placement still add value, and the cap that follows from it.

Where an experiment gave answers of different lengths, the cap is that of the trial (`cap_trial`). Elsewhere there is
only the curve by position (`positions`), which overstates: the cap that follows from it is at most an upper bound.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, cast

import polars as pl

from training.analytics.experiments.variant_figures import plain_json
from training.analytics.restraint.cap_trial import CapTrial, find_trials
from training.analytics.restraint.positions import LengthValue, PositionValue, value_lengths, value_positions

SHOWN = pl.Schema(
    {
        "event_type": pl.String(),
        "customer_id": pl.String(),
        "product_id": pl.String(),
        "occurred_at": pl.Datetime("us", "UTC"),
        "placement": pl.String(),
        "recommendation_id": pl.String(),
        "rank": pl.Int32(),
        "experiment": pl.String(),
        "variant": pl.String(),
    }
)
"""Columns of impressions and exposures, as the archive holds them; others are not looked at."""
METHOD = (
    "A trial of answer lengths says what more products caused: the difference in purchases per customer between "
    "variants assigned by lot (intention to treat, CUPED), step by step from the shortest. Without a trial, the share "
    "of what stood at a position that was bought, less the share of those who never saw it: not causal, an upper "
    "bound, as better products stand higher and before those who want them anyway. Intervals hold 95 %."
)

NO_DATA = "nothing to learn from: no impression names a customer, a placement and a rank; see REPRISE_LOG_IMPRESSIONS"
NOTHING_TO_COMPARE = (
    "no data yet: no product was shown to some customers and not to others long enough ago; ask again later, or with "
    "fewer --within-days"
)


@dataclass(frozen=True)
class Restraint:
    """Position values, trials and the suggested cap of one placement.

    Attributes:
        placement: its name.
        positions: the observational curve, from position 1.
        lengths: what was bought by the length of the first answer; not causal either.
        trials: experiments on the length, most customers first.
        minimum: purchases per customer that a position must be shown to add.
    """

    placement: str
    positions: Sequence[PositionValue]
    lengths: Sequence[LengthValue]
    trials: Sequence[CapTrial]
    minimum: float

    @property
    def cap(self) -> int | None:
        """The suggested cap; None where no position is shown to add value."""
        return self.trials[0].suggest(self.minimum) if self.trials else self._last_position

    @property
    def causal(self) -> bool:
        """Whether the cap is that of a trial; else it is an upper bound."""
        return bool(self.trials)

    @property
    def advice(self) -> str:
        """The suggested cap in words."""
        if not self.trials:
            if not any(math.isfinite(value.low) for value in self.positions):
                return NOTHING_TO_COMPARE
            positions = "no position" if self.cap is None else f"positions 1 to {self.cap}"
            return f"upper bound, not causal: {positions} may add value; let an experiment try several caps to know"
        trial, harm = self.trials[0], self.trials[0].harmful
        name = f"experiment {trial.experiment!r}"
        hurts = f"; positions {harm.first} to {harm.last} lower the total" if harm else ""
        if self.cap is None:
            return f"{name} does not show that any product adds value{hurts}"
        if self.cap == trial.arms[0].length:
            return f"cap {self.cap}, the fewest tried: {name} does not show that more add value{hurts}"
        return f"cap {self.cap}: {name} shows that the positions up to it add value, and of no later ones{hurts}"

    @property
    def _last_position(self) -> int | None:
        last = None
        for expected, value in enumerate(self.positions, start=1):
            if value.position != expected or not value.low > self.minimum:
                break
            last = value.position
        return last

    def to_dict(self) -> dict[str, Any]:
        """The fields as plain JSON; None stands for NaN."""
        return {
            "placement": self.placement,
            "cap": self.cap,
            "causal": self.causal,
            "advice": self.advice,
            "minimum": self.minimum,
            "trials": [
                {
                    "experiment": trial.experiment,
                    "cap": trial.suggest(self.minimum),
                    "arms": [plain_json(asdict(arm)) for arm in trial.arms],
                    "steps": [plain_json(asdict(step)) for step in trial.steps],
                }
                for trial in self.trials
            ],
            "positions": [plain_json(asdict(value)) for value in self.positions],
            "lengths": [plain_json(asdict(value)) for value in self.lengths],
        }


def learn_restraint(
    shown: pl.DataFrame,
    ledger: pl.DataFrame,
    *,
    within_days: float = 14.0,
    minimum: float = 0.0,
    placements: Collection[str] = (),
) -> list[Restraint]:
    """Restraint of each placement, by its name.

    What was shown so late that its days are not over, by the latest event or purchase, is not counted. An experiment
    that was on in several placements says nothing of one of them, and its trial is left out.

    Args:
        shown: schema SHOWN.
        ledger: purchases as `training.ingest.ingest` returns them.
        within_days: a purchase this long after, or sooner, counts.
        minimum: purchases per customer that a position must be shown to add.
        placements: only these; all where none is named.

    Returns:
        One for each placement with an impression that has a rank and a customer; [] without any.
    """
    within = timedelta(days=within_days)
    known = shown.filter(pl.col("customer_id").is_not_null(), pl.col("placement").is_not_null())
    impressions = known.filter(pl.col("event_type") == "impression", pl.col("rank").is_not_null())
    until = pl.col("occurred_at") + within <= _latest(shown, ledger)
    purchases = ledger.select("customer_id", "product_id", pl.col("ordered_at").cast(SHOWN["occurred_at"]))
    in_one_placement = pl.col("placement").n_unique().over("experiment") == 1
    exposures = _by_placement(known.filter(pl.col("event_type") == "exposure").filter(in_one_placement))
    return [
        Restraint(
            placement=placement,
            positions=value_positions(part, purchases, within, until),
            lengths=value_lengths(part, purchases, within, until),
            trials=find_trials(exposures[placement], part, purchases, within, until) if placement in exposures else [],
            minimum=minimum,
        )
        for placement, part in _by_placement(impressions).items()
        if not placements or placement in placements
    ]


def _latest(shown: pl.DataFrame, ledger: pl.DataFrame) -> datetime | None:
    moments = [shown["occurred_at"].max(), ledger["ordered_at"].cast(SHOWN["occurred_at"]).max()]
    return max((cast(datetime, moment) for moment in moments if moment is not None), default=None)


def _by_placement(rows: pl.DataFrame) -> Mapping[str, pl.DataFrame]:
    return {str(name): part for (name,), part in sorted(rows.partition_by("placement", as_dict=True).items())}
