"""Evaluation figures of a report: those of `reprise train`, in the manifest, or of `reprise evaluate --json`.

The first are of one window, the second of several, with intervals and calibration. What a document lacks is absent
here too.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

from recommender.errors import UnreadableFileError

OURS = "reprise"
_COUNT = "n_customers"


@dataclass(frozen=True)
class EvaluationFigures:
    """The scores of rankings, with cuts, intervals and calibration.

    Attributes:
        cuts: ISO dates from which the windows ran; () where nothing was evaluated.
        horizon_days: length of each.
        scores: ranking → measure → figure, see `training.evaluation.scores.score_ranking`; the mean over the windows,
            of `…n_customers` the sum. What nobody could be scored on is not there.
        intervals: ranking → measure → its 95 % interval.
        lead: measure → the best baseline of that measure and our lead over it, (mean, low, high).
        calibration: name → bins of the last window, see `training.evaluation.calibration`.
        lists: `similar` and `together` → figures of the last window, see `training.evaluation.similar_lists`.
    """

    cuts: tuple[str, ...] = ()
    horizon_days: int = 0
    scores: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    intervals: Mapping[str, Mapping[str, tuple[float, float]]] = field(default_factory=dict)
    lead: Mapping[str, tuple[str, tuple[float, float, float]]] = field(default_factory=dict)
    calibration: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    lists: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def rankings(self) -> list[str]:
        """Names of the rankings: ours first, the others by falling recall@10; by name where equal."""
        return sorted(sorted(self.scores), key=lambda name: (name != OURS, -self.score(name, "recall@10", 0.0)))

    @property
    def best_baseline(self) -> str | None:
        """The ranking, ours apart, with the highest recall@10."""
        return next((name for name in self.rankings if name != OURS), None)

    def score(self, ranking: str, measure: str, default: float = float("nan")) -> float:
        """The score of a ranking; `default` where there is none."""
        return self.scores.get(ranking, {}).get(measure, default)

    def has(self, measure: str) -> bool:
        """Whether any ranking has it."""
        return any(measure in scores for scores in self.scores.values())


def read_evaluation(path: Path) -> EvaluationFigures:
    """Figures of a file that `reprise evaluate … --json` printed.

    Raises:
        UnreadableFileError: it is not there or is something else.
    """
    try:
        return figures_of(json.loads(path.read_bytes()))
    except OSError as error:
        raise UnreadableFileError(f"cannot read {path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        raise UnreadableFileError(
            f"{path} is no evaluation; make one with `reprise evaluate FILE --json > {path.name}`"
        ) from None


def figures_of(document: Mapping[str, Any]) -> EvaluationFigures:
    """Figures of a manifest's `metrics`, which may be empty, or of `training.evaluation.compare.Comparison.to_dict`.

    Raises:
        KeyError, TypeError, AttributeError: it is neither.
    """
    windows = document.get("windows") or ([document] if document.get("scores") else [])
    if not windows:
        return EvaluationFigures()
    return EvaluationFigures(
        cuts=tuple(str(window["cut"])[:10] for window in windows),
        horizon_days=int(document["horizon_days"]),
        scores=_mean_scores([window["scores"] for window in windows]),
        intervals=_intervals(document.get("mean") or {}),
        lead=_lead(document.get("lead") or {}),
        calibration=windows[-1].get("calibration") or {},
        lists=windows[-1].get("lists") or {},
    )


def _mean_scores(windows: Sequence[Mapping[str, Mapping[str, Any]]]) -> dict[str, dict[str, float]]:
    return {
        name: {
            measure: _together(measure, values)
            for measure in scores
            if (values := [window[name][measure] for window in windows if _is_figure(window[name].get(measure))])
        }
        for name, scores in windows[-1].items()
    }


def _is_figure(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def _together(measure: str, values: Sequence[float]) -> float:
    return sum(values) if measure.endswith(_COUNT) else fmean(values)


def _intervals(means: Mapping[str, Mapping[str, Sequence[Any]]]) -> dict[str, dict[str, tuple[float, float]]]:
    return {
        name: {
            measure: (float(low), float(high))
            for measure, (_, low, high) in measures.items()
            if low is not None and high is not None
        }
        for name, measures in means.items()
    }


def _lead(leads: Mapping[str, Mapping[str, Any]]) -> dict[str, tuple[str, tuple[float, float, float]]]:
    return {
        measure: (str(lead["baseline"]), (float(mean), float(low), float(high)))
        for measure, lead in leads.items()
        for mean, low, high in [lead["difference"]]
        if None not in (mean, low, high)
    }
