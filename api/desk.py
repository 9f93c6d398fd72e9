"""The one way from a plan to a slate: one shop, as one request sees it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from api.plans import Choice, Plan
from api.schemas import FallbackReason, Wanted
from recommender.candidates import candidates_of
from recommender.errors import StoreUnavailableError, UnknownProductError
from recommender.live import Live
from recommender.placements import Limit, Placement, clamp_limit, find_placement
from recommender.publication import ListKey
from recommender.shelf import FALLBACK_KEYS, Shelf, ShelfState
from recommender.slate import Context, Slate, build_slate
from recommender.store import Reading

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


@dataclass(frozen=True, slots=True)
class Desk:
    """One shop while one request is answered.

    Attributes:
        shelf: what is at hand of it, and the way to its store.
        state: the shelf's before anything was read: what is kept in it goes when it goes.
        configured: the placements of the settings, by name.
        as_of: the aware moment of the answer.
    """

    shelf: Shelf
    state: ShelfState
    configured: Mapping[str, Placement]
    as_of: datetime

    @property
    def placements(self) -> dict[str, Placement]:
        """Those of the settings, and in their place those set since."""
        return {**self.configured, **self.state.position.placements}

    def placement(self, name: str) -> Placement:
        """The placement called `name`. Raises UnknownPlacementError."""
        placement = self.state.position.placements.get(name) or self.configured.get(name)
        return placement or find_placement(self.placements, name)

    def serve(self, wanted: Wanted, plan: Plan) -> Outcome:
        """Read the plan's lists and fill one slate from them.

        Raises:
            UnknownPlacementError: `wanted` names a placement that is not configured; nothing was read.
            UnknownProductError: from `plan`.
        """
        self.placement(wanted.placement)
        return self.fill(wanted, plan, self.read(plan.keys, plan.people))

    def read(self, keys: Sequence[ListKey], people: Sequence[str] = ()) -> Reading | FallbackReason:
        """The lists, and what is at hand of `people`, in one round trip at most; where there are none at all, why."""
        try:
            return self.shelf.read(keys, people) or "model_not_ready"
        except StoreUnavailableError:
            return "store_unavailable"

    def fill(self, wanted: Wanted, plan: Plan, reading: Reading | FallbackReason) -> Outcome:
        """Build one slate from `reading`, which holds the plan's lists; an empty one where nothing could be read.

        Raises as `serve`.
        """
        placement = self.placement(wanted.placement)
        limit = clamp_limit(placement, wanted.limit)
        if isinstance(reading, str):
            return Outcome(wanted.placement, limit, None, _NOTHING, Shortfall(reading))
        choose = self._recall if reading.stale else self._choose
        choice = choose(plan, placement, reading)
        context = _with_live(wanted.context(limit), choice.live)
        pinned = self.shelf.find_products([pin.product_id for pin in placement.pins]) if placement.pins else {}
        slate = build_slate(choice.candidates, placement, context, self.as_of, choice.fallbacks, pinned=pinned)
        return Outcome(wanted.placement, limit, reading.version, slate, _shortfall(choice, slate))

    def _choose(self, plan: Plan, placement: Placement, reading: Reading) -> Choice:
        return plan.choose(reading, placement, self.as_of)

    def _recall(self, plan: Plan, placement: Placement, reading: Reading) -> Choice:
        """What is at hand while Redis does not answer: the last copy of what was asked for, or what sells."""
        try:
            choice = self._choose(plan, placement, reading)
        except UnknownProductError:  # whether there is such a product, nobody can tell now
            choice = self._choose_what_sells()
        candidates = list(choice.candidates)
        return replace(
            choice, candidates=candidates, shortfall="store_unavailable", used="memory" if candidates else None
        )

    def _choose_what_sells(self) -> Choice:
        reading = self.read(FALLBACK_KEYS)
        if isinstance(reading, str):
            return Choice(())
        return Choice((), {key.name: candidates_of(reading, key, "popular") for key in FALLBACK_KEYS})


def _with_live(context: Context, live: Live) -> Context:
    if not live.cart and not live.hidden:
        return context
    return replace(context, cart=context.cart | live.cart, not_interested=live.hidden)


def _shortfall(choice: Choice, slate: Slate) -> Shortfall | None:
    if choice.shortfall is not None:
        return Shortfall(choice.shortfall, choice.used or slate.fallback)
    return None if slate.fallback is None else Shortfall("too_few_candidates", slate.fallback)
