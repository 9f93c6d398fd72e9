"""Merchandising: what a placement may show, what the shop pins, boosts and blocks there, and what a change would do."""

from collections.abc import Mapping, Sequence
from typing import Any

from api.console.changing.actions import can_undo, digest_of, placement_now
from api.console.changing.rules import FIELDS
from api.console.page import Block, Button, Column, Form, Note, Page, Table
from api.console.slates import Look, look
from api.console.views.customers import slate_tables
from api.console.visit import Visit
from recommender.slate.placements import ABSOLUTE_CAP, Placement

_PINS = (Column("product", "id"), Column("position", "number"), Column("from", "moment"), Column("until", "moment"))
_BOOSTS = (
    Column("target", "id"),
    Column("of"),
    Column("factor", "decimal"),
    Column("from", "moment"),
    Column("until", "moment"),
)
_BLOCKS = (Column("target", "id"), Column("of"), Column("from", "moment"), Column("until", "moment"))
_COMPARED = (Column("rank", "number"), Column("before"), Column("after"), Column("change"))
_LATEST = (Column("at", "moment"), Column("key", "id"), Column("action"))
MOST_LATEST = 5


def show(visit: Visit) -> Page:
    """The rules of one placement, to be changed."""
    names = sorted(visit.cache.state.placements)
    wanted = visit.asked("placement")
    name = wanted if wanted in names else "home" if "home" in names else names[0]
    document = placement_now(visit, name) if visit.is_answering else None
    placement = visit.cache.state.placements[name] if document is None else Placement.model_validate(document)
    seen = digest_of(placement.model_dump(mode="json"))
    common = {"name": name, "most": ABSOLUTE_CAP, "before": seen}
    blocks: list[Block] = [
        Form("placement", {"names": names, "name": name}),
        Form("limits", {**common, "placement": placement}, needs_admin=True),
        *_rules(visit, name, placement, seen),
        Form("rule", common, needs_admin=True),
        *_latest(visit, name),
    ]
    limits = (placement.cap, placement.default_limit, len(placement.pins), len(placement.boosts), len(placement.blocks))
    lead = visit.t("merchandising.lead", **dict(zip(("cap", "n", "pins", "boosts", "blocks"), limits, strict=True)))
    return Page("merchandising", [lead], blocks, subject=name)


def preview(visit: Visit, name: str, before: Placement, after: Placement, form: Mapping[str, str]) -> Page:
    """What a customer, or anybody, sees before and after a change, with the button that makes it."""
    customer_id = form.get("customer", "").strip()[:512] or None
    looks = [look(visit, name, customer_id, one) for one in (before, after)]
    hidden = {field: form[field] for field in FIELDS if field in form}
    seen = digest_of(before.model_dump(mode="json"))
    blocks: list[Block] = [
        Form("preview", {"fields": hidden, "customer": customer_id or "", "before": seen}),
        Table("comparison", _COMPARED, _comparison(visit, *looks), visit.t("merchandising.both_empty")),
        *_unknown_pins(visit, after, looks[1]),
        *slate_tables(visit, looks[1], "after_")[1:],
    ]
    who = visit.t("merchandising.for_anybody") if customer_id is None else customer_id
    return Page("preview", [visit.t("merchandising.preview", who=who)], blocks, subject=name)


def _rules(visit: Visit, name: str, placement: Placement, seen: str) -> Sequence[Table]:
    def buttons(rules: str, n: int) -> dict[int, Button]:
        fields = {"op": f"remove-{rules}", "placement": name, "before": seen}
        return {index: Button("preview", "remove", {**fields, "index": str(index)}) for index in range(n)}

    none = visit.t("merchandising.none")
    document = placement.model_dump(mode="json")
    pins = [(one["product_id"], one["position"], one["from"], one["until"]) for one in document["pins"]]
    boosts = [(*_target(visit, one), one["factor"], one["from"], one["until"]) for one in document["boosts"]]
    blocks = [(*_target(visit, one), one["from"], one["until"]) for one in document["blocks"]]
    return [
        Table("pins", _PINS, pins, none, visit.t("merchandising.pins_note"), buttons=buttons("pins", len(pins))),
        Table("boosts", _BOOSTS, boosts, none, visit.t("merchandising.boosts_note"),
              buttons=buttons("boosts", len(boosts))),
        Table("blocks", _BLOCKS, blocks, none, buttons=buttons("blocks", len(blocks))),
    ]  # fmt: skip


def _target(visit: Visit, rule: Mapping[str, Any]) -> tuple[str, str]:
    kind = "category" if "category" in rule else "product"
    return rule.get("category") or rule["product_id"], visit.t(f"columns.{kind}")


def _latest(visit: Visit, name: str) -> list[Block]:
    if not visit.is_answering:
        return []
    actions = visit.service.shops.storage.actions(visit.shop)
    latest = [one for one in actions if one.what == "place" and one.subject == name][:MOST_LATEST]
    rows = [(one.at, one.key_id or visit.t("frame.local"), visit.t("what.place")) for one in latest]
    buttons = {0: Button("undo", "undo", {"action_id": latest[0].action_id})} if latest and can_undo(latest[0]) else {}
    return [Table("latest", _LATEST, rows, visit.t("actions.none"), buttons=buttons)]


def _comparison(visit: Visit, before: Look, after: Look) -> list[tuple[Any, ...]]:
    """Rank by rank, what stood there, what will stand there, and what becomes of the latter."""
    old, new = ([item.product for item in one.result.slate.items] for one in (before, after))
    places = {product.product_id: place for place, product in enumerate(old)}
    kept = {product.product_id for product in new}
    rows = []
    for place in range(max(len(old), len(new))):
        was, is_ = (_name(one[place]) if place < len(one) else None for one in (old, new))
        change = _change(visit, places, place, new[place].product_id) if place < len(new) else None
        gone = place < len(old) and old[place].product_id not in kept
        rows.append((place + 1, f"{was} ({visit.t('merchandising.gone')})" if gone else was, is_, change))
    return rows


def _change(visit: Visit, places: Mapping[str, int], place: int, product_id: str) -> str:
    before = places.get(product_id)
    if before is None:
        return visit.t("merchandising.new")
    if before == place:
        return visit.t("merchandising.same")
    return visit.t("merchandising.up" if before > place else "merchandising.down", n=abs(before - place))


def _name(product: Any) -> str:
    return str(product.title or product.product_id)


def _unknown_pins(visit: Visit, after: Placement, seen: Look) -> list[Block]:
    """A warning for each pin that is not shown."""
    shown = {item.product.product_id for item in seen.result.slate.items}
    missing = [pin.product_id for pin in after.pins if pin.holds(visit.now) and pin.product_id not in shown]
    return [Note(visit.t("merchandising.not_shown", product=", ".join(missing)), warns=True)] if missing else []
