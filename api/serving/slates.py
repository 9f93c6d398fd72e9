"""Slate builder: the one way from a plan to a slate, within one shop and for one request."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import NamedTuple

from api.schemas.requests import Wanted
from recommender.errors import StoreUnavailableError, UnknownProductError
from recommender.experiments.experiment import Assignment, Experiment, assignments
from recommender.experiments.treatment import UNTREATED, Treatment, combine
from recommender.publication.lists import ListKey
from recommender.slate.candidates import fallback_candidates
from recommender.slate.item_json import Presentation
from recommender.slate.placements import Limit, Placement, clamp_limit, find_placement
from recommender.slate.plans import Choice, FallbackReason, RetrievalPlan
from recommender.slate.reading import FetchedLists
from recommender.slate.slate import Context, Slate, build_slate
from recommender.storage.cache import CacheState, ListCache

_NOTHING = Slate(items=(), suppressed={}, fallback=None)


class AppliedFallback(NamedTuple):
    """Why an answer is not what was asked for, and which list stood in for it, if any."""

    reason: FallbackReason
    used: str | None = None


class Enrollment(NamedTuple):
    """A customer's assignments, their combined treatment, and the placement whose rules the slate follows."""

    placement: Placement
    assignments: Sequence[Assignment] = ()
    treatment: Treatment = UNTREATED


class SlateResult(NamedTuple):
    """One slate with what its answer says of it.

    Attributes:
        placement, limit, fallback, assignments: see the answer.
        version: of the lists; None where none was read.
        slate: what is shown.
        presentation: how it is told.
        negotiated: whether the request named no language, so that its Accept-Language counted.
    """

    placement: str
    limit: Limit
    version: str | None
    slate: Slate
    fallback: AppliedFallback | None
    presentation: Presentation
    negotiated: bool = True
    assignments: Sequence[Assignment] = ()

    @property
    def counted(self) -> tuple[str, Limit, int, FallbackReason | None]:
        """The arguments of `api.telemetry.metrics.count_answer`."""
        reason = None if self.fallback is None else self.fallback.reason
        return self.placement, self.limit, len(self.slate.items), reason


class SlateBuilder(NamedTuple):
    """Builder of one request's slates: `enroll`, then `fetch`, which alone waits, then `fill`.

    Attributes:
        shop: the name of the shop.
        cache: its lists in memory, in front of its store.
        state: of the cache, before anything was read; answers kept in it are dropped with it.
        as_of: the aware moment of the answer.
        presentation: how it is told where the request names no language.
        experiments: those of the settings.
        in_loop: whether an event loop waits, which does other things meanwhile; else a thread.
    """

    shop: str
    cache: ListCache
    state: CacheState
    as_of: datetime
    presentation: Presentation
    experiments: Sequence[Experiment] = ()
    in_loop: bool = False

    def enroll(self, wanted: Wanted, customer_id: str | None) -> Enrollment:
        """The customer's enrollment in experiments for this answer; one without assignments for an anonymous caller.

        Raises UnknownPlacementError.
        """
        placement = find_placement(self.state.placements, wanted.placement)
        if customer_id is None or not self.experiments:
            return Enrollment(placement)
        found = assignments(self.experiments, customer_id, self.as_of, placement=wanted.placement)
        treatment = combine(one.treatment for one in found)
        if treatment.placement is not None:
            placement = self.state.placements[treatment.placement]
        return Enrollment(treatment.treat(placement), found, treatment)

    async def fetch(
        self, keys: Sequence[ListKey], people: Sequence[str], treatment: Treatment = UNTREATED
    ) -> FetchedLists | FallbackReason:
        """The lists and recent activity of `people`, in one round trip at most; a reason where there are none at all.

        They are those of the treatment's version where it is kept, else of the current one.
        """
        if not treatment.show:
            return "holdout"
        try:
            reading = await self.cache.read_async(keys, people, treatment.version, in_loop=self.in_loop)
        except StoreUnavailableError:
            return "store_unavailable"
        return reading or "model_not_ready"

    def fill(
        self,
        wanted: Wanted,
        plan: RetrievalPlan,
        reading: FetchedLists | FallbackReason,
        part: Enrollment,
        shown: frozenset[str] = frozenset(),
    ) -> SlateResult:
        """One slate made of `reading`, which holds the plan's lists; an empty one where nothing could be read.

        `shown` are ids of products that the page shows already. Raises UnknownProductError, from `plan`.
        """
        limit, told, language = clamp_limit(part.placement, wanted.limit), self.presentation, wanted.language
        if language is not None:
            told = told._replace(language=language)
        version, slate, fallback = None, _NOTHING, None
        if isinstance(reading, str):
            fallback = AppliedFallback(reading)
        else:
            choose = partial(_recall, plan) if reading.stale else plan.choose
            choice = choose(reading, part.placement, self.as_of)
            if wanted.fallback == "none":
                choice = choice.without_fallbacks()
            version, slate = reading.version, self._build(choice, part.placement, wanted.context(limit), shown)
            fallback = _applied_fallback(choice, slate, stale=reading.stale)
        return SlateResult(wanted.placement, limit, version, slate, fallback, told, language is None, part.assignments)

    def _build(self, choice: Choice, placement: Placement, context: Context, shown: frozenset[str]) -> Slate:
        live = choice.live
        if shown or live.cart or live.hidden:
            context = context._replace(cart=context.cart | live.cart, shown=shown, not_interested=live.hidden)
        pinned = self.state.find_pinned(pin.product_id for pin in placement.pins) if placement.pins else {}
        return build_slate(choice.candidates, placement, context, self.as_of, choice.fallbacks, pinned=pinned)


def _recall(plan: RetrievalPlan, reading: FetchedLists, placement: Placement, now: datetime) -> Choice:
    """The choice while Redis does not answer: the last copy of the requested lists, or best sellers."""
    try:
        choice = plan.choose(reading, placement, now)
    except UnknownProductError:  # it may exist: Redis would know
        choice = Choice((), fallback_candidates(reading))
    return choice._replace(fallback_reason="store_unavailable")


def _applied_fallback(choice: Choice, slate: Slate, *, stale: bool) -> AppliedFallback | None:
    reason = choice.fallback_reason or ("too_few_candidates" if slate.fallback else None)
    return None if reason is None else AppliedFallback(reason, _used(choice, slate, stale=stale))


def _used(choice: Choice, slate: Slate, *, stale: bool) -> str | None:
    """The list that stood in, if any: `memory` only where a last copy of what was asked for is shown."""
    if not slate.items:
        return None
    asked_for = not choice.used and (not slate.fallback or any(item.kind != "popular" for item in slate.items))
    return "memory" if stale and asked_for else choice.used or slate.fallback
