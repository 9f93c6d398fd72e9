"""Value: who brings how much, what is expected of whom, and how the last forecast came out."""

from typing import Any

from api.console.page import Block, Column, Facts, Note, Page, Table
from api.console.visit import Visit

_NOW = (
    Column("tenth", "number"), Column("customers", "number"), Column("spent", "money"), Column("predicted", "money"),
    Column("predicted_each", "money"), Column("predicted_share", "share"),
)  # fmt: skip
_THEN = (
    Column("tenth", "number"), Column("customers", "number"), Column("orders_expected", "decimal"),
    Column("orders_came", "number"), Column("money_expected", "money"), Column("money_came", "money"),
)  # fmt: skip
_GROUPS = (
    Column("group"), Column("customers", "number"), Column("customer_share", "share"), Column("spent", "money"),
    Column("revenue_share", "share"), Column("churn_365", "share"), Column("predicted", "money"),
    Column("predicted_each", "money"),
)  # fmt: skip
_GROUP_FIELDS = (
    "customers", "customer_share", "revenue", "revenue_share", "churn_probability", "predicted_clv",
    "predicted_clv_per_customer",
)  # fmt: skip


def show(visit: Visit) -> Page:
    """Customer value as the version that answers describes it."""
    told = visit.insights
    if told is None:
        return Page("value", blocks=[Note(visit.lacks)])
    now, then, days = told["value"]["now"], told["value"]["then"], told["horizon_days"]
    kpis = told["kpis"]
    total = sum(row[2] for row in now)
    rows = [
        (place, n, spent, ahead, ahead / n if n else None, ahead / total if total else None)
        for place, (n, spent, ahead) in enumerate(now, start=1)
    ]
    blocks: list[Block] = [
        Facts([
            ("revenue", "money", kpis["revenue"]), ("revenue_per_customer", "money", kpis["revenue_per_customer"]),
            ("average_order", "money", kpis["average_order_value"]), ("predicted_clv", "money", kpis["predicted_clv"]),
        ]),
        Table("tenths", _NOW, rows, visit.t("value.no_model"), visit.t("value.tenths_note", n=days), shaded=True),
        _then(visit, then),
        _groups(visit, "by_lifecycle", "lifecycle", told["by_lifecycle"]),
        _groups(visit, "by_segment", "segments", told["by_segment"]),
    ]  # fmt: skip
    lead = [visit.t("value.lead", share=visit.words.share(rows[0][5] or 0.0), n=days)] if rows and total else []
    return Page("value", lead, blocks, currency=visit.currency)


def _then(visit: Visit, then: dict[str, Any] | None) -> Block:
    if then is None:
        return Note(visit.t("value.no_past"))
    rows = [(place, *row) for place, row in enumerate(then["tenths"], start=1)]
    expected, came = (sum(row[i] for row in then["tenths"]) for i in (1, 2))
    note = visit.t(
        "value.then_note", date=visit.words.day(then["from"]), n=then["days"], expected=round(expected), came=came
    )
    return Table("forecast", _THEN, rows, note=note, details=True)


def _groups(visit: Visit, name: str, words: str, groups: list[dict[str, Any]]) -> Table:
    rows = [(visit.t(f"{words}.{one['name']}"), *(one[field] for field in _GROUP_FIELDS)) for one in groups]
    return Table(name, _GROUPS, rows, visit.t("empty.no_customers"), visit.t(f"value.{name}_note"), shaded=True)
