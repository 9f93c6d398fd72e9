"""Windows of the past: horizons that are over, whose purchases tell what the purchases before them meant."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from recommender.days import day_of, midnight_of
from training.parts.plan import LARGE_SHOP

_GRID_DAYS = 7
"""Cuts are multiples of it in days since 1970-01-01: a training of tomorrow learns from nearly all of today's."""
_SEASON_DAYS = 360
"""Age of the window of a year ago: the last cut of the grid before it is half a week from the same date on average."""
_SEASON_HISTORY = 6
"""Horizons of history that a window of a year ago must have before it, to be anything like those of today."""
_SEASON_SHARE = 1 / 3


class Spacing(NamedTuple):
    """Windows to learn from: the newest of the grid, and those before it that began every so many `days`."""

    n: int
    days: int


_MANY, _FEW = Spacing(9, 2 * _GRID_DAYS), Spacing(3, 4 * _GRID_DAYS)


def learning_cuts(first: datetime, as_of: datetime, horizon_days: int, n_purchases: int) -> list[datetime]:
    """The cuts to learn from, newest first: of the latest windows, and of the one a year ago.

    The latter teaches what changes with the season that is coming, which the last months do not know yet. It is left
    out where less than six horizons of history lie before it. All are midnights of one weekly grid, whatever `as_of`
    is; the horizon of each is over by `as_of`, and at least as much history lies before it.

    Args:
        first: moment of the first purchase.
        as_of: moment of the training.
        horizon_days: length of a window.
        n_purchases: of the ledger; with more than a million, the windows are fewer.
    """
    spacing = _MANY if n_purchases <= LARGE_SHOP else _FEW
    newest = _on_grid(as_of - timedelta(days=horizon_days))
    before = _on_grid(newest - timedelta(days=1), spacing.days)
    latest = [newest, *(before - timedelta(days=spacing.days * age) for age in range(spacing.n - 1))]
    season = _season(as_of)
    horizon = timedelta(days=horizon_days)
    return _from(first + horizon, latest) + _from(
        first + _SEASON_HISTORY * horizon, [season] if season < latest[-1] else []
    )


def weigh_windows(cuts: Sequence[datetime], as_of: datetime) -> list[float]:
    """How much each of `learning_cuts` counts: that of a year ago as a third of the others together, at least as one.

    Alone of its kind among nine, it would be outvoted by what the last months know.
    """
    season = max(1.0, (len(cuts) - 1) * _SEASON_SHARE)
    return [season if cut == _season(as_of) else 1.0 for cut in cuts]


def past_cuts(first: datetime, as_of: datetime, horizon_days: int, n: int) -> list[datetime]:
    """Cuts of up to `n` past windows, newest first, one horizon apart.

    The horizon of each is over by `as_of`, and at least as much history lies before it, counted from `first`, the
    moment of the first purchase.
    """
    horizon = timedelta(days=horizon_days)
    return _from(first + horizon, [as_of - horizon * age for age in range(1, n + 1)])


def _season(as_of: datetime) -> datetime:
    return _on_grid(as_of - timedelta(days=_SEASON_DAYS))


def _on_grid(moment: datetime, days: int = _GRID_DAYS) -> datetime:
    """The last midnight up to a moment whose day is a multiple of `days`."""
    day = day_of(int(moment.timestamp()))
    return midnight_of(day - day % days)


def _from(earliest: datetime, cuts: Iterable[datetime]) -> list[datetime]:
    return [cut for cut in cuts if cut >= earliest]
