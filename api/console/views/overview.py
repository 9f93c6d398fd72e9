"""Overview: whether all is well, and what to look at next."""

from datetime import datetime
from typing import Any

from api.console.page import Block, Column, Facts, Kind, Note, Page, Table
from api.console.results import rows_of
from api.console.views.placements import nothing_counted
from api.console.visit import Visit
from api.telemetry.metrics import sum_slates
from recommender.results.placements import sum_rows
from recommender.storage.event_queue import IDLE_S
from recommender.storage.shops import ShopFigures

OLD_DAYS = 14
"""A version older than this is asked to be trained anew: its probabilities are for the 30 days after it."""


def show(visit: Visit) -> Page:
    """How things stand now."""
    if not visit.is_answering:
        facts = Facts([("version", "text", visit.version)], "health")
        return Page("overview", [visit.t("overview.gone")], [facts])
    figures = visit.service.shops.storage.figures(visit.shop)
    problems = _problems(visit, figures)
    lead = visit.t("overview.well") if not problems else visit.t("overview.problems", n=len(problems))
    blocks: list[Block] = [
        *(Note(one, warns=True) for one in problems),
        *_week(visit),
        _health(visit, figures),
        *_shop(visit),
        *_fallbacks(visit),
    ]
    return Page("overview", [lead], blocks, currency=visit.currency)


def _problems(visit: Visit, figures: ShopFigures) -> list[str]:
    """What somebody should do something about, each with what to do."""
    found = []
    working = [one for one in figures.workers if one <= IDLE_S]
    if visit.manifest is None:
        found.append(visit.t("empty.no_version"))
    elif (age := _age(visit)) > OLD_DAYS:
        found.append(visit.t("overview.old", n=age))
    if figures.backlog.waiting and not working:
        found.append(visit.t("overview.no_worker", n=figures.backlog.waiting))
    if figures.backlog.dead_letters:
        found.append(visit.t("overview.dead", n=figures.backlog.dead_letters))
    if figures.trainings["refused"] > figures.trainings["published"]:
        found.append(visit.t("overview.refused"))
    return found


def _week(visit: Visit) -> list[Block]:
    """What came of recommendations in the last seven days."""
    rows = rows_of(visit, 7)
    if not rows:
        return [Note(nothing_counted(visit))]
    (total,) = sum_rows(rows, ())
    money: list[tuple[str, Kind, Any]] = [
        ("money", "text", visit.words.cell("money", amount, currency or visit.currency))
        for currency, amount in total.money.items()
    ]
    counts: list[tuple[str, Kind, Any]] = [
        (name, "number", getattr(total, name)) for name in ("seen", "clicked", "carted", "bought")
    ]
    return [Facts([*counts, *money], "week")]


def _fallbacks(visit: Visit) -> list[Block]:
    """How often something else stood in for what was asked for; for the server's own shop, as it counts all shops."""
    if visit.shop != visit.service.settings.shop:
        return []
    n_slates, by_reason = sum_slates()
    rows = [
        (visit.t(f"fallbacks.{reason}"), n, n / n_slates if n_slates else None)
        for reason, n in sorted(by_reason.items(), key=lambda one: -one[1])
        if n
    ]
    columns = (Column("reason"), Column("answers", "number"), Column("share_of_answers", "share"))
    note = visit.t("overview.fallbacks", n=n_slates)
    return [Table("fallbacks", columns, rows, visit.t("overview.no_fallbacks", n=n_slates), note)]


def _age(visit: Visit) -> int:
    return 0 if visit.manifest is None else max((visit.now - datetime.fromisoformat(visit.manifest.as_of)).days, 0)


def _health(visit: Visit, figures: ShopFigures) -> Facts:
    verdict = None if visit.manifest is None else visit.manifest.gate.get("verdict")
    return Facts([
        ("version", "text", visit.version),
        ("age", "days", None if visit.manifest is None else _age(visit)),
        ("gate", "text", verdict and visit.t(f"gates.{verdict}")),
        ("waiting", "number", figures.backlog.waiting),
        ("workers", "number", sum(one <= IDLE_S for one in figures.workers)),
        ("placements", "number", len(visit.cache.state.placements)),
    ], "health")  # fmt: skip


def _shop(visit: Visit) -> list[Block]:
    told = visit.insights
    if told is None:
        return [Note(visit.t("empty.no_insights"))] if visit.version else []
    kpis, due = told["kpis"], told["due"]
    return [Facts([
        ("customers", "number", kpis["customers"]),
        ("repeat_rate", "share", kpis["repeat_purchase_rate"]),
        ("usual_gap", "days", kpis["median_days_between_orders"]),
        ("due_customers", "number", due["customers"]),
        ("average_order", "money", kpis["average_order_value"]),
    ], "shop")]  # fmt: skip
