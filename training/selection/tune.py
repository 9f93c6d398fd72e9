"""Hyperparameter tuning on past windows.

The last horizon, by which the gate judges, is cut off before anything is looked at: what was bought in it changes no
figure here. The windows that settings are compared on lie before it, one after the other.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import optuna
import polars as pl
from optuna.exceptions import StorageInternalError
from optuna.trial import TrialState
from sqlalchemy.exc import SQLAlchemyError

from recommender.cli.progress import Progress
from recommender.data_dir import make_folder
from recommender.errors import HomeError, TooLittleDataError
from recommender.settings import Settings
from training.dataset.split import Window, split_window
from training.evaluation.last_window import OURS, K, evaluate_window, last_window, rank_model
from training.provenance import TRAINING_SETTINGS, package_versions
from training.ranking.examples.example_cache import ExampleCache
from training.ranking.examples.windows import past_cuts
from training.ranking.model import train_model
from training.selection.tune_space import SPACE, SearchPoint, named, params_of, point_of, rounded, with_point

MEASURE = f"ndcg@{K}"
_WINDOWS = 3
_POINT = "point"
"""Attribute of a trial: what was tried, where its parameters are only the nearest that the sampler knows."""


class Tried(NamedTuple):
    """A trial: a point of the search space, with the mean NDCG@10 of the mixed list."""

    point: SearchPoint
    ndcg: float


@dataclass(frozen=True)
class Validation:
    """The validation windows that settings are compared on.

    Attributes:
        as_of: the gate's window begins here.
        ledger: purchases before `as_of`.
        catalogue: products sold until then.
        windows: what to foretell, from the oldest on; they do not overlap, and all end before the gate's.
        settings: today's.
    """

    as_of: datetime
    ledger: pl.DataFrame
    catalogue: pl.DataFrame
    windows: tuple[Window, ...]
    settings: Settings

    @cached_property
    def today(self) -> SearchPoint:
        """The point of today's settings, which is tried first."""
        return point_of(self.settings)

    @cached_property
    def name(self) -> str:
        """The study's name: 12 hex digits of all that a score depends on besides the point."""
        fixed = self.settings.model_dump_json(include=TRAINING_SETTINGS - {"als", "own_half_life_days"})
        about = (fixed, self.settings.als.iterations, dict(SPACE), [window.cut for window in self.windows])
        digest = hashlib.sha256(repr((about, list(package_versions().values()))).encode())
        for frame in (self.ledger, self.catalogue):
            digest.update(frame.hash_rows().to_numpy().tobytes())
        return digest.hexdigest()[:12]

    def judge(self, point: SearchPoint) -> float:
        """The mean NDCG@10 of the mixed list over the windows, trained before each with the settings of `point`.

        Raises:
            TooLittleDataError: nobody with a past bought in any of the windows.
        """
        settings = with_point(self.settings, point)
        shared, silent, figures = ExampleCache(self.ledger, self.catalogue, settings), Progress(show=False), []
        for window in self.windows:
            model = train_model(
                self.ledger,
                self.catalogue,
                window.cut,
                settings,
                silent,
                example_cache=shared,
                customers=window.customers,
            )
            ranking = rank_model(model, window, settings.list_length)
            figures.append(evaluate_window(window, {OURS: ranking}).scores[OURS][MEASURE])
        known = [figure for figure in figures if figure is not None]
        if not known:
            raise TooLittleDataError("nobody came back in the windows to tune on; a longer history is needed")
        return sum(known) / len(known)


@dataclass(frozen=True)
class Tuned:
    """The result of tuning.

    Attributes:
        validation: on what.
        n_trials: points tried, in earlier calls too.
        today, best: `best` is never below `today`; it is `today` where nothing was better.
    """

    validation: Validation
    n_trials: int
    today: Tried
    best: Tried

    def to_dict(self) -> dict[str, Any]:
        """The fields as plain JSON types; points by name of the setting."""
        return {
            "study": self.validation.name,
            "as_of": self.validation.as_of.isoformat(),
            "cuts": [window.cut.isoformat() for window in self.validation.windows],
            "horizon_days": self.validation.settings.horizon_days,
            "trials": self.n_trials,
            "today": {MEASURE: self.today.ndcg, "settings": named(self.today.point)},
            "best": {MEASURE: self.best.ndcg, "settings": named(self.best.point)},
        }


def build_validation(ledger: pl.DataFrame, catalogue: pl.DataFrame, settings: Settings) -> Validation:
    """The validation windows before the gate's: up to three with at least a horizon of history before them.

    Args:
        ledger: purchases as `training.ingest.ingest` returns them.
        catalogue: products; those not sold before the gate's window are left out.
        settings: today's; `horizon_days` is the length of each window.

    Raises:
        TooLittleDataError: not even one window has a past.
    """
    horizon = settings.horizon_days
    as_of = last_window(ledger, horizon).cut
    known = ledger.filter(pl.col("ordered_at") < as_of)
    first = known["ordered_at"].min()
    cuts = past_cuts(first, as_of, horizon, _WINDOWS) if isinstance(first, datetime) else []
    if not cuts:
        raise TooLittleDataError(
            f"nothing to tune on: before the last {horizon} days there must be at least {2 * horizon} more days of "
            f"purchases; use a longer file or a shorter horizon_days"
        )
    windows = tuple(split_window(known, cut, horizon) for cut in reversed(cuts))
    return Validation(as_of, known, catalogue.join(known, on="product_id", how="semi"), windows, settings)


