"""The gate: refuses a model that is worse than its baselines or the live version, or whose lists are broken."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from recommender.publication.lists import LIST_NAMES, RECORDS, WHOLE_SHOP, ListName, ListTable
from recommender.publication.manifest import Manifest, Publication
from recommender.publication.product import Product
from training.dataset.pair_keys import unique_keys
from training.evaluation.last_window import OURS, Evaluation, K

MEASURES = (f"recall@{K}", f"ndcg@{K}")
MIN_CUSTOMERS = 20
"""With fewer buyers in the window chance decides: one lucky customer moves a figure by more than the tolerance."""
PER_PRODUCT: frozenset[ListName] = frozenset({"similar", "together"})
PER_CUSTOMER: frozenset[ListName] = frozenset({"buy_again", "discover"})
_PERFECT = 1 - 1e-9


@dataclass(frozen=True)
class GateVerdict:
    """The gate's verdict on an evaluation.

    Attributes:
        verdict: `passed`; `refused`: not to be published unless forced; `skipped`: too little data to judge by, which
            is no reason to keep a new shop from its first version, so it is published, with the reason on record.
        reasons: why not `passed`, in words with figures; () where it passed.
    """

    verdict: Literal["passed", "refused", "skipped"]
    reasons: tuple[str, ...] = ()


def judge(evaluation: Evaluation, tolerance: float, live: Manifest | None = None) -> GateVerdict:
    """The verdict on the model's mixed list.

    All must hold, each for recall@10 and for NDCG@10:

    - it beats `popular` (where both are perfect nothing is left to beat, and that will do);
    - it has at least (1 - tolerance) of what the best baseline has;
    - its lift, which is its figure divided by that of `decayed_own`, is at least (1 - tolerance) of the lift that the
      live version's manifest recorded.

    The live version cannot be scored on the same window: it has mostly learned from it. Its own lift was measured on a
    window it had not seen, and a lift, unlike a figure, hardly moves with the season.

    Args:
        evaluation: scores of `reprise`, `popular`, `decayed_own` and any other baselines.
        tolerance: share, 0 to 1.
        live: of the version that answers now. None, or one judged by another horizon or by too few customers: there
            is nothing to compare with.
    """
    if evaluation.n_customers < MIN_CUSTOMERS:
        return GateVerdict("skipped", (_too_few(evaluation),))
    reasons = (
        *_worse_than_popular(evaluation),
        *_short_of_best(evaluation, tolerance),
        *_short_of_live(evaluation, tolerance, live),
    )
    return GateVerdict("refused" if reasons else "passed", reasons)


def check_lists(publication: Publication) -> tuple[str, ...]:
    """Faults of a version's lists, in words with figures; () where there is none.

    Checked: every table is there, with the records of its name and an owner only once; `similar` and `together` have
    every product as an owner, `buy_again` and `discover` every customer that the manifest counts, `popular` and
    `trending` the whole shop; every record points to a product, no list holds a product twice, none of a product
    holds that product itself; probabilities lie in [0, 1] or are NaN.
    """
    missing = tuple(f"the table {name!r} is missing" for name in LIST_NAMES if name not in publication.tables)
    found = (name for name in LIST_NAMES if name in publication.tables)
    return missing + tuple(f"{name}: {fault}" for name in found for fault in _faults(name, publication))


def _too_few(evaluation: Evaluation) -> str:
    return (
        f"only {evaluation.n_customers} customers bought both before {evaluation.cut:%Y-%m-%d} and in the "
        f"{evaluation.horizon_days} days from then on; {MIN_CUSTOMERS} are needed to judge a model"
    )


def _worse_than_popular(evaluation: Evaluation) -> Iterator[str]:
    for measure in MEASURES:
        ours, theirs = _figure(evaluation, OURS, measure), _figure(evaluation, "popular", measure)
        if ours <= theirs and ours < _PERFECT:
            yield f"{measure} {ours:.4f} does not beat popularity's {theirs:.4f}"


def _short_of_best(evaluation: Evaluation, tolerance: float) -> Iterator[str]:
    baselines = [name for name in evaluation.scores if name != OURS]
    for measure in MEASURES:
        best = max(baselines, key=lambda name: _figure(evaluation, name, measure))
        ours, theirs = _figure(evaluation, OURS, measure), _figure(evaluation, best, measure)
        if ours < (1 - tolerance) * theirs:
            yield (
                f"{measure} {ours:.4f} is {1 - ours / theirs:.1%} below the {theirs:.4f} of {best}; "
                f"{tolerance:.1%} is tolerated"
            )


def _short_of_live(evaluation: Evaluation, tolerance: float, live: Manifest | None) -> Iterator[str]:
    known = live.metrics if live else {}
    if known.get("horizon_days") != evaluation.horizon_days or known.get("n_customers", 0) < MIN_CUSTOMERS:
        return
    for measure in MEASURES:
        ours, theirs = _lift(evaluation.scores, measure), _lift(known.get("scores", {}), measure)
        if ours is not None and theirs is not None and ours < (1 - tolerance) * theirs:
            yield (
                f"{measure} is {ours:.3f} times that of decayed_own; of the live version it was {theirs:.3f} times, "
                f"and {tolerance:.1%} less is tolerated"
            )


def _lift(scores: Mapping[str, Mapping[str, float | None]], measure: str) -> float | None:
    """Our figure in units of the baseline's; None where either is missing or there is nothing to divide by."""
    ours, theirs = (scores.get(name, {}).get(measure) for name in (OURS, "decayed_own"))
    return ours / theirs if ours is not None and theirs else None


