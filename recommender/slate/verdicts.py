"""Verdicts: for each product that a slate leaves out, the rule that left it out.

A slate counts what it leaves out, as that is all that an answer says; here each candidate is put to the rules alone.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice
from typing import NamedTuple

from recommender.slate.candidates import Candidate
from recommender.slate.placements import Placement
from recommender.slate.slate import Context, Slate, build_slate

MOST_CANDIDATES = 500
"""Candidates that are looked at."""
NO_ROOM = "no_room"
"""No rule objects: the slate was full before it."""


class Verdict(NamedTuple):
    """A candidate that is not shown, and the reason: one of `Slate.suppressed`, or NO_ROOM."""

    candidate: Candidate
    rule: str


def find_verdicts(
    candidates: Iterable[Candidate], slate: Slate, placement: Placement, context: Context, as_of: datetime
) -> Sequence[Verdict]:
    """The verdicts on those of the first MOST_CANDIDATES that `slate` does not show, in their order.

    Args:
        candidates: best first, as `slate` was made of them; a product that comes twice counts once.
        slate: what is shown.
        placement: whose rules apply.
        context: the facts of the request.
        as_of: aware.
    """
    alone = placement.model_copy(update={"fallbacks": (), "pins": (), "boosts": ()})
    seen = {item.product.product_id for item in slate.items}
    found = []
    for candidate in islice(candidates, MOST_CANDIDATES):
        if candidate.product.product_id not in seen:
            seen.add(candidate.product.product_id)
            found.append(Verdict(candidate, _rule(candidate, slate, alone, context, as_of)))
    return found


def _rule(candidate: Candidate, slate: Slate, alone: Placement, context: Context, as_of: datetime) -> str:
    objection = next(iter(build_slate([candidate], alone, context, as_of).suppressed), None)
    if objection is not None:
        return objection
    category, most = candidate.product.category, alone.max_per_category
    n_shown = sum(item.product.category == category for item in slate.items)
    return "category_cap" if category is not None and most is not None and n_shown >= most else NO_ROOM