def tune(
    validation: Validation,
    folder: Path,
    trials: int,
    *,
    may_go_on: Callable[[], bool] = lambda: True,
    on_trial: Callable[[int, Tried, Tried], None] = lambda *_: None,
) -> Tuned:
    """The best settings of: today's, the sampler's suggestions, and the best without each of its changes.

    Every trial is on disk when it is over, so a later call with the same `validation` goes on where this one ended, and
    the two together try what one undisturbed call would have. Ctrl-C ends the search, not the call.

    Source of the sampler: Bergstra et al. 2011, Algorithms for hyper-parameter optimization, NIPS 24.

    Args:
        validation: what to compare on.
        folder: for the trials; one file for each study.
        trials: how many there shall be, those of earlier calls included. At most one for each setting follows, which
            puts back a change that did not help.
        may_go_on: asked before every trial but the first.
        on_trial: is called with the number of each new trial, the trial, and the best one up to then.

    Raises:
        TooLittleDataError: see `Validation.judge`.
        HomeError: the trials cannot be kept.
    """
    today = validation.today
    with _open_study(folder, validation.name) as study:
        search = _Search(validation, study, on_trial)
        try:
            search.judge(today)
            while search.n_trials < trials and may_go_on():
                search.judge_next()
            search.put_back(may_go_on)
        except KeyboardInterrupt:
            if today not in search.figures:
                raise
        return Tuned(validation, search.n_trials, Tried(today, search.figures[today]), search.best)


class _Search:
    """What was tried so far, and what to try next."""

    def __init__(
        self, validation: Validation, study: optuna.Study, on_trial: Callable[[int, Tried, Tried], None]
    ) -> None:
        self._validation, self._study, self._on_trial = validation, study, on_trial
        done = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        self.n_trials = len(done)
        self.figures: dict[SearchPoint, float] = {
            tuple(trial.user_attrs[_POINT]): trial.value for trial in done if trial.value is not None
        }

    @property
    def best(self) -> Tried:
        """The highest figure; of equals the one that changes the fewest of today's settings, or the first."""
        today = self._validation.today

        def key(tried: tuple[SearchPoint, float]) -> tuple[float, int]:
            point, ndcg = tried
            return ndcg, sum(value == now for value, now in zip(point, today, strict=True))

        return Tried(*max(self.figures.items(), key=key))

    def judge(self, point: SearchPoint) -> None:
        """Try a point, unless it was tried before."""
        if point in self.figures:
            return
        ndcg = self._validation.judge(point)
        attributes = {_POINT: point}
        self._study.add_trial(
            optuna.trial.create_trial(
                params=params_of(point), distributions=dict(SPACE), value=ndcg, user_attrs=attributes
            )
        )
        self._note(point, ndcg)

    def judge_next(self) -> None:
        """Try what the sampler suggests."""
        # seeded by the number of trials done, and blind to those that never ended: a search that was broken off goes on
        # as if it had not been
        seed = (self._validation.settings.seed + self.n_trials) % 2**32
        self._study.sampler = optuna.samplers.TPESampler(seed=seed, constant_liar=False)
        trial = self._study.ask(dict(SPACE))
        point = rounded(trial.params)
        ndcg = self.figures[point] if point in self.figures else self._validation.judge(point)
        trial.set_user_attr(_POINT, point)
        self._study.tell(trial, ndcg)
        self._note(point, ndcg)

    def put_back(self, may_go_on: Callable[[], bool]) -> None:
        """Try the best with one setting after the other as it is today: what does not help is not changed."""
        for i, now in enumerate(self._validation.today):
            best = self.best.point
            point = (*best[:i], now, *best[i + 1 :])
            if point not in self.figures and not may_go_on():
                return
            self.judge(point)

    def _note(self, point: SearchPoint, ndcg: float) -> None:
        self.n_trials += 1
        self.figures[point] = ndcg
        self._on_trial(self.n_trials, Tried(point, ndcg), self.best)


@contextmanager
def _open_study(folder: Path, name: str) -> Iterator[optuna.Study]:
    """The trials of this name, kept in a file of their own. Raises HomeError."""
    path = make_folder(folder) / f"{name}.db"
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        storage = optuna.storages.RDBStorage(f"sqlite:///{path}")
        try:
            yield optuna.create_study(study_name=name, storage=storage, direction="maximize", load_if_exists=True)
        finally:
            storage.remove_session()
            storage.engine.dispose()
    except (StorageInternalError, SQLAlchemyError) as error:
        reason = str(error).splitlines()[0]
        raise HomeError(f"cannot keep trials in {path}: {reason}; free the disk or delete this file") from None
