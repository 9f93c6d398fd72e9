"""Predicted against observed on lists made by hand."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from recommender.cli.progress import Progress
from recommender.publication.lists import Own
from recommender.settings import AlsSettings, Settings
from recommender.slate.due import due
from tests.support.worlds import AS_OF, new_customer
from tests.unit.training.evaluation.test_last_window import NO_PRODUCTS
from training.dataset.split import Window, split_window
from training.evaluation import calibration
from training.evaluation.calibration import judge_probabilities
from training.ranking.model import Model, train_model


@pytest.fixture(scope="module")
def window() -> Window:
    """The last 10 days: the ten regulars bought BREAD and MILK on their usual day, five of them CHEESE too."""
    return split_window(new_customer(), AS_OF - timedelta(days=10), 10)


@pytest.fixture(scope="module")
def model(window: Window) -> Model:
    settings = Settings(list_length=5, als=AlsSettings(factors=4, iterations=2))
    return train_model(window.past, NO_PRODUCTS, window.cut, settings, Progress(show=False))


def with_scores(model: Model, score: float) -> Model:
    records = model.tables["buy_again"].records.copy()
    records["score"] = score
    return replace(model, tables={**model.tables, "buy_again": replace(model.tables["buy_again"], records=records)})


def test_pairs_on_the_lists_are_judged(window, model):
    """All 25 own products were bought again; the five of discover were not, and have no probability."""
    judged = judge_probabilities(with_scores(model, 0.75), window)["lists"]
    assert (judged["days"], judged["n"], judged["error"]) == (10, 25, 0.25)
    assert (judged["mean_predicted"], judged["mean_observed"]) == (0.75, 1)
    assert sum(judged["counts"]) == 25


def test_the_first_ten_of_each_customer_are_judged_alone(window, model, monkeypatch):
    """Of two own products and two new ones with probabilities, the likeliest of all and of each list are shown."""
    monkeypatch.setattr(calibration, "_SHOWN", 1)
    first, new = with_scores(model, 0.5), model.tables["discover"].records.copy()
    own = first.tables["buy_again"]
    own.records["score"][own.starts[:-1]] = 0.75
    new["score"] = 0.25
    tables = {**first.tables, "discover": replace(model.tables["discover"], records=new)}
    judged = judge_probabilities(replace(first, tables=tables), window)
    n = len(own.owner_ids)
    assert {name: (each["n"], each["mean_predicted"]) for name, each in judged.items() if name.endswith("shown")} == {
        "lists_shown": (n, 0.75),
        "buy_again_shown": (n, 0.75),
        "discover_shown": (np.count_nonzero(np.diff(model.tables["discover"].starts)), 0.25),
        "due_7_shown": (n, pytest.approx(judged["due_7_shown"]["mean_predicted"])),
    }
    assert judged["lists"]["n"] == len(own.records) + len(new)


def test_due_is_what_the_service_says_as_far_as_the_window_reaches(window, model):
    judged = judge_probabilities(model, window)
    own = [Own(*record) for record in model.tables["buy_again"].records.tolist()]
    expected = [due(each, window.cut).probability[7] for each in own]
    assert judged["due_7"]["mean_predicted"] == pytest.approx(sum(expected) / len(expected))
    assert set(judged) == {"due_7", "due_7_shown"}


def test_a_purchase_after_the_days_does_not_count(window, model):
    late = replace(window, later=window.later.with_columns(pl.lit(window.cut + timedelta(days=8)).alias("ordered_at")))
    assert judge_probabilities(model, late)["due_7"]["mean_observed"] == 0
