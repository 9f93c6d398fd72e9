"""One customer's view of the fetched lists: own lists with the recent activity in them, and what this leads to."""

import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from hashlib import shake_128
from itertools import islice
from math import isfinite, isnan
from typing import NamedTuple

from recommender.days import day_of
from recommender.person import digest_of_person, encode_id
from recommender.publication.lists import Basis, ListKey, ListName, PublishedList
from recommender.slate.candidates import (
    NOTHING_BOUGHT,
    Bought,
    Candidate,
    Kind,
    candidates_of,
    merge_by_probability,
    merge_by_score,
    own_candidate,
    scored_candidates,
    to_candidate,
    with_probability,
)
from recommender.slate.placements import Mix, Placement
from recommender.slate.reading import FetchedLists
from recommender.slate.recent_activity import NOTHING, ActivityEffects, apply_activity

SPREAD = 2.0
"""In an order that changes from day to day, no product passes one that is more than this many times as likely."""
_TO_SHARE = -(2.0**-32)
"""From 32 random bits to -u."""
LEADING_SHARE = 4
"""One in so many products of a slate leads it because it goes with the cart or the last order; one at least."""


class Identity:
    """A person by customer and session id, as far as they are known; both None for nobody.

    Attributes:
        customer_id: the shop's own.
        own: keys of the customer's lists, `buy_again` first; [] for an anonymous session.
        people: whose live events count, by `digest_of_person`.
    """

    def __init__(self, customer_id: str | None, session_id: str | None = None) -> None:
        self.customer_id = customer_id
        self.own: list[ListKey] = []
        self.people: list[str] = []
        if customer_id is not None:
            self.own = [ListKey("buy_again", customer_id), ListKey("discover", customer_id)]
            self.people.append(digest_of_person(customer_id, None))
        if session_id is not None:
            self.people.append(digest_of_person(None, session_id))

    def look(self, reading: FetchedLists, now: datetime) -> "CustomerView":
        """The person's view, at `now`, of a `reading` that holds `own` and was read with `people`."""
        live = NOTHING
        if reading.live:
            reading, live = apply_activity(reading, self.customer_id, self.people, now)
        bought = Bought(reading.lists[self.own[0]]) if self.own else NOTHING_BOUGHT
        return CustomerView(reading, self.own, live, bought, day_of(now.timestamp()))


class CustomerView(NamedTuple):
    """One person's view of the fetched lists.

    Attributes:
        reading: the lists, with the recent activity in them.
        own: keys of the customer's lists; [] for an anonymous session.
        live: the effects of the recent activity.
        bought: the customer's own products.
        day: days since 1970-01-01.
    """

    reading: FetchedLists
    own: Sequence[ListKey]
    live: ActivityEffects
    bought: Bought
    day: int

    @property
    def unknown(self) -> bool:
        """Whether it is a customer without any list."""
        for key in self.own:
            if self.reading.lists[key] is not None:
                return False
        return bool(self.own)

    def personal(self, mix: Mix, placement: Placement) -> Iterator[Candidate]:
        """The customer's own lists in one order; none for an anonymous session."""
        if not self.own:
            return iter(())
        buy_again, discover = self.own
        if mix == "buy_again":
            return self.on(buy_again, "buy_again")
        found = self.reading.lists[discover] if placement.rotate else None
        new = with_probability(self.on(discover, "discover")) if found is None else self._in_turn(found)
        return merge_by_probability(() if mix == "discover" else self.on(buy_again, "buy_again"), new)

    def _in_turn(self, found: PublishedList) -> Iterator[tuple[float | None, Candidate]]:
        """The places of a `discover` list by probability, each with whichever new product stands there today."""
        indices, scores = found.indices(), found.scores()
        new = self._new_today(found, indices, scores)
        for index, score in zip(indices, scores, strict=True):
            if index not in self.bought.places:
                turn, candidate = score, next(new, None)
            else:
                own, product = self.bought.find(index), self.reading.products.find(index)
                candidate = None if own is None or product is None else own_candidate(product, own)
                turn = score if own is None else own.score
            if candidate is not None:  # Redis may have lost some
                yield turn if isfinite(turn) else None, candidate

    def _new_today(self, found: PublishedList, indices: Sequence[int], scores: Sequence[float]) -> Iterator[Candidate]:
        """The candidates on a `discover` list that were not bought before, in the order of the day."""
        kind: Kind = "discover" if found.basis is Basis.MODEL else "popular"
        bought, find = self.bought.places, self.reading.products.find
        for place in order_of_day(scores, self.own[1].owner_id, self.day):
            product = None if indices[place] in bought else find(indices[place])
            if product is not None:
                probability = scores[place] if isfinite(scores[place]) else None
                yield to_candidate((product, kind, probability, None, None, "discover"))

    def on(self, key: ListKey, kind: Kind, because: str | None = None) -> Iterator[Candidate]:
        """The candidates on one list."""
        return candidates_of(self.reading, key, kind, because, self.bought)

    def related(
        self, name: ListName, kind: Kind, product_ids: Iterable[str], title_of: Callable[[str], str | None]
    ) -> Iterator[Candidate]:
        """The learned lists of several products in one order of score; those filled with best sellers are left out.

        Nothing is looked at before the first candidate is wanted: most slates are full by then.
        """
        scored = []
        for product_id in product_ids:
            key = ListKey(name, product_id)
            found = self.reading.lists.get(key)
            if found is not None and found.basis is Basis.MODEL:
                because = title_of(product_id) or product_id
                scored.append(scored_candidates(self.reading, key, kind, because, self.bought))
        yield from merge_by_score(scored)

    def title_of(self, product_id: str) -> str | None:
        """The title of a product that recent events name; None where it is not known, or has none."""
        index = self.live.indices.get(product_id)
        product = None if index is None else self.reading.products.find(index)
        return None if product is None else product.title

    def leading(self, complements: Iterator[Candidate], placement: Placement) -> Iterator[Candidate]:
        """The first of `complements` that are new to the customer, as many as may lead a slate; they are taken off."""
        gone = self.live.cart | self.live.hidden
        new = (one for one in complements if one.own is None and one.product.product_id not in gone)
        return islice(new, max(1, placement.default_limit // LEADING_SHARE))

    def sink(self, candidates: Iterable[Candidate]) -> Iterator[Candidate]:
        """The same candidates; new ones that are tired stand behind the others."""
        tired = self.live.tired
        held = []
        for candidate in candidates:
            if candidate.own is None and candidate.product.product_id in tired:
                held.append(candidate)
            else:
                yield candidate
        yield from held


def order_of_day(scores: Sequence[float], person: str, day: int) -> Sequence[int]:
    """The places of a list, from 0, in the order of one day, so that a daily visitor discovers other products each day.

    Each probability p counts as p · SPREAD^-u, with u in [0, 1) drawn for each place on the list from a hash of the
    person and the day: the same day gives the same order, and what is about as likely takes turns.

    Args:
        scores: probabilities, falling; the places keep their order where one is not known.
        person: tells people apart.
        day: days since 1970-01-01.
    """
    if isnan(sum(scores)):
        return range(len(scores))
    seed = encode_id(f"{day} {person}")
    drawn = struct.unpack(f"<{len(scores)}I", shake_128(seed).digest(4 * len(scores)))
    counted = [-score * SPREAD ** (number * _TO_SHARE) for score, number in zip(scores, drawn, strict=True)]
    return sorted(range(len(scores)), key=counted.__getitem__)
