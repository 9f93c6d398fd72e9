"""The tables that `reprise evaluate` prints."""

from collections.abc import Sequence

from recommender.cli.console import echo, print_table
from training.evaluation.bootstrap import Interval
from training.evaluation.compare import Comparison, Judged
from training.evaluation.last_window import OURS

_K = 10
_MAIN = (f"recall@{_K}", f"ndcg@{_K}", f"hit_rate@{_K}", f"map@{_K}")
_ACCURACY = (f"recall@{_K}", f"ndcg@{_K}")
_SLICES = {
    "repeat only": "repeat_",
    "discover only": "discover_",
    "no past order": "orders_0_",
    "1 past order": "orders_1_",
    "2-4 past orders": "orders_2_4_",
    "5+ past orders": "orders_5_",
}


def print_comparison(comparison: Comparison) -> None:
    """Scores of all windows together, then the results of each window."""
    cuts = ", ".join(f"{judged.window.cut:%Y-%m-%d}" for judged in comparison.windows)
    days = comparison.windows[0].window.horizon_days
    echo(f"\n{days} days from {cuts}; 95 % intervals over customers in brackets")
    _print_accuracy(comparison, "mixed list", _MAIN)
    for title, piece in _SLICES.items():
        _print_accuracy(comparison, title, [f"{piece}{measure}" for measure in _ACCURACY])
    _print_lead(comparison)
    for judged in comparison.windows:
        _print_window(judged)
    _print_tuned(comparison)


def _print_accuracy(comparison: Comparison, title: str, measures: Sequence[str]) -> None:
    n = sum(int(judged.scores[OURS][f"{_slice_of(measures[0])}n_customers"] or 0) for judged in comparison.windows)
    if n:
        rows = [(name, *(_with_interval(comparison, name, each) for each in measures)) for name in comparison.rankings]
        columns = [measure.removeprefix(_slice_of(measure)) for measure in measures]
        print_table(("ranking", *columns), rows, title=f"{title}, {n:,} lists")


def _print_lead(comparison: Comparison) -> None:
    measures = {f"{title} {one}": piece + one for title, piece in {"mixed": "", **_SLICES}.items() for one in _ACCURACY}
    rows = [(title, comparison.best_baseline(each), _signed(comparison.lead(each))) for title, each in measures.items()]
    rows += [
        (title, name, _signed(comparison.resampled.difference(OURS, name, each)))
        for name in comparison.also
        for title, each in measures.items()
    ]
    others = "best of the others" if comparison.also else "best baseline"
    rows = [row for row in rows if "nan" not in row[2]]
    print_table(("measure", others, "ours less its"), rows, title="lead")


def _print_window(judged: Judged) -> None:
    window = judged.window
    truth = f"{len(window.repeat) / len(window.truth):.0%} of what was bought are repeats" if len(window.truth) else ""
    measures = (f"coverage@{_K}", f"repeat_share@{_K}", f"novelty@{_K}")
    rows = [(name, *(_number(scores[measure]) for measure in measures)) for name, scores in judged.scores.items()]
    title = f"window from {window.cut:%Y-%m-%d}, {len(window.customers):,} customers; {truth}"
    print_table(("ranking", *measures), rows, title=title)
    columns = ("probability", "within days", "pairs", "error", "predicted", "observed")
    print_table(
        columns,
        [
            (
                name,
                each["days"],
                f"{each['n']:,}",
                *(f"{each[key]:.4f}" for key in ("error", "mean_predicted", "mean_observed")),
            )
            for name, each in judged.probabilities.items()
        ],
        title="calibration over all customers",
    )
    keys = list(next(iter(judged.lists.values())))
    print_table(
        ("lists of a product", *judged.lists),
        [(key.replace("_", " "), *(_number(figures[key]) for figures in judged.lists.values())) for key in keys],
        title=f"first {_K} of each product's list",
    )


def _print_tuned(comparison: Comparison) -> None:
    tuned, cut = comparison.chosen, f"{comparison.chosen_cut:%Y-%m-%d}"
    tifu = ", ".join(f"{name} {value:g}" for name, value in tuned.tifu.to_dict().items())
    decayed = f"half-life {tuned.half_life_days:g} days, popularity {tuned.popularity:g}"
    echo(f"Tuned on the window from {cut}: decayed_own {decayed}; tifu_knn {tifu}")


def _slice_of(measure: str) -> str:
    return next((piece for piece in _SLICES.values() if measure.startswith(piece)), "")


def _with_interval(comparison: Comparison, ranking: str, measure: str) -> str:
    interval = comparison.resampled.interval(ranking, measure)
    return f"{interval.mean:.3f} [{interval.low:.3f}, {interval.high:.3f}]"


def _signed(interval: Interval) -> str:
    return f"{interval.mean:+.3f} [{interval.low:+.3f}, {interval.high:+.3f}]"


def _number(figure: object) -> str:
    return f"{figure:.3f}" if isinstance(figure, float) else "-" if figure is None else str(figure)
