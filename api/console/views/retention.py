"""Retention: who comes back, by the month of the first order and by what was bought first, and who is lost."""

from collections.abc import Sequence
from typing import Any

from api.console.charts import lines
from api.console.page import Block, Column, Facts, Note, Page, Table
from api.console.visit import Visit

_BACK = (30, 60, 90, 180, 365)
_FIRSTS = tuple(Column(f"back_{days}", "share") for days in _BACK)
_MONTHS = (
    Column("month", "month"), Column("orders", "number"), Column("customers", "number"),
    Column("new_customers", "number"), Column("repeat_order_share", "share"),
)  # fmt: skip
_MONEY = (Column("revenue", "money"), Column("average_order", "money"))


def show(visit: Visit) -> Page:
    """The retention of the shop as the version that answers describes it."""
    told = visit.insights
    if told is None:
        return Page("retention", blocks=[Note(visit.lacks)])
    kpis, days = told["kpis"], told["window_days"]
    if not kpis["customers"]:
        return Page("retention", blocks=[Note(visit.t("empty.no_customers"))])
    blocks: list[Block] = [
        Facts([
            ("customers", "number", kpis["customers"]),
            ("repeat_rate", "share", kpis["repeat_purchase_rate"]),
            ("usual_gap", "days", kpis["median_days_between_orders"]),
            (_churn(visit, "facts", days), "share", kpis["churn_rate"]),
        ]),
        _cohorts(visit, told["cohorts"]),
        _firsts(visit, "first_category", "category", told["firsts"]["category"]),
        _firsts(visit, "first_product", "product", told["firsts"]["product"]),
        _flow(visit, told["flow"]),
        _months(visit, told["by_month"], days),
    ]  # fmt: skip
    return Page("retention", _lead(visit, kpis, days), blocks, currency=visit.currency)


def _lead(visit: Visit, kpis: dict[str, Any], days: int) -> list[str]:
    rate, churn = kpis["repeat_purchase_rate"], kpis["churn_rate"]
    leads = [visit.t("retention.lead", share=visit.words.share(rate or 0.0))]
    if churn is not None:
        leads.append(visit.t("retention.churn", share=visit.words.share(churn), n=days))
    return leads


def _churn(visit: Visit, section: str, days: int) -> str:
    """The word of churn with its days; that without, where so many days have none."""
    name = f"churn_{days}"
    return name if visit.words.find(f"{section}.{name}") else "churn"


def _cohorts(visit: Visit, told: dict[str, Any]) -> Table:
    months, sizes, rates = told["months"], told["customers"], told["retention"]
    wide = max(map(len, rates), default=1)
    names = (
        Column("month", "month"),
        Column("customers", "number"),
        *(Column(f"m{n}", "share") for n in range(1, min(wide, 13))),
    )
    rows = [
        (month, size, *(rate[n] if n < len(rate) else None for n in range(1, min(wide, 13))))
        for month, size, rate in zip(months, sizes, rates, strict=True)
    ]
    return Table("cohorts", names, rows, visit.t("retention.no_month"), visit.t("retention.cohorts_note"), shaded=True)


def _firsts(visit: Visit, name: str, column: str, rows: Sequence[Sequence[Any]]) -> Table:
    names = (Column(column, "id"), Column("customers", "number"), *_FIRSTS)
    return Table(name, names, rows, visit.t("retention.no_firsts"), visit.t("retention.firsts_note"), 15, shaded=True)


def _flow(visit: Visit, told: dict[str, Any]) -> Table:
    names = (Column("state_before"), *(Column(f"to_{state}", "number") for state in told["to"]))
    rows = [(visit.t(f"lifecycle.{state}"), *row) for state, row in zip(told["from"], told["counts"], strict=True)]
    return Table("flow", names, rows, note=visit.t("retention.flow_note", date=visit.words.day(told["since"])))


def _months(visit: Visit, months: Sequence[dict[str, Any]], days: int) -> Table:
    fields = ("month", "orders", "customers", "new_customers", "repeat_order_share", "churn_rate", "revenue")
    rows = [(*(month[field] for field in fields), month["average_order_value"]) for month in months]
    whole = [month for month in months if month["whole"]]
    drawn = [[float(month["orders"]) for month in whole]]
    chart = lines(drawn, [visit.words.month(month["month"]) for month in whole], visit.t("retention.orders_chart"))
    columns = (*_MONTHS, Column(_churn(visit, "columns", days), "share"), *_MONEY)
    return Table(
        "months", columns, rows, visit.t("retention.no_month"), visit.t("retention.months_note", n=days), chart=chart
    )
