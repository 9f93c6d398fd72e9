"""Audiences: who is meant by a campaign. Each is one question to a customer, answered with the reason why, or None."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal, cast, get_args

from recommender.days import date_of, day_of
from recommender.errors import UsageError
from recommender.person import digest_of_person
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
BEST_SCORE = 4
"""RFM scores from here on are the best two in five."""
_LONG = 20.0
"""The logarithm of more days than anybody lives."""
_LISTED = "list:"


@dataclass(frozen=True, slots=True)
class Person:
    """What an audience looks at.

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
        """See `recommender.publication.profile.lifecycle_state`."""
        return self.profile.lifecycle(self.day)

    @property
    def last_order(self) -> list[Candidate]:
        """The products of the last order."""
        last_day = max((own.last_day for _, own in _rhythms(self.own)), default=None)
        return [candidate for candidate, own in _rhythms(self.own) if own.last_day == last_day]


Question = Callable[[Person], str | None]
"""Why somebody is in an audience; None for who is not."""


@dataclass(frozen=True, slots=True)
class Audience:
    """One audience.

    Attributes:
        why: who is in it.
        by_profile: whether the profile alone decides, and an order since the training only ever takes somebody out:
            then nothing else is read of those whom it leaves out.
    """

    why: Question
    by_profile: bool = False

    @property
    def meaning(self) -> str:
        """One line for a marketer."""
        return (self.why.__doc__ or "").partition("\n")[0]


def due_now(person: Person) -> list[Candidate]:
    """Own products that will be wanted within DUE_DAYS, likeliest first."""
    dated = _dated(person, person.day + DUE_DAYS)
    return _likeliest([(one, when) for one, when in dated if when.to >= _today(person)], DUE_DAYS, LIKELY_SOON)


def past_due(person: Person) -> list[Candidate]:
    """Own products whose time is past and that may still be wanted, likeliest first."""
    dated = _dated(person, person.day - 1)
    return _likeliest([(one, when) for one, when in dated if when.to < _today(person)], OVERDUE_DAYS, LIKELY_LATE)


def due_soon(person: Person) -> str | None:
    """Something they buy again and again will be used up within a week."""
    return _first(due_now(person), "{title} is due on {at}, {chance:.0%} likely within {days} days", person, DUE_DAYS)


def overdue(person: Person) -> str | None:
    """The time to buy something again is past, and they may still want it."""
    return _first(past_due(person), "{title} was due on {at}, {chance:.0%} likely in {days} days", person, OVERDUE_DAYS)


def win_back(person: Person) -> str | None:
    """They have been silent for much longer than usual: "we miss you"."""
    state = person.lifecycle
    return f"{state}: {_silence(person)}" if state in ("at_risk", "lapsed") else None


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


def _named(person: Person) -> str | None:  # noqa: ARG001 - the list decides
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
_NAMED = Audience(_named)


def find_audience(name: str) -> Audience:
    """The audience that a campaign names.

    Raises:
        UsageError: there is none; the message lists those there are.
    """
    if name.startswith(_LISTED):
        return _NAMED
    if name not in AUDIENCES:
        known = ", ".join(get_args(AudienceName))
        raise UsageError(f"no audience {name!r}; there are: {known}, or a list of customers")
    return AUDIENCES[cast(AudienceName, name)]


def _number(customer_id: str) -> int:
    return int(digest_of_person(customer_id, None)[:16], 16)


def _rhythms(candidates: Iterable[Candidate]) -> list[tuple[Candidate, Own]]:
    return [(candidate, candidate.own) for candidate in candidates if candidate.own is not None]


def _dated(person: Person, last_day: int) -> Iterator[tuple[Candidate, Due]]:
    """The own products on sale that are due until a day and may be suggested again, see `NOT_DUE_BEFORE`.

    Nothing more is computed of the others, which are most.
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


def _first(found: Sequence[Candidate], text: str, person: Person, days: int) -> str | None:
    if not found or found[0].own is None:
        return None
    when = due(found[0].own, person.at)
    return text.format(title=_title(found[0]), at=when.at.isoformat(), chance=when.probability[days], days=days)


def _title(candidate: Candidate) -> str:
    return candidate.product.title or candidate.product.product_id


def _silence(person: Person) -> str:
    usual = person.profile.usual_gap_days
    rhythm = "" if math.isnan(usual) else f", usually one every {usual:.0f}"
    return f"no order for {person.day - person.profile.last_day} days{rhythm}"
