"""Placements: what each may show, and what came of what it showed, by kind, reason and rank."""

from collections.abc import Sequence
from typing import Any

from api.console.page import Block, Column, Form, Link, Note, Page, Table
from api.console.results import (
    COUNTED,
    PERIODS,
    counted_cells,
    money_cells,
    money_columns,
    results_of,
    rows_of,
)
from api.console.visit import Visit, address
from recommender.results.placements import RANKS, WITHIN_DAYS, PlacementRow, sum_rows
from recommender.slate.placements import Placement

_RULES = (
    Column("placement", "id"), Column("cap", "number"), Column("default_limit", "number"),
    Column("max_per_category", "number"), Column("min_probability", "share"), Column("mix"), Column("pins", "number"),
    Column("boosts", "number"), Column("blocks", "number"),
)  # fmt: skip
FEWEST_BOUGHT = 30
"""Purchases from which on something is said of ranks: of fewer, the next one may turn it over."""
_LATE = RANKS[2:4]


def show(visit: Visit) -> Page:
    """Every placement."""
    placements = visit.cache.state.placements
    rules = [_row(visit, name, placements[name]) for name in sorted(placements)]
    blocks: list[Block] = [*_results(visit), Table("placements", _RULES, rules, note=visit.t("placements.note"))]
    return Page("placements", [visit.t("placements.lead", n=len(placements))], blocks, currency=visit.currency)


def _results(visit: Visit) -> list[Block]:
    if not visit.is_answering:
        return []
    days = next((one for one in PERIODS if str(one) == visit.asked("days")), 28)
    rows = rows_of(visit, days)
    name = visit.asked("placement")
    names = sorted({row.placement for row in rows if row.placement})
    form = Form("period", {"periods": PERIODS, "days": days, "names": names, "name": name})
    if not rows:
        return [form, Note(nothing_counted(visit))]
    chosen = [row for row in rows if not name or row.placement == name]
    return [form, _table(visit, "by_placement", rows, ("placement",)), *_ranks(visit, rows),
            _table(visit, "by_cell", chosen, ("placement", "kind", "reason", "ranks"))]  # fmt: skip


def nothing_counted(visit: Visit) -> str:
    """Why there are no results, and what to do."""
    return visit.t("placements.no_worker" if results_of(visit).counted_at() is None else "placements.no_impressions")


def _table(visit: Visit, name: str, rows: Sequence[PlacementRow], by: Sequence[str]) -> Table:
    summed = sum_rows(rows, by)
    monies = [row.money for row in summed]
    columns = [*(Column(one) for one in by), *COUNTED, *money_columns(visit, monies)]
    cells = [
        (*(_cell(visit, row, one) for one in by), *counted_cells(row), *money_cells(monies, row.money))
        for row in summed
    ]
    return Table(name, columns, cells, note=visit.t("placements.counted", n=WITHIN_DAYS))


def _cell(visit: Visit, row: PlacementRow, field: str) -> str:
    value = getattr(row, field)
    if value is None or value == RANKS[-1]:
        return visit.t("placements.not_told")
    return str(visit.words.find(f"{field}.{value}") or value)


def _ranks(visit: Visit, rows: Sequence[PlacementRow]) -> list[Block]:
    """Of each placement, what the ranks behind the sixth bring: whether a smaller cap would lose much."""
    said: list[tuple[str, int, float | None, str]] = []
    for total in sum_rows(rows, ("placement",)):
        bands = {
            row.ranks: row for row in sum_rows((one for one in rows if one.placement == total.placement), ("ranks",))
        }
        known = sum(row.bought for ranks, row in bands.items() if ranks != RANKS[-1])
        late, seen_late = (
            sum(getattr(bands[one], name) for one in _LATE if one in bands) for name in ("bought", "seen")
        )
        name = total.placement or visit.t("placements.not_told")
        if known >= FEWEST_BOUGHT and not seen_late:
            said.append((name, known, None, visit.t("placements.no_late")))
        elif known >= FEWEST_BOUGHT:
            said.append(
                (name, known, late / known, visit.t("placements.late" if late / known >= 0.05 else "placements.small"))
            )
        else:
            said.append((name, known, None, visit.t("placements.too_few", n=FEWEST_BOUGHT)))
    columns = (
        Column("placement", "id"),
        Column("bought", "number"),
        Column("late_share", "share"),
        Column("restraint"),
    )
    return [Table("ranks", columns, said, note=visit.t("placements.ranks_note"))]


def _row(visit: Visit, name: str, one: Placement) -> tuple[Any, ...]:
    link = Link(name, address("merchandising", placement=name))
    most = (one.cap, one.default_limit, one.max_per_category, one.min_probability, visit.t(f"mixes.{one.mix}"))
    return link, *most, len(one.pins), len(one.boosts), len(one.blocks)
