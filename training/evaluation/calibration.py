"""Calibration of the published probabilities over all customers, those who bought nothing included."""

from datetime import timedelta
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recommender.publication.lists import ListTable, Own
from recommender.slate.due import HORIZONS_DAYS, due
from training.dataset.ranked_lists import owners_of
from training.dataset.split import PAIR, Window
from training.evaluation.offline_metrics import calibration_error, reliability
from training.ranking.model import Model

_SHOWN = 10
"""Products of a customer that count as shown."""


def judge_probabilities(model: Model, window: Window) -> dict[str, Any]:
    """The calibration of each kind of probability in 20 bins of equal mass.

    Judged are the pairs of a customer and a product on a published personal list.

    Returns:
        `lists`: the probabilities by which both lists are ranked, of a purchase within the window; `due_7`, `due_14`,
        `due_30`: those of `recommender.slate.due` for what was bought before, as far as the window reaches. With the
        ending `_shown` the first ten of each customer alone, of both lists in one order, `buy_again_shown` and
        `discover_shown` those of one list: who picks the highest of many estimates picks those that err upwards. Each
        a dict of `days`, `n` pairs, `error`, `mean_predicted`, `mean_observed`, and the bins' `predicted`, `observed`
        and `counts`. Left out where nothing was predicted.
    """
    own, new = (_pairs(model, model.tables[name]) for name in ("buy_again", "discover"))
    both = _with_places(pl.concat([own, new]))
    judged = {
        "lists": (both, window.horizon_days),
        "lists_shown": (_first(both), window.horizon_days),
        "buy_again_shown": (_first(own), window.horizon_days),
        "discover_shown": (_first(new), window.horizon_days),
    }
    for days, probability in _due_probabilities(model).items():
        if days <= window.horizon_days:
            due_pairs = own.with_columns(probability=probability)
            judged |= {f"due_{days}": (due_pairs, days), f"due_{days}_shown": (_first(due_pairs), days)}
    figures = {name: _judge(pairs, window, days) for name, (pairs, days) in judged.items()}
    return {name: each for name, each in figures.items() if each["n"]}


def _pairs(model: Model, table: ListTable) -> pl.DataFrame:
    """customer_id, product_id, probability and place from 0 of every record."""
    customers = pl.Series(table.owner_ids, dtype=pl.String).gather(owners_of(table.starts))
    products = pl.Series(model.snapshot.products.ids, dtype=pl.String).gather(table.records["product_index"])
    pairs = pl.DataFrame([customers.rename(PAIR[0]), products.rename(PAIR[1])])
    return _with_places(pairs.with_columns(probability=table.records["score"].astype(np.float64)))


def _with_places(pairs: pl.DataFrame) -> pl.DataFrame:
    """The same rows with their places by falling probability, ties in order."""
    place = (-pl.col("probability")).rank("ordinal").over(PAIR[0]) - 1
    return pairs.with_columns(place=place)


def _first(pairs: pl.DataFrame) -> pl.DataFrame:
    return pairs.filter(pl.col("place") < _SHOWN)


def _due_probabilities(model: Model) -> dict[int, NDArray[np.float64]]:
    """Days → (n,) for every record of `buy_again`, just as the service computes them."""
    as_of = model.snapshot.as_of
    each = [due(Own(*record), as_of).probability for record in model.tables["buy_again"].records.tolist()]
    return {days: np.array([probability[days] for probability in each]) for days in HORIZONS_DAYS}


def _judge(pairs: pl.DataFrame, window: Window, days: int) -> dict[str, Any]:
    probability = pairs["probability"].to_numpy()
    later = window.later.filter(pl.col("ordered_at") < window.cut + timedelta(days=days))
    bought = pairs.join(
        later.select(PAIR).unique().with_columns(bought=True), on=PAIR, how="left", maintain_order="left"
    )
    came = bought["bought"].fill_null(value=False).to_numpy()
    stated = ~np.isnan(probability)
    bins = reliability(probability[stated], came[stated])
    return {
        "days": days,
        "n": int(stated.sum()),
        "error": calibration_error(bins),
        "mean_predicted": float(probability[stated].mean()) if stated.any() else None,
        "mean_observed": float(came[stated].mean()) if stated.any() else None,
        "predicted": bins.predicted.tolist(),
        "observed": bins.observed.tolist(),
        "counts": bins.n.tolist(),
    }
