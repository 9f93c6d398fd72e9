"""The one way from a plan to a slate: one shop, as one request sees it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from api.answer_schemas import FallbackReason
from api.kept_versions import reading_of
from api.plans import Choice, Plan
from api.request_schemas import Wanted
from recommender.asking import Asking, wait_for
from recommender.candidates import candidates_of
from recommender.errors import StoreUnavailableError, UnknownProductError
from recommender.experiments import Assignment, Experiment, assignments
from recommender.live import Live
from recommender.placements import Limit, Placement, clamp_limit, find_placement
from recommender.publication import ListKey
from recommender.shelf import FALLBACK_KEYS, Shelf, ShelfState
from recommender.slate import Context, Slate, build_slate
from recommender.store import Reading
from recommender.treatments import UNTREATED, Treatment, combine

_NOTHING = Slate(items=(), suppressed={}, fallback=None)


@dataclass(frozen=True, slots=True)
class Shortfall:
    """Why an answer is not what was asked for, and which list stood in for it, if any."""

    reason: FallbackReason
    used: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """What a customer takes part in, and what follows from it."""

    assignments: Sequence[Assignment] = ()
    treatment: Treatment = UNTREATED


NO_PART = Part()


@dataclass(frozen=True, slots=True)
class Outcome:
    """One slate with what its answer says of it. `version` is None where no list was read."""

    placement: str
    limit: Limit
    version: str | None
    slate: Slate
    shortfall: Shortfall | None
    assignments: Sequence[Assignment] = ()

    @property
    def counted(self) -> tuple[str, Limit, int, Shortfall | None]:
        """What `api.telemetry.count_answer` is told of it."""
        return self.placement, self.limit, len(self.slate.items), self.shortfall


@dataclass(frozen=True, slots=True)
class Desk:
    """One shop while one request is answered.

    Attributes:
        shop: its name.
        shelf: what is at hand of it, and the way to its store.
        state: the shelf's before anything was read: what is kept in it goes when it goes.
        configured: the placements of the settings, by name.
        as_of: the aware moment of the answer.
        experiments: those of the settings.
    """

    shop: str
    shelf: Shelf
    state: ShelfState
    configured: Mapping[str, Placement]
    as_of: datetime
    experiments: Sequence[Experiment] = ()

    @property
    def placements(self) -> dict[str, Placement]:
        """Those of the settings, and in their place those set since."""
        return {**self.configured, **self.state.position.placements}

    def placement(self, name: str) -> Placement:
        """The placement called `name`. Raises UnknownPlacementError."""
        placement = self.state.position.placements.get(name) or self.configured.get(name)
        return placement or find_placement(self.placements, name)

    def part(self, wanted: Wanted, customer_id: str | None) -> Part:
        """What the customer takes part in with this answer; nobody takes part in anything."""
        if customer_id is None or not self.experiments:
            return NO_PART
        found = assignments(self.experiments, customer_id, self.as_of, placement=wanted.placement)
        return Part(found, combine(one.treatment for one in found)) if found else NO_PART

    def serving(self, wanted: Wanted, plan: Plan, customer_id: str | None = None) -> Asking[Outcome]:
        """Read the plan's lists and fill one slate from them; `customer_id` is whose answer it is, if it is one's.

        Raises:
            UnknownPlacementError: `wanted` names a placement that is not configured; nothing was read.
            UnknownProductError: from `plan`.
        """
        part, reading = yield from self.beginning(wanted, plan, customer_id)
        return (yield from self.filling(wanted, plan, reading, part))

    def beginning(
        self, wanted: Wanted, plan: Plan, customer_id: str | None = None
    ) -> Asking[tuple[Part, Reading | FallbackReason]]:
        """The first half of `serving`: what the customer takes part in, and the plan's lists. Raises as `serving`."""
        self.placement(wanted.placement)
        part = self.part(wanted, customer_id)
        return part, (yield from self.reading(plan.keys, plan.people, part.treatment))

    def reading(
        self, keys: Sequence[ListKey], people: Sequence[str] = (), treatment: Treatment = UNTREATED
    ) -> Asking[Reading | FallbackReason]:
        """The lists, and what is at hand of `people`, in one round trip at most; where there are none at all, why.

        They are those of the treatment's version where it is kept, else of the current one.
        """
        if not treatment.show:
            return "holdout"
        try:
            return (yield from reading_of(self.shelf, treatment.version, keys, people)) or "model_not_ready"
        except StoreUnavailableError:
            return "store_unavailable"

    def filling(
        self, wanted: Wanted, plan: Plan, reading: Reading | FallbackReason, part: Part = NO_PART
    ) -> Asking[Outcome]:
        """Build one slate from `reading`, which holds the plan's lists; an empty one where nothing could be read.

        Raises as `serving`.
        """
        placement = self.placement(wanted.placement)
        if part is not NO_PART:
            placement = self._treat(placement, part.treatment)
        limit = clamp_limit(placement, wanted.limit)
        if isinstance(reading, str):
            return Outcome(wanted.placement, limit, None, _NOTHING, Shortfall(reading), part.assignments)
        choose = self._recall if reading.stale else self._choose
        choice = choose(plan, placement, reading)
        context = _with_live(wanted.context(limit), choice.live)
        pins = [pin.product_id for pin in placement.pins]
        pinned = (yield from self.shelf.finding(pins)) if pins else {}
        slate = build_slate(choice.candidates, placement, context, self.as_of, choice.fallbacks, pinned=pinned)
        shortfall = _shortfall(choice, slate)
        return Outcome(wanted.placement, limit, reading.version, slate, shortfall, part.assignments)

    def _treat(self, placement: Placement, treatment: Treatment) -> Placement:
        """With the rules of the treatment; one that names no placement there is leaves the page as it was."""
        if treatment.placement is not None:
            placement = self.placements[treatment.placement]
        return treatment.treat(placement)

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
        reading = wait_for(self.reading(FALLBACK_KEYS))
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
