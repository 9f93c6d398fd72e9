"""Placements: what each may show."""

from typing import Any

from api.console.page import Block, Column, Link, Page, Table
from api.console.visit import Visit, address
from recommender.slate.placements import Placement

_RULES = (
    Column("placement", "id"), Column("cap", "number"), Column("default_limit", "number"),
    Column("max_per_category", "number"), Column("min_probability", "share"), Column("mix"), Column("pins", "number"),
    Column("boosts", "number"), Column("blocks", "number"),
)  # fmt: skip


def show(visit: Visit) -> Page:
    """Every placement."""
    placements = visit.cache.state.placements
    blocks: list[Block] = [
        Table("placements", _RULES, [_row(visit, name, placements[name]) for name in sorted(placements)],
              note=visit.t("placements.note")),
    ]  # fmt: skip
    return Page("placements", [visit.t("placements.lead", n=len(placements))], blocks)


def _row(visit: Visit, name: str, one: Placement) -> tuple[Any, ...]:
    link = Link(name, address("merchandising", placement=name))
    most = (one.cap, one.default_limit, one.max_per_category, one.min_probability, visit.t(f"mixes.{one.mix}"))
    return link, *most, len(one.pins), len(one.boosts), len(one.blocks)
