"""The experiment report: sample ratio, effects and attribution."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, cast

import polars as pl

from recommender.errors import UsageError
from recommender.experiments.experiment import HOLDOUT
from training.analytics.experiments.assignments import Assignments
from training.analytics.experiments.attribution import Attribution, attribute
from training.analytics.experiments.effects import LEVEL
from training.analytics.experiments.outcomes import Period, lines_of, measure_customers
from training.analytics.experiments.sample_ratio import SampleRatio, check_sample_ratio
from training.analytics.experiments.variant_figures import Figure, build_figures, figures_to_dict, plain_json

METHOD = (
    "Intention to treat: a customer counts in the variant assigned, shown or not. Intervals hold 95 % for one look at "
    "the end, always-valid ones (mSPRT, asymptotic) for all looks and variants together. CUPED takes away what the "
    "days before the start foretold; revenue per order has its error by the delta method over customers. p is "
    "two-sided and corrected over the variants of one figure (Holm), not over figures: name the one that decides "
    "before the start."
)


@dataclass(frozen=True)
class AnalysisPlan:
    """The analysis plan, fixed before the start: period, control, shares and expected lift.

    Attributes:
        period: when it ran.
        control: the variant to compare with; None: `holdout` or else `control`, where there is one.
        shares: variant → expected share of the customers; None: equal ones.
        hoped_lift: see `training.analytics.experiments.sequential`.
        within_days: of attribution, see `training.analytics.experiments.attribution`.
    """

    period: Period
    control: str | None = None
    shares: Mapping[str, float] | None = None
    hoped_lift: float = 0.05
    within_days: float = 7.0


@dataclass(frozen=True)
class ExperimentReport:
    """The results of an experiment.

    Attributes:
        plan: as given, with the control.
        sample_ratio: customers per variant, counted and expected.
        left_out: reason → how many.
        purchases_until: the last purchase of the ledger; where it is long before the end, the figures are of less
            time. None without any.
        unpriced_lines: purchases of its customers without a price, in the period; their revenue counts as 0.
        figures: name → values and effects.
        attribution: variant → its way from recommendation to purchase; empty without events.
    """

    plan: AnalysisPlan
    sample_ratio: SampleRatio
    left_out: Mapping[str, int]
    purchases_until: datetime | None
    unpriced_lines: int
    figures: Mapping[str, Figure]
    attribution: Mapping[str, Attribution] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The report as plain JSON; None stands for NaN."""
        period = self.plan.period
        return {
            "method": METHOD,
            "start": period.start.isoformat(),
            "end": period.end.isoformat(),
            "before_days": period.before_days,
            "control": self.plan.control,
            "level": LEVEL,
            "hoped_lift": self.plan.hoped_lift,
            "sample_ratio": plain_json(asdict(self.sample_ratio)),
            "left_out": dict(self.left_out),
            "purchases_until": self.purchases_until and self.purchases_until.isoformat(),
            "unpriced_lines": self.unpriced_lines,
            "figures": figures_to_dict(self.figures),
            "attribution": {
                "within_days": self.plan.within_days,
                "variants": {name: self._attributed(name) for name in self.attribution},
            },
        }

    def _attributed(self, variant: str) -> dict[str, Any]:
        """Attributed, and beside it what was caused."""
        found = self.attribution[variant]
        caused = self.figures["revenue_per_customer"].best(variant).effect if variant != self.plan.control else None
        return {
            **asdict(found),
            "revenue_per_customer": plain_json({"attributed": found.revenue_per_customer})["attributed"],
            "caused_revenue_per_customer": caused
            and plain_json({"difference": caused.difference, "low": caused.low, "high": caused.high}),
        }


def analyse(
    ledger: pl.DataFrame, assignments: Assignments, plan: AnalysisPlan, events: pl.DataFrame | None = None
) -> ExperimentReport:
    """The report of an experiment.

    Args:
        ledger: purchases as `training.ingest.ingest` returns them.
        assignments: who is in which variant.
        plan: what was settled before the start.
        events: impressions and clicks, see `training.analytics.experiments.attribution.read_events`; None without any.

    Raises:
        UsageError: no control is named and none goes without saying, or a variant has no expected share.
        TooLittleDataError: the control or all other variants have no customer.
    """
    customers, period = assignments.customers, plan.period
    sizes = dict(customers["variant"].value_counts().sort("variant").iter_rows())
    shares = plan.shares or dict.fromkeys(sizes, 1 / max(1, len(sizes)))
    control = plan.control or _find_control(shares)
    sample_ratio = check_sample_ratio(sizes, shares)
    figures = build_figures(measure_customers(ledger, customers, period), control, plan.hoped_lift)
    lines = lines_of(ledger, customers).filter(pl.col("ordered_at").is_between("entered_at", period.end, closed="left"))
    return ExperimentReport(
        plan=AnalysisPlan(period, control, shares, plan.hoped_lift, plan.within_days),
        sample_ratio=sample_ratio,
        left_out=assignments.left_out,
        purchases_until=cast(datetime | None, ledger["ordered_at"].max()),
        unpriced_lines=lines["unit_price"].null_count(),
        figures=figures,
        attribution={} if events is None else attribute(events, ledger, customers, period, plan.within_days),
    )


def _find_control(variants: Iterable[str]) -> str:
    for name in (HOLDOUT, "control"):
        if name in variants:
            return name
    raise UsageError(f"which variant is the control? name one with --control: {', '.join(sorted(variants))}")
