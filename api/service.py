"""What the views share: settings, store, clock; and the one way from a plan to a slate."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import cast

from flask import Flask, current_app, g

from api.plans import Choice, Plan
from api.schemas import FallbackReason, Wanted
from api.shops import Shops
from recommender.candidates import Candidate, candidates_of
from recommender.errors import StoreUnavailableError, UnknownProductError
from recommender.placements import Limit, Placement, clamp_limit, find_placement
from recommender.settings import Settings
from recommender.shelf import FALLBACK_KEYS, Shelf
from recommender.slate import Slate, build_slate
from recommender.store import Reading

_EXTENSION = "reprise"
_NOTHING = Slate(items=(), suppressed={}, fallback=None)


@dataclass(frozen=True, slots=True)
class Shortfall:
    """Why an answer is not what was asked for, and which list stood in for it, if any."""

    reason: FallbackReason
    used: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """One slate with what its answer says of it. `version` is None where no list could be read."""

    placement: str
    limit: Limit
    version: str | None
    slate: Slate
    shortfall: Shortfall | None


@dataclass(frozen=True)
class Service:
    """What one app was assembled from.

    Attributes:
        shops: what the callers' shops have published.
        clock: the aware moment of an answer.
        new_recommendation_id: a fresh id for an answer that nobody shares.
    """

    settings: Settings
    shops: Shops
    clock: Callable[[], datetime]
    new_recommendation_id: Callable[[], str]

    def attach(self, app: Flask) -> None:
        """Make `service()` find this one while `app` answers."""
        app.extensions[_EXTENSION] = self

    @property
    def shelf(self) -> Shelf:
        """The lists of the caller's shop."""
        return self.shops.shelf(g.caller.shop)

    @property
    def placements(self) -> Mapping[str, Placement]:
        """The placements of the caller's shop: those of the settings, and in their place those set since."""
        return {**self.settings.placements, **self.shelf.state.position.placements}

    def placement(self, name: str) -> Placement:
        """The placement called `name`. Raises UnknownPlacementError."""
        return find_placement(self.placements, name)

    def fill(self, wanted: Wanted, plan: Plan) -> Outcome:
        """Read the plan's lists at once and build the slate; an empty one where there is nothing to read.

        Raises:
            UnknownPlacementError: `wanted` names a placement that is not configured.
            UnknownProductError: from `plan`.
        """
        placement = self.placement(wanted.placement)
        limit = clamp_limit(placement, wanted.limit)
        try:
            g.shelf_state = self.shelf.state
            reading = self.shelf.read(plan.keys)
        except StoreUnavailableError:
            return Outcome(wanted.placement, limit, None, _NOTHING, Shortfall("store_unavailable"))
        if reading is None:
            return Outcome(wanted.placement, limit, None, _NOTHING, Shortfall("model_not_ready"))
        choice = self._recall(plan, reading) if reading.stale else plan.choose(reading)
        slate = build_slate(choice.candidates, placement, wanted.context(limit), self.clock(), choice.fallbacks)
        return Outcome(wanted.placement, limit, reading.version, slate, _shortfall(choice, slate))

    def _recall(self, plan: Plan, reading: Reading) -> Choice:
        """What is at hand while Redis does not answer: the last copy of what was asked for, or what sells."""
        try:
            choice = plan.choose(reading)
        except UnknownProductError:  # whether there is such a product, nobody can tell now
            choice = Choice((), fallbacks=self._static_fallbacks())
        return replace(choice, shortfall="store_unavailable", used="memory" if choice.candidates else None)

    def _static_fallbacks(self) -> dict[str, list[Candidate]]:
        reading = self.shelf.read(FALLBACK_KEYS)
        return {} if reading is None else {key.name: candidates_of(reading, key, "popular") for key in FALLBACK_KEYS}


def service() -> Service:
    """The service of the app that is answering."""
    return cast(Service, current_app.extensions[_EXTENSION])


def _shortfall(choice: Choice, slate: Slate) -> Shortfall | None:
    if choice.shortfall is not None:
        return Shortfall(choice.shortfall, choice.used or slate.fallback)
    return None if slate.fallback is None else Shortfall("too_few_candidates", slate.fallback)
