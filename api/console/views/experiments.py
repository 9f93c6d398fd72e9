"""Experiments: whether what was tried causes anything, with its always-valid interval at each look."""

from collections.abc import Sequence
from typing import Any

from api.console.charts import lines
from api.console.page import Block, Column, Note, Page, Table
from api.console.visit import Visit
from recommender.experiments.experiment import HOLDOUT, Experiment, shares
from recommender.experiments.looks import ExperimentLook, VariantLook

_PLANS = (
    Column("experiment", "id"), Column("variants"), Column("where"), Column("starts", "moment"),
    Column("ends", "moment"), Column("looked_at", "moment"),
)  # fmt: skip
_EFFECTS = (
    Column("experiment", "id"), Column("variant"), Column("customers", "number"),
    Column("expected_customers", "number"), Column("orders_each", "decimal"), Column("lift", "share"),
    Column("low", "share"), Column("high", "share"), Column("detectable", "share"),
)  # fmt: skip
_OVER_TIME = (
    Column("at", "moment"), Column("variant"), Column("lift", "share"), Column("low", "share"), Column("high", "share"),
)  # fmt: skip


def show(visit: Visit) -> Page:
    """The experiments of the settings, and the looks at them."""
    plans = visit.service.settings.experiments
    if not plans:
        return Page("experiments", blocks=[Note(visit.t("experiments.none"))])
    if not visit.is_answering:
        return Page("experiments", blocks=[_plans(visit, plans, {}), Note(visit.t("empty.no_redis"))])
    looks = visit.service.shops.storage.looks(visit.shop)
    latest = {look.experiment: look for look in reversed(looks)}
    known = [latest[one.name] for one in plans if one.name in latest]
    blocks: list[Block] = [*_warnings(visit, known), _plans(visit, plans, latest)]
    if not known:
        return Page("experiments", blocks=[*blocks, Note(visit.t("experiments.no_look"))])
    rows = [_effect(look, one) for look in known for one in look.variants]
    blocks.append(Table("effects", _EFFECTS, rows, note=visit.t("experiments.effects_note"), details=True))
    blocks += [_over_time(visit, look.experiment, looks) for look in known]
    return Page("experiments", [_lead(visit, look) for look in known], blocks)


def _lead(visit: Visit, look: ExperimentLook) -> str:
    """What each variant of an experiment does, in a sentence."""
    said = []
    for one in look.variants[1:]:
        figures = {name: visit.words.share(abs(getattr(one, name) or 0.0)) for name in ("lift", "low", "high")}
        said.append(visit.t(f"experiments.{one.verdict}", variant=one.variant, control=look.control, **figures))
    return f"{look.experiment}: {' '.join(said)}"


def _warnings(visit: Visit, looks: Sequence[ExperimentLook]) -> list[Block]:
    wrong = [look.experiment for look in looks if look.mismatch]
    return [Note(visit.t("experiments.mismatch", experiment=", ".join(wrong)), warns=True)] if wrong else []


def _plans(visit: Visit, plans: Sequence[Experiment], latest: dict[str, ExperimentLook]) -> Table:
    rows = []
    for one in plans:
        parts = ", ".join(f"{name} {visit.words.share(share)}" for name, share in shares(one).items())
        where = ", ".join([*one.placements, *one.campaigns]) or visit.t("experiments.everywhere")
        times = (None if at is None else at.isoformat() for at in (one.starts, one.ends))
        look = latest.get(one.name)
        rows.append((one.name, parts, where, *times, None if look is None else look.at))
    return Table("experiments", _PLANS, rows, note=visit.t("experiments.note", holdout=HOLDOUT))


def _effect(look: ExperimentLook, one: VariantLook) -> tuple[Any, ...]:
    head = (look.experiment, one.variant, one.customers, one.expected, one.value)
    return *head, one.lift, one.low, one.high, one.detectable


def _over_time(visit: Visit, name: str, looks: Sequence[ExperimentLook]) -> Table:
    own = [look for look in reversed(looks) if look.experiment == name]
    rows = [
        (look.at, one.variant, one.lift, one.low, one.high)
        for look in own
        for one in look.variants
        if one.lift is not None
    ]
    first = next((one.variant for look in own for one in look.variants if one.lift is not None), None)
    drawn = [row for row in rows if row[1] == first and None not in row]
    chart = lines(
        [[row[2] for row in drawn]], [visit.words.short_day(row[0]) for row in drawn], visit.t("tables.over_time"),
        [[row[3] or 0.0 for row in drawn], [row[4] or 0.0 for row in drawn]],
    )  # fmt: skip
    note = visit.t("experiments.over_time_note", experiment=name, variant=first or "")
    return Table(
        f"over_time_{name}", _OVER_TIME, rows, visit.t("experiments.no_look"), note, chart=chart, title="over_time"
    )
