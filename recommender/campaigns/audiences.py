"""Audiences of campaigns: the customers that a campaign is for. Each gives a customer's reason to be in it, or None."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal, cast, get_args

from recommender.days import date_of, day_of
from recommender.errors import UsageError
from recommender.publication.lists import Own
from recommender.publication.profile import Profile
from recommender.slate.candidates import Candidate
from recommender.slate.due import Due, due
from recommender.slate.slate import NOT_DUE_BEFORE

AudienceName = Literal["due_soon", "overdue", "win_back", "post_purchase", "at_risk_best", "everyone"]
DUE_DAYS = 7
LIKELY_SOON = 0.2
"""A product is due soon, if it will be bought within DUE_DAYS with this probability: one mail in five is right."""
OVERDUE_DAYS = 30
LIKELY_LATE = 0.2
"""One whose time is past may still be bought: with this probability within OVERDUE_DAYS, or it is given up."""
DELIVERED_AFTER_DAYS = 4
DELIVERED_BEFORE_DAYS = 14
"""A last order this many days ago has arrived and is still fresh in memory."""
LOST_DAYS = 28
"""Silence in which nobody is lost yet, however quick the own rhythm is."""
BEST_SCORE = 4
"""RFM scores from here on are the best two in five."""
_LONG = 20.0
"""The logarithm of more days than anybody lives."""
LIST_PREFIX = "list:"
"""Audiences that begin with it are lists of customers, see `CustomerList.audience`."""


@dataclass(frozen=True, slots=True)
class Person:
    """A customer at the moment of a campaign: what audiences decide by.

    Attributes:
        profile: with the orders since the training.
        own: the products that the customer bought, each with its `own` rhythm, likeliest first.
        at: the moment of the campaign, aware.
    """

    profile: Profile
    own: Sequence[Candidate]
    at: datetime

    @property
    def day(self) -> int:
        """Days since 1970-01-01."""
        return day_of(self.at.timestamp())

    @property
    def lifecycle(self) -> str:
        """The lifecycle state at `at`, as `recommender.publication.profile.lifecycle_state` defines it."""
        return self.profile.lifecycle(self.day)

    @property
    def last_order(self) -> list[Candidate]:
        """The products of the last order; [] where no own product is known."""
        last_day = max((own.last_day for _, own in _rhythms(self.own)), default=None)
        return [candidate for candidate, own in _rhythms(self.own) if own.last_day == last_day]


Criterion = Callable[[Person], str | None]
"""The reason why a customer is in an audience; None for a customer who is not."""


@dataclass(frozen=True, slots=True)
class Audience:
    """One audience.

    Attributes:
        criterion: which customers are in it; the first line of its docstring is `meaning`.
        by_profile: whether the profile alone decides, and an order since the training only ever takes a customer out:
            then nothing else is read of the customers that it leaves out.
    """

    criterion: Criterion
    by_profile: bool = False

    @property
    def meaning(self) -> str:
        """The audience in one line for a marketer."""
        return (self.criterion.__doc__ or "").partition("\n")[0]


def due_now(person: Person) -> list[Candidate]:
    """Own products due within DUE_DAYS and at least LIKELY_SOON, likeliest first."""
    today = _today(person)
    dated = [(candidate, when) for candidate, when in _dated(person, person.day + DUE_DAYS) if when.to >= today]
    return _likeliest(dated, DUE_DAYS, LIKELY_SOON)


def past_due(person: Person) -> list[Candidate]:
    """Own products that are overdue and at least LIKELY_LATE within OVERDUE_DAYS, likeliest first."""
    today = _today(person)
    dated = [(candidate, when) for candidate, when in _dated(person, person.day - 1) if when.to < today]
    return _likeliest(dated, OVERDUE_DAYS, LIKELY_LATE)


def due_soon(person: Person) -> str | None:
    """Something they buy again and again will be used up within a week."""
    return _explain(due_now(person), "{title} is due {at}, {chance}", person, DUE_DAYS)


def overdue(person: Person) -> str | None:
    """The time to buy something again is past, and they may still want it."""
    return _explain(past_due(person), "{title} is overdue, {chance}", person, OVERDUE_DAYS)


def win_back(person: Person) -> str | None:
    """They are lost, silent for over three times as long as usual, and four weeks at least: "we miss you"."""
    lost = person.lifecycle == "lapsed" and person.day - person.profile.last_day >= LOST_DAYS
    return f"lapsed: {_silence(person)}" if lost else None


def post_purchase(person: Person) -> str | None:
    """Their last order has arrived some days ago; here is what goes with it."""
    ago = person.day - person.profile.last_day
    if not DELIVERED_AFTER_DAYS <= ago <= DELIVERED_BEFORE_DAYS or not person.own:
        return None
    return f"ordered {', '.join(map(_title, person.last_order[:3]))} {ago} days ago"


def at_risk_best(person: Person) -> str | None:
    """Good customers who are about to be lost."""
    profile = person.profile
    best = (profile.rfm_monetary or profile.rfm_frequency) >= BEST_SCORE
    if not best or person.lifecycle != "at_risk":
        return None
    spent = "" if math.isnan(profile.spent) else f", {profile.spent:,.2f} spent"
    return f"{profile.orders} orders{spent}; {_silence(person)}"


def everyone(person: Person) -> str | None:
    """Every customer."""
    return f"customer since {date_of(person.profile.first_day)}"


def _on_the_list(person: Person) -> str | None:  # noqa: ARG001 - the list decides
    """The customers on a list."""
    return "on the list"


AUDIENCES: Mapping[AudienceName, Audience] = {
    "due_soon": Audience(due_soon),
    "overdue": Audience(overdue),
    "win_back": Audience(win_back, by_profile=True),
    "post_purchase": Audience(post_purchase),
    "at_risk_best": Audience(at_risk_best, by_profile=True),
    "everyone": Audience(everyone),
}
_LISTED = Audience(_on_the_list)


def find_audience(name: str) -> Audience:
    """The audience of this name, or the one of a list of customers.

    Raises:
        UsageError: there is no such audience; the message lists those there are.
    """
    if name.startswith(LIST_PREFIX):
        return _LISTED
    if name not in AUDIENCES:
        names = ", ".join(get_args(AudienceName))
        raise UsageError(f"no audience {name!r}; there are: {names}, or a list of customers")
    return AUDIENCES[cast(AudienceName, name)]


def _rhythms(candidates: Iterable[Candidate]) -> list[tuple[Candidate, Own]]:
    return [(candidate, candidate.own) for candidate in candidates if candidate.own is not None]


def _dated(person: Person, last_day: int) -> Iterator[tuple[Candidate, Due]]:
    """Own products on sale that are due until `last_day` and may be suggested again, see `NOT_DUE_BEFORE`.

    The due dates of the others, which are most, are not computed.
    """
    latest = date_of(last_day)
    for candidate, own in _rhythms(person.own):
        gap = math.exp(min(own.log_gap, _LONG))
        if own.last_day + gap > last_day + 1 or person.day - own.last_day < max(NOT_DUE_BEFORE * gap, 1):
            continue
        if candidate.product.objection(person.at.timestamp()) is None:
            when = due(own, person.at)
            if when.at <= latest:
                yield candidate, when


def _likeliest(dated: Iterable[tuple[Candidate, Due]], days: int, enough: float) -> list[Candidate]:
    likely = [(when.probability[days], candidate) for candidate, when in dated if when.probability[days] >= enough]
    return [candidate for _, candidate in sorted(likely, key=lambda pair: -pair[0])]


def _today(person: Person) -> date:
    return person.at.astimezone(UTC).date()


def _explain(candidates: Sequence[Candidate], text: str, person: Person, days: int) -> str | None:
    if not candidates or candidates[0].own is None:
        return None
    when = due(candidates[0].own, person.at)
    at = "now" if when.at < _today(person) else f"on {when.at}"
    return text.format(title=_title(candidates[0]), at=at, chance=_chance(candidates[0], when, days))


def _chance(candidate: Candidate, when: Due, days: int) -> str:
    """How likely a product is bought: by the number that the floor of a placement is held against, if there is one.

    That knows how seldom a customer still orders; the rhythm of the product alone does not.
    """
    if candidate.probability is None:
        return f"{to_percent(when.probability[days])} likely within {days} days by its rhythm"
    return f"{to_percent(candidate.probability)} likely to be bought"


def to_percent(share: float) -> str:
    """A share for people: `24 %`; small ones with a digit more, `0.4 %`."""
    return f"{100 * share:.0f} %" if share >= 0.01 or not share else f"{100 * share:.1g} %"


def _title(candidate: Candidate) -> str:
    return candidate.product.title or candidate.product.product_id


def _silence(person: Person) -> str:
    usual = person.profile.usual_gap_days
    rhythm = "" if math.isnan(usual) else f", usually one every {usual:.0f}"
    return f"no order for {person.day - person.profile.last_day} days{rhythm}"
