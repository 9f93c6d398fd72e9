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


def judge_probabilities(model: Model, window: Window) -> dict[str, Any]:
    """The calibration of each kind of probability in 20 bins of equal mass.

    Judged are the pairs of a customer and a product on a published personal list.

    Returns:
        `lists`: the probabilities by which both lists are ranked, of a purchase within the window; `due_7`, `due_14`,
        `due_30`: those of `recommender.slate.due` for what was bought before, as far as the window reaches. Each a
        dict of `days`, `n` pairs, `error`, `mean_predicted`, `mean_observed`, and the bins' `predicted`, `observed` and
        `counts`. Left out where nothing was predicted.
    """
    pairs = {name: _pairs(model, model.tables[name]) for name in ("buy_again", "discover")}
    own = model.tables["buy_again"].records
    scores = np.concatenate([own["score"], model.tables["discover"].records["score"]]).astype(np.float64)
    judged = {"lists": _judge(pl.concat(pairs.values()), scores, window, window.horizon_days)}
    for days, probability in _due_probabilities(model).items():
        if days <= window.horizon_days:
            judged[f"due_{days}"] = _judge(pairs["buy_again"], probability, window, days)
    return {name: figures for name, figures in judged.items() if figures["n"]}


def _pairs(model: Model, table: ListTable) -> pl.DataFrame:
    """customer_id and product_id of every record."""
    customers = pl.Series(table.owner_ids, dtype=pl.String).gather(owners_of(table.starts))
    products = pl.Series(model.snapshot.products.ids, dtype=pl.String).gather(table.records["product_index"])
    return pl.DataFrame([customers.rename(PAIR[0]), products.rename(PAIR[1])])


def _due_probabilities(model: Model) -> dict[int, NDArray[np.float64]]:
    """Days → (n,) for every record of `buy_again`, just as the service computes them."""
    as_of = model.snapshot.as_of
    each = [due(Own(*record), as_of).probability for record in model.tables["buy_again"].records.tolist()]
    return {days: np.array([probability[days] for probability in each]) for days in HORIZONS_DAYS}


def _judge(pairs: pl.DataFrame, probability: NDArray[np.float64], window: Window, days: int) -> dict[str, Any]:
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
