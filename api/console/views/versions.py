"""Versions: their figures beside baselines, what changed from one to the next, and which of them answers."""

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from api.console.charts import lines
from api.console.page import Block, Button, Column, Form, Note, Page, Table
from api.console.visit import Visit
from recommender.publication.lists import WHOLE_SHOP, ListKey
from recommender.publication.manifest import Manifest
from recommender.slate.reading import FetchedLists
from recommender.storage.versions import ListQuery

_VERSIONS = (
    Column("version", "id"), Column("state"), Column("as_of", "moment"), Column("trained_at", "moment"),
    Column("gate"), Column("customers", "number"), Column("products", "number"), Column("orders", "number"),
)  # fmt: skip
_QUALITY = (
    Column("version", "id"), Column("as_of", "day"), Column("method"), Column("recall_10", "share"),
    Column("ndcg_10", "share"), Column("coverage_10", "share"),
)  # fmt: skip
_CHANGES = (
    Column("product", "id"),
    Column("title"),
    Column("list"),
    Column("kept", "share"),
    Column("came"),
    Column("left"),
)
_MEASURES = ("recall@10", "ndcg@10", "coverage@10")
OURS = "reprise"
"""The version's own figures among those of simple methods."""
_COMPARED = 50
"""Best sellers whose lists are compared."""
_DEPTH = 10


def show(visit: Visit) -> Page:
    """Every version that is kept, newest first."""
    if not visit.is_answering:
        return Page("versions", blocks=[Note(visit.lacks)])
    manifests, current = visit.manifests, visit.store.current()
    if not manifests:
        return Page("versions", blocks=[Note(visit.t("empty.no_version"))])
    buttons = {
        index: Button("activate", "activate", {"version": one.version, "before": current or ""})
        for index, one in enumerate(manifests)
        if one.version != current
    }
    blocks: list[Block] = [
        Table("versions", _VERSIONS, [_row(visit, one, current) for one in manifests], buttons=buttons,
              note=visit.t("versions.note")),
        *_reasons(visit, manifests),
        *_comparison(visit, manifests),
        Table("quality", _QUALITY, [row for one in manifests for row in _quality(one)], visit.t("versions.no_figures"),
              visit.t("versions.quality_note"), details=True, shown=200, chart=_over_time(visit, manifests)),
    ]  # fmt: skip
    return Page("versions", _leads(visit, manifests, current), blocks)


def _leads(visit: Visit, manifests: Sequence[Manifest], current: str | None) -> list[str]:
    answering = next((one for one in manifests if one.version == current), None)
    if answering is None:
        return [visit.t("empty.no_version")]
    leads = [visit.t("versions.lead", version=answering.version, date=visit.words.moment(answering.as_of))]
    if manifests[0].version != current:
        leads.append(visit.t("versions.older"))
    return leads


def _row(visit: Visit, one: Manifest, current: str | None) -> tuple[Any, ...]:
    state = visit.t("versions.answers") if one.version == current else visit.t("versions.kept")
    counts = (one.counts.get(name) for name in ("customers", "products", "orders"))
    verdict = one.gate.get("verdict")
    return one.version, state, one.as_of, one.created_at, verdict and visit.t(f"gates.{verdict}"), *counts


def _reasons(visit: Visit, manifests: Sequence[Manifest]) -> list[Block]:
    """What the gate had to say of versions that it did not simply pass."""
    said = [(one.version, reason) for one in manifests for reason in one.gate.get("reasons", ())]
    columns = (Column("version", "id"), Column("reason"))
    return [Table("gate_reasons", columns, said, note=visit.t("versions.gate_note"))] if said else []


def _comparison(visit: Visit, manifests: Sequence[Manifest]) -> list[Block]:
    """What the first of two versions shows otherwise than the second: those asked for, else the newest two."""
    names = [one.version for one in manifests]
    version, other = (one if one in names else "" for one in (visit.asked("version"), visit.asked("other")))
    if len(names) < 2:
        return [Note(visit.t("versions.one"))]
    version, other = version or names[0], other or next(one for one in names if one != (version or names[0]))
    form = Form("compare", {"names": names, "version": version, "other": other})
    note = visit.t("versions.changes_note", version=version, other=other, n=_COMPARED)
    rows = _changes(visit, version, other)
    return [form, Table("changes", _CHANGES, rows, visit.t("versions.no_changes"), note)]


def _quality(one: Manifest) -> list[tuple[Any, ...]]:
    """The version's figures and those of simple methods on the same days."""
    scores = one.metrics.get("scores", {})
    return [
        (one.version, one.as_of, method, *(figures.get(measure) for measure in _MEASURES))
        for method, figures in scores.items()
    ]


def _over_time(visit: Visit, manifests: Sequence[Manifest]) -> Markup:
    """Recall at ten of each version, and of the best simple method of the same days, the oldest first."""
    scored = [one for one in reversed(manifests) if OURS in one.metrics.get("scores", {})]
    ours, best = [], []
    for one in scored:
        recalls = {name: figures.get(_MEASURES[0]) or 0.0 for name, figures in one.metrics["scores"].items()}
        ours.append(recalls.pop(OURS))
        best.append(max(recalls.values(), default=0.0))
    labels = [visit.words.short_day(one.as_of) for one in scored]
    return lines([ours, best], labels, visit.t("versions.chart"))


def _changes(visit: Visit, version: str, other: str) -> list[tuple[Any, ...]]:
    """Of the best sellers, the lists whose first products differ between two versions."""
    popular = ListKey("popular", WHOLE_SHOP)
    best = _titles(visit.store.read(ListQuery([popular], version)), popular)
    keys = [ListKey(name, one) for one in [*best][:_COMPARED] for name in ("similar", "together")]
    now, before = (visit.store.read(ListQuery([popular, *keys], one)) for one in (version, other))
    rows = []
    for key in [popular, *keys]:
        new, old = _titles(now, key), _titles(before, key)
        if (new or old) and list(new) != list(old):
            kept = len(new.keys() & old.keys()) / max(len(new), len(old))
            came, left = (", ".join(one[i] for i in one if i not in two) for one, two in ((new, old), (old, new)))
            title = best.get(key.owner_id)
            rows.append(
                (key.owner_id or visit.t("versions.whole_shop"), title, visit.t(f"lists.{key.name}"), kept, came, left)
            )
    return rows


def _titles(reading: FetchedLists | None, key: ListKey) -> dict[str, str]:
    """The first products of a list: title by id."""
    found = None if reading is None else reading.lists.get(key)
    products = () if found is None or reading is None else map(reading.products.find, found.indices()[:_DEPTH])
    return {one.product_id: one.title or one.product_id for one in products if one is not None}