def _figure(evaluation: Evaluation, ranking: str, measure: str) -> float:
    """A score as a number; what could not be scored has nothing to show: 0."""
    return evaluation.scores[ranking][measure] or 0.0


def _faults(name: ListName, publication: Publication) -> Iterator[str]:
    table = publication.tables[name]
    if table.records.dtype != RECORDS[name]:
        yield f"records are {table.records.dtype}, not {RECORDS[name]}"
        return
    if table.starts[0] != 0 or (np.diff(table.starts) < 0).any():
        yield "lists overlap or leave records out"
        return
    yield from _owner_faults(name, table, publication)
    yield from _record_faults(name, table, publication.products)


def _owner_faults(name: ListName, table: ListTable, publication: Publication) -> Iterator[str]:
    repeated = len(table) - len(set(table.owner_ids))
    if repeated:
        yield f"{repeated} owners are repeated"
    if name in PER_PRODUCT:
        absent = {product.product_id for product in publication.products} - set(table.owner_ids)
        if absent:
            yield f"{len(absent)} of {len(publication.products)} products have no list, {min(absent)!r} among them"
    elif name in PER_CUSTOMER:
        n_customers = publication.manifest.counts["customers"]
        if len(table) != n_customers:
            yield f"{len(table)} customers have a list, the manifest counts {n_customers}"
    elif WHOLE_SHOP not in table.owner_ids:
        yield "there is no list for the whole shop"


def _record_faults(name: ListName, table: ListTable, products: Sequence[Product]) -> Iterator[str]:
    index = {one.product_id: i for i, one in enumerate(products)}
    counts = [_count_faults(run, len(products), index) for run in table.runs()]
    unknown, doubled, selfish, impossible = np.array(counts, np.int64).reshape(-1, 4).sum(axis=0).tolist()
    if unknown:
        yield f"{unknown} records point to no product (there are {len(products)})"
        return
    if doubled:
        yield f"{doubled} records repeat a product of the same list"
    if name in PER_PRODUCT and selfish:
        yield f"{selfish} lists of a product hold that product"
    if name in PER_CUSTOMER and impossible:
        yield f"{impossible} scores are no probability in [0, 1]"


def _count_faults(table: ListTable, n_products: int, index: Mapping[str, int]) -> tuple[int, int, int, int]:
    """Records without a product, that repeat one, whose product owns the list, and without a probability."""
    product, score = table.records["product_index"].astype(np.int64), table.records["score"]
    owner = np.repeat(np.arange(len(table)), np.diff(table.starts))
    itself = np.array([index.get(owner_id, -1) for owner_id in table.owner_ids], dtype=np.int64)
    return (
        _count((product < 0) | (product >= n_products)),
        len(product) - len(unique_keys(owner * n_products + product)),
        _count(itself[owner] == product),
        _count((score < 0) | (score > 1)),
    )


def _count(marked: NDArray[np.bool_]) -> int:
    return int(marked.sum())
