r"""The next basket of TaFeng's customers: ours beside published methods.

    python tests/benchmarks/next_basket.py --data DIR [--json]

DIR holds `baskets.json`, customer → baskets in order, each a list of product numbers, without dates, and
`fold_0.json` and so on: `train`, `val` and `test` customers. The last basket of every customer is the truth. Protocol
of Li, Jullien, Ariannezhad, de Rijke, A Next Basket Recommendation Reality Check, ACM TOIS 2023: the last baskets of
train customers may be learned from, those of validation customers only choose parameters, those of test customers are
only scored. NDCG divides by the ideal of min(k, n); PHR is the share of customers with a hit. Every customer counts
the same.

Parameters of the simple methods are chosen in each fold by Recall@10 of its validation customers. ALS and Reprise run
with the default settings: nothing is chosen here.
"""

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from pathlib import Path
from time import perf_counter

import numpy as np
from next_basket_data import KS, Baskets, Fold, Lists, Problem, pose, read_baskets, read_folds
from next_basket_methods import (
    Known,
    Method,
    decayed_and_popular,
    rank_by,
    read_known,
    score_general,
    score_personal,
    score_personal_then_general,
    tifu_knn,
    up_cf,
)
from next_basket_ours import rank_als, rank_ours

from training.evaluation.offline_metrics import hit_rate_at_k, ndcg_at_k, recall_at_k

Figures = dict[str, float]
"""Measure → mean over customers."""

SIMPLE: Mapping[str, Sequence[Method]] = {
    "G-TopFreq": [score_general],
    "P-TopFreq": [score_personal],
    "GP-TopFreq": [score_personal_then_general],
    "Decayed counts + popular": [
        decayed_and_popular(*each) for each in product((0.6, 0.8, 0.9, 1.0), (1.0, 2.0, 4.0, 6.0))
    ],
    "UP-CF@r": [up_cf(*each) for each in product((1, 5, 10), (1, 2, 5), (0.5, 0.75, 0.9))],
    "TIFU-KNN": [
        tifu_knn(group, 0.9, between, own) for group, between, own in product((3, 7), (0.5, 0.7), (0.05, 0.1, 0.3, 0.7))
    ],
}
"""Method → with each of the parameters to choose from."""
WHOLE: Mapping[str, Callable[[Problem], Lists]] = {"ALS": rank_als, "Reprise": rank_ours}


def run_fold(baskets: Baskets, fold: Fold) -> dict[str, Figures]:
    """Method → its figures for the test customers of one fold, and the seconds that it took, choosing included."""
    validation, test = pose(baskets, fold, fold.val), pose(baskets, fold, fold.test)
    known = read_known(test)  # that of the validation, too: both hide the same baskets
    ranks = {name: _choosing(methods, baskets, validation, known) for name, methods in SIMPLE.items()} | WHOLE
    figures = {}
    for name, rank in ranks.items():
        start = perf_counter()
        lists = rank(test)
        figures[name] = judge(lists, baskets, fold.test) | {"seconds": perf_counter() - start}
    return figures


def _choosing(
    methods: Sequence[Method], baskets: Baskets, validation: Problem, known: Known
) -> Callable[[Problem], Lists]:
    """Ranks with the method that has the best Recall@10 on the validation customers."""

    def recall(method: Method) -> float:
        return judge(rank_by(method, validation, known), baskets, validation.asked)["R@10"]

    return lambda test: rank_by(methods[0] if len(methods) == 1 else max(methods, key=recall), test, known)


def judge(lists: Lists, baskets: Baskets, customers: Sequence[str]) -> Figures:
    """Recall, NDCG and PHR of the customers' lists against their last baskets, at each of KS."""
    truth = [set(baskets[each][-1]) for each in customers]
    n_relevant = np.array([len(each) for each in truth])
    hits = np.zeros((len(truth), max(KS)), dtype=bool)
    for row, (ranked, relevant) in enumerate(zip(lists, truth, strict=True)):
        hits[row, : len(ranked)] = [each in relevant for each in ranked]
    measures = {
        "R": recall_at_k,
        "NDCG": ndcg_at_k,
        "PHR": hit_rate_at_k,
    }
    return {
        f"{name}@{k}": float(measure(hits[:, :k], n_relevant).mean()) for k in KS for name, measure in measures.items()
    }


def summarise(folds: Sequence[Mapping[str, Figures]]) -> dict[str, dict[str, dict[str, float]]]:
    """Method → measure → mean and sample standard deviation over the folds (0 with one fold)."""
    return {
        method: {
            measure: {
                "mean": float(np.mean([fold[method][measure] for fold in folds])),
                "sd": float(np.std([fold[method][measure] for fold in folds], ddof=min(1, len(folds) - 1))),
            }
            for measure in folds[0][method]
        }
        for method in folds[0]
    }


def main() -> None:
    """Print a line per method, or one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of baskets.json and fold_*.json")
    parser.add_argument("--json", action="store_true", help="one JSON document: method → measure → mean and sd")
    arguments = parser.parse_args()
    baskets = read_baskets(arguments.data)
    table = summarise([run_fold(baskets, fold) for fold in read_folds(arguments.data)])
    print(json.dumps(table, indent=2) if arguments.json else "\n".join(_lines(table)))


def _lines(table: Mapping[str, Mapping[str, Mapping[str, float]]]) -> list[str]:
    measures = [f"{name}@{k}" for k in KS for name in ("R", "NDCG", "PHR")]
    header = f"{'mean ± sd over folds':26s}" + "".join(f"{each:>14s}" for each in measures) + f"{'seconds':>9s}"
    rows = [
        f"{method:26s}"
        + "".join(f"{figures[each]['mean']:8.4f} ±{figures[each]['sd']:.3f}" for each in measures)
        + f"{figures['seconds']['mean']:9.1f}"
        for method, figures in table.items()
    ]
    return [header, *rows]


if __name__ == "__main__":
    main()
