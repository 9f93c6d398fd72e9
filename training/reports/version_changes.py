"""Changes of a version against the one before: counts, scores, products, and overlap of lists."""

from collections.abc import Mapping
from dataclasses import dataclass

from recommender.publication.lists import ListName, ListTable
from recommender.publication.manifest import Publication
from training.reports.charts import Bar, Chart, Table, bar_chart, number, percent
from training.reports.evaluation_figures import OURS, EvaluationFigures, figures_of

_DEPTH = 10
_COMPARED: tuple[ListName, ...] = ("similar", "together", "popular", "trending")
_MEASURES = ("recall@10", "ndcg@10", "repeat_recall@10", "discover_recall@10", "coverage@10")
_EXAMPLES = 5


@dataclass(frozen=True)
class VersionChanges:
    """The changes between two versions.

    Attributes:
        since: name of the version before.
        table: figure, before, now, change.
        chart: the share of the first ten places that hold what they held before in any order; None without lists.
        new, gone: how many products came and went, with the titles of a few.
    """

    since: str
    table: Table
    chart: Chart | None
    new: str
    gone: str


def compare_versions(publication: Publication, previous: Publication) -> VersionChanges:
    """The changes from `previous` to `publication`, both as saved. Scores of two windows differ by chance as well."""
    now, before = _titles(publication), _titles(previous)
    return VersionChanges(
        since=previous.manifest.version,
        table=Table(
            ("", "before", "now", "change"),
            [*_count_rows(publication, previous), *_measure_rows(publication, previous)],
        ),
        chart=_overlap_chart(publication, previous),
        new=_some([now[product_id] for product_id in now.keys() - before.keys()]),
        gone=_some([before[product_id] for product_id in before.keys() - now.keys()]),
    )


def overlap(table: ListTable, ids: list[str], other: ListTable, other_ids: list[str]) -> float | None:
    """Overlap of two tables: the share of each list's first ten products among the same owner's first ten in the other.

    The mean over the owners whose two lists are not empty, of what is in both over the longer one's length.

    Args:
        table: lists.
        ids: product_id by product_index of `table`.
        other: lists to compare with.
        other_ids: product_id by product_index of `other`.

    Returns:
        None where no owner has both.
    """
    mine, theirs = _first_places(table, ids), _first_places(other, other_ids)
    shares = [
        len(mine[owner] & theirs[owner]) / max(len(mine[owner]), len(theirs[owner]))
        for owner in mine
        if mine[owner] and theirs.get(owner)
    ]
    return sum(shares) / len(shares) if shares else None


def _count_rows(publication: Publication, previous: Publication) -> list[tuple[str, ...]]:
    now, before = publication.manifest.counts, previous.manifest.counts
    return [
        (name, f"{before[name]:,}", f"{count:,}", _relative(count, before[name]))
        for name, count in sorted(now.items())
        if name in before
    ]


def _measure_rows(publication: Publication, previous: Publication) -> list[tuple[str, ...]]:
    now, before = figures_of(publication.manifest.metrics), figures_of(previous.manifest.metrics)
    known = now.scores.get(OURS, {}).keys() & before.scores.get(OURS, {}).keys()
    return [_measure_row(measure, now, before) for measure in _MEASURES if measure in known]


def _measure_row(measure: str, now: EvaluationFigures, before: EvaluationFigures) -> tuple[str, ...]:
    new, old = now.score(OURS, measure), before.score(OURS, measure)
    return measure.replace("_", " "), number(old), number(new), f"{new - old:+.3f}"


def _relative(now: float, before: float) -> str:
    return f"{now / before - 1:+.1%}".replace("%", " %") if before else "-"


def _overlap_chart(publication: Publication, previous: Publication) -> Chart | None:
    ids, other_ids = ([product.product_id for product in each.products] for each in (publication, previous))
    stayed = {name: overlap(publication.tables[name], ids, previous.tables[name], other_ids) for name in _COMPARED}
    bars = [Bar(name, 100 * share, percent(share), strong=True) for name, share in stayed.items() if share is not None]
    heading = "What stayed on the lists"
    return Chart(heading, bar_chart(heading, "% of the first ten places", bars)) if bars else None


def _first_places(table: ListTable, ids: list[str]) -> dict[str, set[str]]:
    starts, product = table.starts.tolist(), table.records["product_index"]
    return {
        owner: {ids[index] for index in product[first : min(first + _DEPTH, last)].tolist()}
        for owner, first, last in zip(table.owner_ids, starts, starts[1:], strict=False)
    }


def _titles(publication: Publication) -> Mapping[str, str]:
    return {product.product_id: product.title or product.product_id for product in publication.products}


def _some(titles: list[str]) -> str:
    if not titles:
        return "none"
    examples = ", ".join(sorted(titles)[:_EXAMPLES])
    return f"{len(titles):,}: {examples}{', …' if len(titles) > _EXAMPLES else ''}"
