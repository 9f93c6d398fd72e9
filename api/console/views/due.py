"""Due board: which customers want which products on which of the coming days, as counts and as a list to export."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from api.console.charts import columns
from api.console.page import Block, Column, Form, Link, Note, Page, Table
from api.console.views.products import titles
from api.console.visit import Visit, address
from recommender.person import digest_of_person
from recommender.publication.insights import MOST_DUE_CUSTOMERS

_LIST = (
    Column("customer", "id"), Column("product", "id"), Column("title"), Column("category"), Column("due", "day"),
    Column("probability", "share"),
)  # fmt: skip
MOST_SHOWN = 100


def show(visit: Visit) -> Page:
    """The board of the version that answers, from today on."""
    told = visit.insights.get("due") if visit.insights else None
    if told is None:
        return Page("due", blocks=[Note(visit.lacks)])
    first = date.fromisoformat(told["from"])
    gone = max((visit.now.date() - first).days, 0)
    days = [(first + timedelta(days=day)) for day in range(gone, told["days"])]
    category = visit.asked("category")
    counts = [row for name, row in zip(told["categories"], told["counts"], strict=True) if category in ("", name)]
    totals = [sum(row[day] for row in counts) for day in range(gone, told["days"])]
    if not days:
        return Page("due", blocks=[Note(visit.t("due.past"), warns=True)])
    blocks: list[Block] = [
        _filter(visit, told),
        _by_day(visit, days, totals),
        _by_category(visit, told, gone),
        _people(visit, first, gone),
    ]
    week = sum(totals[:7])
    return Page("due", [visit.t("due.lead", n=week, all=sum(totals))], blocks, currency=visit.currency)


def _by_day(visit: Visit, days: Sequence[date], totals: Sequence[int]) -> Table:
    chart = columns(totals, [visit.words.short_day(day) for day in days], visit.t("tables.due_days"))
    rows = [(day.isoformat(), n) for day, n in zip(days, totals, strict=True)]
    return Table(
        "due_days", (Column("due", "day"), Column("pairs", "number")), rows, visit.t("due.nobody"), chart=chart
    )


def _by_category(visit: Visit, told: dict[str, Any], gone: int) -> Table:
    ends = (7, 14, told["days"])
    rows = [
        (name or visit.t("due.other"), *(sum(row[gone : gone + end]) for end in ends))
        for name, row in zip(told["categories"], told["counts"], strict=True)
    ]
    names = (Column("category"), Column("due_7", "number"), Column("due_14", "number"), Column("due_30", "number"))
    return Table("due_categories", names, rows, visit.t("due.nobody"), visit.t("due.categories_note"))


def _filter(visit: Visit, told: dict[str, Any]) -> Form:
    within = [("7", visit.t("due.week")), ("14", visit.t("due.two_weeks")), ("30", visit.t("due.month"))]
    return Form("due", {
        "categories": [name for name in told["categories"] if name], "category": visit.asked("category"),
        "within": within, "days": visit.asked("within") or "7",
    })  # fmt: skip


def _people(visit: Visit, first: date, gone: int) -> Table:
    """The customers of the board that are asked for, the likeliest first; who was erased since is left out."""
    within, category = visit.asked("within"), visit.asked("category")
    last = gone + (int(within) if within in ("7", "14", "30") else 7)
    erased = visit.service.shops.storage.event_log(visit.shop).erased()
    lines = [
        (customer_id, line)
        for customer_id, found in visit.store.due_board(visit.version or "").items()
        for line in found
        if gone <= line.days < last and not (erased and digest_of_person(customer_id, None) in erased)
    ]
    lines.sort(key=lambda one: -one[1].probability)
    products = titles(visit, sorted({line.product_id for _, line in lines}))
    rows = []
    for customer_id, line in lines:
        product = products.get(line.product_id)
        if product is None or (category and product.category != category):
            continue
        due = (first + timedelta(days=line.days)).isoformat()
        links = (Link(customer_id, address("customers", customer=customer_id)),
                 Link(product.product_id, address("products", product=product.product_id)))  # fmt: skip
        rows.append((*links, product.title, product.category, due, line.probability))
    note = visit.t("due.list_note", n=MOST_DUE_CUSTOMERS)
    return Table("due_list", _LIST, rows, visit.t("due.nobody"), note, MOST_SHOWN)
