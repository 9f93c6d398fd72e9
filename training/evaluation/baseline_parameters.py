"""Parameters of the baselines that have any, chosen on an earlier window.

A model that beats a neglected baseline has shown nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import product
from typing import Any, TypeVar

from training.dataset.snapshot import Snapshot, build_snapshot
from training.dataset.split import Window
from training.evaluation.baselines import decayed_own
from training.evaluation.scores import score_ranking
from training.evaluation.tifu_knn import Tifu, tifu_knn
from training.evaluation.top_k import Scorer, rank_by

_Key = TypeVar("_Key")
MEASURE = "ndcg@10"
_K = 10
HALF_LIVES_DAYS = (30.0, 60.0, 90.0, 180.0, 365.0)
POPULARITY = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0)
TIFU: Mapping[str, Sequence[Any]] = {
    "group_size": (3, 7),
    "within": (0.9, 1.0),
    "between": (0.7, 0.9),
    "neighbours": (100, 300),
    "own": (0.1, 0.3, 0.5, 0.7, 0.9),
}


@dataclass(frozen=True)
class Chosen:
    """The baseline parameters that scored best on an earlier window.

    Attributes:
        half_life_days, popularity: of `decayed_own`.
        tifu: of TIFU-KNN.
        ndcg: baseline → NDCG@10 on the earlier window with these; empty where nothing could be tuned and the defaults
            stand.
    """

    half_life_days: float = 180.0
    popularity: float = 0.5
    tifu: Tifu = field(default_factory=Tifu)
    ndcg: dict[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The fields as plain JSON types."""
        decayed = {"half_life_days": self.half_life_days, "popularity": self.popularity}
        return {"decayed_own": decayed, "tifu_knn": self.tifu.to_dict(), "ndcg@10": self.ndcg}


def tune_half_life(window: Window, popularity: float) -> float:
    """The half-life in days of `decayed_own` that scores best on `window`, the first of equals; 180 without buyers."""
    if window.truth.is_empty():
        return Chosen().half_life_days
    snapshot = build_snapshot(window.past, window.cut)
    return _best({days: _judge(decayed_own(snapshot, days, popularity), snapshot, window) for days in HALF_LIVES_DAYS})


def tune_baselines(window: Window) -> Chosen:
    """The baseline parameters that score best on `window`, whose customers are all scored; the first of equals.

    Of `decayed_own` every combination; of TIFU-KNN the groups first, then the neighbours and their weight.
    """
    if window.truth.is_empty():
        return Chosen()
    snapshot = build_snapshot(window.past, window.cut)

    judge = partial(_judge, snapshot=snapshot, window=window)
    decayed = {pair: judge(decayed_own(snapshot, *pair)) for pair in product(HALF_LIVES_DAYS, POPULARITY)}
    groups = {tifu: judge(tifu_knn(snapshot, tifu)) for tifu in _vary(Tifu(), ("group_size", "within", "between"))}
    rest = {tifu: judge(tifu_knn(snapshot, tifu)) for tifu in _vary(_best(groups), ("neighbours", "own"))}
    best_decayed, best_tifu = _best(decayed), _best(rest)
    figures = {"decayed_own": decayed[best_decayed], "tifu_knn": rest[best_tifu]}
    return Chosen(*best_decayed, tifu=best_tifu, ndcg=figures)


def _judge(scorer: Scorer, snapshot: Snapshot, window: Window) -> float:
    ranking = rank_by(scorer, snapshot, window.customers, _K)
    return score_ranking(ranking, window, (_K,))[MEASURE] or 0.0


def _vary(tifu: Tifu, names: Sequence[str]) -> Iterator[Tifu]:
    """`tifu` with every combination of the values of the parameters named."""
    for values in product(*(TIFU[name] for name in names)):
        yield replace(tifu, **dict(zip(names, values, strict=True)))


def _best(figures: dict[_Key, float]) -> _Key:
    return max(figures, key=lambda key: figures[key])
