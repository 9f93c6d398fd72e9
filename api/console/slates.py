"""What somebody would see in a placement now, with a verdict on each product that is left out."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import chain
from typing import NamedTuple

from api.console.visit import Visit
from api.schemas.requests import PersonalQuery
from api.serving.slates import Enrollment, SlateBuilder, SlateResult
from recommender.catalogue.catalogue import decode_product
from recommender.slate.placements import Placement, clamp_limit
from recommender.slate.plans import RetrievalPlan, personal_plan, popular_plan
from recommender.slate.reading import FetchedLists
from recommender.slate.slate import Context
from recommender.slate.verdicts import Verdict, find_verdicts
from recommender.storage.run_sync import run_sync


class Look(NamedTuple):
    """One placement as somebody would see it.

    Attributes:
        name: of the placement.
        result: the answer that a shop's page would get now.
        left_out: what it does not show, with the rule that objects.
    """

    name: str
    result: SlateResult
    left_out: Sequence[Verdict]


def look(visit: Visit, name: str, customer_id: str | None, placement: Placement | None = None) -> Look:
    """What a customer, or anybody, would see in a placement; nothing is counted as shown.

    Args:
        visit: of the reader.
        name: of the placement.
        customer_id: None for a visitor of whom nothing is known.
        placement: rules in place of those that are set; experiments count only where this is None.

    Raises:
        UnknownPlacementError: there is no such placement.
    """
    builder = visit.service.builder(visit.shop, visit.words.language)
    wanted = PersonalQuery(placement=name, exclude=[], category=[])
    plan = popular_plan() if customer_id is None else personal_plan(customer_id, None)
    part = builder.enroll(wanted, customer_id)
    if placement is not None:
        builder, part = _knowing_pins(builder, visit, placement), Enrollment(placement)
    reading = run_sync(builder.fetch(plan.keys, plan.people, part.treatment))
    result = builder.fill(wanted, plan, reading, part)
    left_out = [] if isinstance(reading, str) else _left_out(builder, plan, reading, part.placement, result)
    return Look(name, result, left_out)


def _left_out(
    builder: SlateBuilder, plan: RetrievalPlan, reading: FetchedLists, placement: Placement, result: SlateResult
) -> Sequence[Verdict]:
    choice = plan.choose(reading, placement, builder.as_of)
    context = Context(clamp_limit(placement, None), cart=choice.live.cart, not_interested=choice.live.hidden)
    fallbacks = chain.from_iterable(choice.fallbacks.get(name, ()) for name in placement.fallbacks)
    return find_verdicts(chain(choice.candidates, fallbacks), result.slate, placement, context, builder.as_of)


def _knowing_pins(builder: SlateBuilder, visit: Visit, placement: Placement) -> SlateBuilder:
    """The builder with the products that a placement pins which is not set yet."""
    missing = _unknown({pin.product_id for pin in placement.pins}, builder)
    if not missing or visit.version is None:
        return builder
    texts = visit.store.find_products(visit.version, missing)
    pinned = {**builder.state.pinned, **{one: decode_product(texts.get(one)) for one in missing}}
    return builder._replace(state=replace(builder.state, pinned=pinned))


def _unknown(product_ids: Iterable[str], builder: SlateBuilder) -> list[str]:
    return sorted(one for one in product_ids if one not in builder.state.pinned)
