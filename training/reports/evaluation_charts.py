"""Charts of an evaluation for the version report; none where there are no figures."""

from collections.abc import Iterator, Mapping
from typing import Any

from markupsafe import Markup

from training.reports.charts import Axis, Bar, Chart, Series, Table, axis, bar_chart, number, percent, plot
from training.reports.evaluation_figures import OURS, EvaluationFigures

_RANKINGS = {
    OURS: "Reprise",
    "popular": "Best sellers",
    "trending": "Trending",
    "own_counts": "Own purchases",
    "decayed_own": "Own decayed + popular",
    "tifu_knn": "TIFU-KNN",
    "item_cosine": "Item-item cosine",
    "als": "ALS alone",
    "bpr": "BPR",
}
_SLICES = {"": "All that was bought", "repeat_": "Bought before", "discover_": "Never bought before"}
_MEASURES = {"recall@10": "recall@10", "ndcg@10": "NDCG@10"}
_COLUMNS = {
    "recall@10": "recall@10",
    "ndcg@10": "NDCG@10",
    "hit_rate@10": "hit rate@10",
    "map@10": "MAP@10",
    "coverage@10": "coverage@10",
    "novelty@10": "novelty@10, bits",
    "repeat_share@10": "repeats in the list",
}
_ORDERS = {"orders_0_": "none", "orders_1_": "1", "orders_2_4_": "2-4", "orders_5_": "5+"}
_LIST_FIGURES = {
    "coverage": "products that stand on any list",
    "same_category_share": "places in the owner's category",
    "same_category_by_chance": "the same by lot",
    "best_seller_share": "places of the ten best sellers",
    "co_purchase_hit_rate": "found in the same later order",
    "co_purchase_hit_rate_popular": "the same for best sellers",
}


def headline(figures: EvaluationFigures) -> str | None:
    """The headline of an evaluation, in words; None without figures."""
    best = figures.best_baseline
    if best is None or not figures.has("recall@10"):
        return None
    n_customers, windows = figures.score(OURS, "n_customers", 0), ", ".join(figures.cuts)
    return (
        f"Of what {n_customers:,.0f} returning customers bought in the {figures.horizon_days} days from {windows}, the "
        f"first ten places of their lists held {percent(figures.score(OURS, 'recall@10'))}. The best baseline, "
        f"“{name_of(best)}”, held {percent(figures.score(best, 'recall@10'))}{_lead(figures)}."
    )


def comparison(figures: EvaluationFigures) -> list[Chart]:
    """Bar charts of all rankings, by slice and measure, of those with a scored customer."""
    return [
        Chart(f"{words}: {label}", _bars(figures, f"{piece}{measure}", f"{words}: {label}", label))
        for measure, label in _MEASURES.items()
        for piece, words in _SLICES.items()
        if figures.has(f"{piece}{measure}")
    ]


def score_table(figures: EvaluationFigures) -> Table | None:
    """The table of all rankings' scores of the mixed list; None without figures."""
    found = [measure for measure in _COLUMNS if figures.has(measure)]
    rows = [(name_of(name), *(number(figures.score(name, each)) for each in found)) for name in figures.rankings]
    return Table(("ranking", *(_COLUMNS[measure] for measure in found)), rows) if found else None


def by_orders(figures: EvaluationFigures) -> list[Chart]:
    """Charts of scores by a customer's number of orders: the model, the best baseline and best sellers."""
    names = [name for name in figures.rankings if name in {OURS, figures.best_baseline, "popular"}]
    return [
        _orders_chart(figures, names, measure, label)
        for measure, label in _MEASURES.items()
        if any(figures.has(f"{piece}{measure}") for piece in _ORDERS)
    ]


_PROBABILITIES = {
    "lists": "Ranked lists",
    "lists_shown": "Ranked lists, first ten",
    "buy_again_shown": "To buy again, first ten",
    "discover_shown": "To discover, first ten",
}
"""Kinds of probabilities but those of due dates; see `training.evaluation.calibration`."""


def calibration(figures: EvaluationFigures) -> list[Chart]:
    """Reliability diagrams, one for each kind of probability that has bins."""
    return [_calibration_chart(name, bins) for name, bins in figures.calibration.items() if bins.get("predicted")]


def list_table(figures: EvaluationFigures) -> Table | None:
    """The table of the scores of products' lists; None where they were not evaluated."""
    rows = [
        (words, *(_share(judged.get(key)) for judged in figures.lists.values()))
        for key, words in _LIST_FIGURES.items()
        if any(judged.get(key) is not None for judged in figures.lists.values())
    ]
    return Table(("first ten places", *figures.lists), rows) if rows else None


def name_of(ranking: str) -> str:
    """The label of a ranking; its own name where it has none."""
    return _RANKINGS.get(ranking, ranking)


def _lead(figures: EvaluationFigures) -> str:
    """The interval of the lead, where it was drawn."""
    if "recall@10" not in figures.lead:
        return ""
    _, (mean, low, high) = figures.lead["recall@10"]
    return f"; the lead is {mean:+.3f}, between {low:+.3f} and {high:+.3f} at 95 %"


def _bars(figures: EvaluationFigures, measure: str, title: str, label: str) -> Markup:
    bars = [
        Bar(name_of(name), value, number(value), figures.intervals.get(name, {}).get(measure), strong=name == OURS)
        for name in figures.rankings
        if (value := figures.scores[name].get(measure)) is not None
    ]
    return bar_chart(title, label, bars)


def _orders_chart(figures: EvaluationFigures, names: list[str], measure: str, label: str) -> Chart:
    lines = [
        Series(name_of(name), list(_orders_points(figures, name, measure)), f"series-{i}", dots=True)
        for i, name in enumerate(names, start=1)
    ]
    highest = max(up for line in lines for _, up in line.points)
    counts = {words: figures.score(OURS, f"{piece}n_customers", 0) for piece, words in _ORDERS.items()}
    ticks = [(place + 0.5, f"{words} ({n:,.0f})") for place, (words, n) in enumerate(counts.items())]
    x = Axis("past orders (customers)", len(_ORDERS), ticks)
    svg = plot(f"{label} by number of past orders", x, axis(label, highest), lines)
    return Chart(label, svg, tuple((line.name, line.look) for line in lines))


def _orders_points(figures: EvaluationFigures, name: str, measure: str) -> Iterator[tuple[float, float]]:
    for place, piece in enumerate(_ORDERS):
        value = figures.scores[name].get(f"{piece}{measure}")
        if value is not None:
            yield place + 0.5, value


def _calibration_chart(name: str, bins: Mapping[str, Any]) -> Chart:
    points = list(zip(bins["predicted"], bins["observed"], strict=True))
    highest = max(max(point) for point in points)
    x, y = axis("predicted probability", highest), axis("share that was bought", highest)
    perfect = Series("as predicted", [(0, 0), (x.high, y.high)], "reference")
    ours = Series("Reprise", points, dots=True)
    kind = _PROBABILITIES.get(name, "Due dates, first ten" if name.endswith("_shown") else "Due dates")
    heading = f"{kind}, {bins['days']} days: error {bins['error']:.4f} over {bins['n']:,} pairs"
    return Chart(heading, plot(heading, x, y, [perfect, ours]), ((ours.name, ours.look), (perfect.name, perfect.look)))


def _share(value: float | None) -> str:
    return "-" if value is None else percent(value)
