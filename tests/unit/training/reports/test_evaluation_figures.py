"""Two documents, one reading: the manifest's metrics and what `reprise evaluate --json` prints."""

import errno
import json
import os

import pytest

from recommender.errors import UnreadableFileError
from training.reports.evaluation_figures import EvaluationFigures, figures_of, read_evaluation

QUICK = {
    "cut": "2026-10-20T00:00:00+00:00",
    "horizon_days": 30,
    "n_customers": 900,
    "scores": {
        "popular": {"recall@10": 0.1, "repeat_recall@10": None, "n_customers": 900},
        "decayed_own": {"recall@10": 0.3, "n_customers": 900},
        "reprise": {"recall@10": 0.2, "n_customers": 900, "orders_1_recall@10": 0.1, "orders_1_n_customers": 40},
    },
}
BINS = {"days": 30, "n": 2000, "error": 0.004, "predicted": [0.1, 0.2], "observed": [0.12, 0.19], "counts": [9, 9]}


def window(cut: str, ours: float | None, n: int) -> dict:
    scores = {"reprise": {"recall@10": ours, "n_customers": n}, "popular": {"recall@10": 0.1, "n_customers": n}}
    return {"cut": cut, "scores": scores, "calibration": {"lists": BINS}, "lists": {"similar": {"coverage": 0.5}}}


LONG = {
    "horizon_days": 30,
    "windows": [window("2026-09-01T00:00:00", 0.2, 10), window("2026-10-01T00:00:00", 0.4, 20)],
    "mean": {"reprise": {"recall@10": [0.33, 0.25, 0.41]}, "popular": {"recall@10": [None, None, None]}},
    "lead": {
        "recall@10": {"baseline": "popular", "difference": [0.23, 0.15, 0.31]},
        "orders_0_recall@10": {"baseline": "popular", "difference": [None, None, None]},
    },
}


def test_the_manifests_own_figures():
    figures = figures_of(QUICK)
    assert (figures.cuts, figures.horizon_days) == (("2026-10-20",), 30)
    assert figures.rankings == ["reprise", "decayed_own", "popular"]
    assert figures.best_baseline == "decayed_own"
    assert figures.score("reprise", "recall@10") == 0.2
    assert not figures.has("repeat_recall@10"), "nobody could be scored"
    assert not figures.intervals


def test_windows_are_averaged_and_their_customers_added():
    figures = figures_of(LONG)
    assert figures.cuts == ("2026-09-01", "2026-10-01")
    assert figures.score("reprise", "recall@10") == pytest.approx(0.3)
    assert figures.score("reprise", "n_customers") == 30
    assert figures.intervals == {"reprise": {"recall@10": (0.25, 0.41)}, "popular": {}}
    assert figures.lead == {"recall@10": ("popular", (0.23, 0.15, 0.31))}


@pytest.mark.parametrize("nothing", [None, float("nan")])
def test_a_window_in_which_nobody_could_be_scored_is_left_out_of_the_mean(nothing):
    figures = figures_of({**LONG, "windows": [window("2026-09-01", nothing, 0), window("2026-10-01", 0.4, 20)]})
    assert figures.score("reprise", "recall@10") == 0.4


@pytest.mark.parametrize("document", [{}, {"cut": "2026-10-20", "horizon_days": 30, "scores": {}}])
def test_nothing_gives_no_figures(document):
    assert figures_of(document) == EvaluationFigures()


def test_an_evaluation_is_read_from_its_file(tmp_path):
    (tmp_path / "evaluation.json").write_text(json.dumps(LONG))
    assert read_evaluation(tmp_path / "evaluation.json") == figures_of(LONG)


@pytest.mark.parametrize("content", ["", "[]", "7", "null", '{"scores": 1}', '{"windows": [{}]}', '{"windows": {}}x'])
def test_another_file_is_refused_by_name(tmp_path, content):
    path = tmp_path / "other.json"
    path.write_text(content)
    with pytest.raises(UnreadableFileError, match=r"other\.json is no evaluation; make one with `reprise evaluate"):
        read_evaluation(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UnreadableFileError, match=rf"cannot read .*gone\.json: {os.strerror(errno.ENOENT)}"):
        read_evaluation(tmp_path / "gone.json")
