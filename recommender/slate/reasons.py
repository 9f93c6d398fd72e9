"""Reasons why a product is shown: a code, and the facts behind it; `recommender.words` makes a sentence of the two.

The facts of a customer's own products are counts and dates of that product only; no other personal data leaves here.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from functools import lru_cache, partial
from types import MappingProxyType
from typing import Literal, NamedTuple

from recommender.catalogue.overrides import OverriddenProduct
from recommender.days import date_of, to_iso
from recommender.publication.lists import Own
from recommender.slate.candidates import Candidate, Kind
from recommender.slate.due import Due

Code = Literal[
    "DUE_SOON",
    "OVERDUE",
    "BUY_AGAIN",
    "CHOSEN_FOR_YOU",
    "SIMILAR",
    "BOUGHT_TOGETHER",
    "TRENDING",
    "BEST_SELLER",
    "NEW",
    "PINNED",
]
PINNED = "pinned"
"""Stands for the fallback list of a product that is on no list, as it is shown because the shop wants it."""
SOON_DAYS = 14
"""A product due within as many days is due soon, even if its window has not begun."""
_SOON = timedelta(days=SOON_DAYS)


class Reason(NamedTuple):
    """Why one product is shown.

    Attributes:
        code: the machine-readable class of reason.
        evidence: purchases, last_purchased_on (ISO date) and interval_days of an own product; else `because`, the
            product that explains it, where there is one.
    """

    code: Code
    evidence: Mapping[str, object]


_to_reason = partial(tuple.__new__, Reason)
_PICKED = Reason("PINNED", MappingProxyType({}))
_NEW = Reason("NEW", MappingProxyType({}))


def explain(candidate: Candidate, due: Due | None, today: date, fallback: str | None = None) -> Reason:
    """The reason for one candidate.

    Args:
        candidate: what is shown.
        due: when it is due; needed where `candidate.own` is there, None elsewhere.
        today: the day of the answer, in UTC.
        fallback: name of the fallback list that the candidate was drawn from, or PINNED.
    """
    if candidate.own is not None and due is not None:
        return _explain_own(candidate.own, due, today)
    if candidate.kind == "popular":
        if fallback == PINNED:
            return _PICKED
        if isinstance(candidate.product, OverriddenProduct) and candidate.product.new:
            return _NEW
    trending = (fallback or candidate.source) == "trending"
    return _explain_other(candidate.kind, candidate.because, trending=trending)


def _explain_own(own: Own, due: Due, today: date) -> Reason:
    evidence = {
        "purchases": own.purchases,
        "last_purchased_on": to_iso(date_of(own.last_day)),
        "interval_days": due.interval_days,
    }
    if own.purchases <= 1:  # one purchase is no rhythm, however well the product's own is known
        return _to_reason(("BUY_AGAIN", evidence))
    if today > due.to:
        return _to_reason(("OVERDUE", evidence))
    soon = today >= due.from_ or due.at <= today + _SOON
    return _to_reason(("DUE_SOON" if soon else "BUY_AGAIN", evidence))


@lru_cache(maxsize=4_096)
def _explain_other(kind: Kind, because: str | None, *, trending: bool) -> Reason:
    """The reason for what the customer does not own; most answers give reasons that an earlier one gave."""
    evidence = MappingProxyType({} if because is None else {"because": because})
    match kind:
        case "buy_again":
            return Reason("BUY_AGAIN", evidence)
        case "discover":
            return Reason("CHOSEN_FOR_YOU", evidence)
        case "complement":
            return Reason("BOUGHT_TOGETHER", evidence)
        case "similar":
            return Reason("SIMILAR", evidence)
        case "popular" if trending:
            return Reason("TRENDING", evidence)
        case "popular":
            return Reason("BEST_SELLER", evidence)
