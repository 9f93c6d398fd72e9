"""One customer: what would be seen now in each placement and why, what is left out by which rule, and what is known."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from api.console.page import Block, Column, Facts, Form, Link, Note, Page, Table
from api.console.slates import Look, look
from api.console.visit import LONGEST_ID, Visit, address
from api.serving.profile import describe
from recommender.campaigns.context import open_context
from recommender.campaigns.history.customer_mails import CampaignMail, list_mails
from recommender.errors import UnknownCustomerError
from recommender.events.recent import RecentActivity, RecentEvent, recent_events
from recommender.person import digest_of_person
from recommender.slate.candidates import Candidate
from recommender.slate.due import due
from recommender.slate.item_json import to_item
from recommender.slate.slate import Item
from recommender.storage.run_sync import run_sync

MOST_EVENTS = 50
MOST_PLACEMENTS = 12
"""Placements of which it is told in short what they would show."""
_SHOWN = (
    Column("rank", "number"), Column("product", "id"), Column("title"), Column("reason"),
    Column("probability", "share"), Column("due", "day"),
)  # fmt: skip
_LEFT_OUT = (Column("product", "id"), Column("title"), Column("rule"), Column("probability", "share"))
_ELSEWHERE = (Column("placement", "id"), Column("products", "number"), Column("first_of_them"))
_DUE = (Column("product", "id"), Column("title"), Column("due", "day"), Column("within_30", "share"))
_MAILS = (Column("at", "moment"), Column("campaign", "id"), Column("outcome"), Column("why"), Column("products_of_it"))
_EVENTS = (Column("at", "moment"), Column("event"), Column("product", "id"), Column("quantity", "decimal"))


def show(visit: Visit) -> Page:
    """The page of the customer that is asked for, in the placement that is."""
    customer_id = visit.asked("customer")
    names = sorted(visit.cache.state.placements)
    wanted = visit.asked("placement")
    name = wanted if wanted in names else "home" if "home" in names else names[0]
    form = Form("look-up", {
        "label": "customer", "name": "customer", "value": customer_id[:LONGEST_ID], "choose": "placement",
        "chosen_name": "placement", "choices": [(one, one) for one in names], "chosen": name,
    })  # fmt: skip
    if not customer_id:
        return Page("customers", blocks=[form, Note(visit.t("customers.nobody"))])
    if len(customer_id) > LONGEST_ID:
        return Page("customers", blocks=[form, Note(visit.t("customers.too_long", n=LONGEST_ID), warns=True)])
    if visit.asked("mails"):
        return Page("customers", blocks=[form, _mails(visit, customer_id)], subject=customer_id)
    return _page(visit, customer_id, look(visit, name, customer_id), form)


def slate_tables(visit: Visit, found: Look, prefix: str = "") -> list[Block]:
    """The tables of what a placement shows and what it leaves out."""
    rows = [_item(one, found) for one in found.result.slate.items]
    hidden = [
        (_product(one.candidate), one.candidate.product.title, rule_text(visit, one.candidate, one.rule),
         one.candidate.probability)
        for one in found.left_out
    ]  # fmt: skip
    note = visit.t("customers.cap", cap=found.result.limit.cap, n=found.result.limit.applied)
    return [
        Table(f"{prefix}shown", _SHOWN, rows, visit.t("customers.nothing_shown"), note),
        Table(f"{prefix}left_out", _LEFT_OUT, hidden, visit.t("customers.nothing_left_out"), shown=30),
    ]


def rule_text(visit: Visit, candidate: Candidate, rule: str) -> str:
    """Why a product is left out, in words; with the day until which, where there is one."""
    if rule == "not_due" and candidate.own is not None:
        return visit.t("rules.not_due", date=visit.words.day(due(candidate.own, visit.now).at))
    return visit.t(f"rules.{rule}")


def _page(visit: Visit, customer_id: str, found: Look, form: Form) -> Page:
    leads, facts, due_table = _profile(visit, customer_id)
    fallback = found.result.fallback
    if fallback is not None:
        leads.append(visit.t(f"fallbacks.{fallback.reason}"))
    blocks: list[Block] = [form, *slate_tables(visit, found), _elsewhere(visit, customer_id, found.name), *due_table]
    blocks += facts
    if visit.is_answering:
        blocks.append(Form("mails", {"customer": customer_id}))
        blocks.append(Table("events", _EVENTS, _events(visit, customer_id), visit.t("customers.no_events")))
    return Page("customers", leads, blocks, subject=customer_id, currency=visit.currency)


def _mails(visit: Visit, customer_id: str) -> Block:
    """What each campaign sent the customer, or why it sent nothing."""
    if not visit.is_answering:
        return Note(visit.t("empty.no_redis"))
    context = open_context(visit.service.shops.storage, visit.service.settings, visit.shop)
    rows = [
        (one.at.isoformat(), one.campaign_id or None, visit.t(f"mail_outcomes.{one.outcome}"), _why(visit, one),
         ", ".join(one.product_ids))
        for one in list_mails(context, customer_id)
    ]  # fmt: skip
    return Table("mails", _MAILS, rows, visit.t("customers.no_mails"), visit.t("customers.mails_note"))


def _why(visit: Visit, one: CampaignMail) -> str | None:
    """At length in English, in which the library says it; else the reason alone."""
    return one.detail if visit.words.language == "en" else one.reason and visit.t(f"refusals.{one.reason}")


def _elsewhere(visit: Visit, customer_id: str, name: str) -> Table:
    """What the other placements would show, in short."""
    rows = []
    for other in sorted(visit.cache.state.placements)[:MOST_PLACEMENTS]:
        if other != name:
            items = look(visit, other, customer_id).result.slate.items
            titles = ", ".join(one.product.title or one.product.product_id for one in items[:3])
            link = Link(other, address("customers", customer=customer_id, placement=other))
            rows.append((link, len(items), titles))
    return Table("elsewhere", _ELSEWHERE, rows)


def _item(item: Item, found: Look) -> tuple[Any, ...]:
    told = to_item(item, found.result.presentation)
    when = None if told["due"] is None else told["due"]["at"]
    product = Link(item.product.product_id, address("products", product=item.product.product_id))
    return item.rank, product, item.product.title, told["reason"]["text"], told["probability"], when


def _product(candidate: Candidate) -> Link:
    product_id = candidate.product.product_id
    return Link(product_id, address("products", product=product_id))


def _profile(visit: Visit, customer_id: str) -> tuple[list[str], list[Block], list[Block]]:
    """Sentences, figures and due products of a customer; that nothing is known, where it is not."""
    if not visit.is_answering:
        return [visit.t("customers.profile_gone")], [], []
    builder = visit.service.builder(visit.shop, visit.words.language)
    try:
        told = describe(builder, visit.store, customer_id)
    except UnknownCustomerError:
        return [visit.t("customers.unknown")], [], []
    if told is None:
        return [visit.t("empty.no_version")], [], []
    lead = visit.t(
        "customers.lead", orders=told["historic_number_of_orders"], last=visit.words.day(told["last_order_on"]),
        state=visit.t(f"lifecycle.{told['lifecycle']}"),
    )  # fmt: skip
    due_rows = [
        (_linked(one["product_id"]), one["product"]["title"], one["due"]["at"], one["due"]["probability"]["30d"])
        for one in told["due"]
    ]
    facts = Facts([
        ("expected_next", "day", told["expected_date_of_next_order"]),
        ("usual_gap", "days", told["usual_gap_days"]),
        ("spent", "money", told["historic_clv"]),
        ("predicted_clv", "money", told["predicted_clv"]),
        ("churn_365", "share", told["churn_probability"]),
        ("segment", "text", visit.t(f"segments.{told['rfm']['segment'] or 'unknown'}")),
    ], "profile")  # fmt: skip
    return (
        [lead],
        [facts],
        [Table("due_products", _DUE, due_rows, visit.t("customers.nothing_due"), visit.t("customers.due_note"))],
    )


def _linked(product_id: str) -> Link:
    return Link(product_id, address("products", product=product_id))


def _events(visit: Visit, customer_id: str) -> Sequence[tuple[Any, ...]]:
    person = digest_of_person(customer_id, None)
    reading = run_sync(visit.cache.read_async([], [person], in_loop=False))
    known = RecentActivity() if reading is None else reading.live.get(person, RecentActivity())
    latest = recent_events([*known.orders, *known.session, *known.shown])
    newest = sorted(latest, key=lambda one: -one.at)[:MOST_EVENTS]
    return [_event(visit, one) for one in newest]


def _event(visit: Visit, event: RecentEvent) -> tuple[Any, ...]:
    at = datetime.fromtimestamp(event.at, UTC).isoformat()
    return at, visit.t(f"events.{event.event_type}"), _linked(event.product_id), event.quantity
