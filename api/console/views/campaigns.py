"""Campaigns: who got which mail, what came of it, and what it caused, as far as somebody was held out."""

from collections import Counter
from typing import Any, get_args

from api.console.page import Block, Column, Form, Link, Note, Page, Table
from api.console.results import money_cells, money_columns, results_of
from api.console.visit import Visit, address
from recommender.campaigns.audiences import AudienceName
from recommender.results.campaigns import CampaignResults, Effect
from recommender.results.store import MOST_CAMPAIGNS

_LIST = (
    Column("campaign", "id"), Column("begun", "moment"), Column("selected", "number"), Column("refused", "number"),
    Column("sent", "number"), Column("opened", "number"), Column("clicked", "number"), Column("bought", "number"),
    Column("effect"),
)  # fmt: skip
_VARIANT = (
    "selected", "sent", "bounced", "opened", "clicked", "bought", "unsubscribed", "complained", "took_part", "orders"
)  # fmt: skip
_SUMMED = ("selected", "sent", "opened", "clicked", "bought")


def show(visit: Visit) -> Page:
    """All campaigns, or one."""
    if not visit.is_answering:
        return Page("campaigns", blocks=[Note(visit.t("empty.no_redis"))])
    asked = visit.asked("campaign")
    if asked:
        found = results_of(visit).campaign(asked)
        if found is not None:
            return _one(visit, found)
    campaigns = results_of(visit).campaigns()
    rows = [_row(visit, one) for one in campaigns]
    form = Form("campaign", {"audiences": [(one, visit.t(f"audiences.{one}")) for one in get_args(AudienceName)]}, True)
    unknown = [Note(visit.t("campaigns.unknown", campaign=asked[:100]), warns=True)] if asked else []
    note = visit.t("campaigns.note", n=MOST_CAMPAIGNS)
    blocks: list[Block] = [*unknown, Table("campaigns", _LIST, rows, visit.t("campaigns.none"), note), form]
    return Page("campaigns", blocks=blocks, currency=visit.currency)


def _row(visit: Visit, one: CampaignResults) -> tuple[Any, ...]:
    sums = Counter({name: sum(getattr(variant, name) for variant in one.variants) for name in _SUMMED})
    refused = sum(n for variant in one.variants for n in variant.refused.values())
    link = Link(one.campaign_id, address("campaigns", campaign=one.campaign_id))
    reached = (sums[name] for name in _SUMMED[1:])
    return link, one.first_at, sums["selected"], refused, *reached, effect_text(visit, one.effect)


def _one(visit: Visit, one: CampaignResults) -> Page:
    monies = [variant.money for variant in one.variants]
    columns = [Column("variant"), *(Column(name, "number") for name in _VARIANT), *money_columns(visit, monies)]
    rows = [
        (visit.words.find(f"variants.{variant.variant}") or variant.variant,
         *(getattr(variant, name) for name in _VARIANT), *money_cells(monies, variant.money))
        for variant in one.variants
    ]  # fmt: skip
    refused = Counter[str]()
    for variant in one.variants:
        refused.update(variant.refused)
    reasons = [(visit.words.find(f"refusals.{reason}") or reason, n) for reason, n in refused.most_common()]
    blocks: list[Block] = [
        Table("variants", columns, rows, note=visit.t("campaigns.variants_note", n=round(one.within_days))),
        Table(
            "refusals", (Column("reason"), Column("customers", "number")), reasons, visit.t("campaigns.nobody_refused")
        ),
        *_details(visit, one.effect),
    ]
    return Page("campaigns", [effect_text(visit, one.effect)], blocks, one.campaign_id, visit.currency)


def effect_text(visit: Visit, effect: Effect) -> str:
    """What the mails caused, in a sentence that takes no statistics."""
    shares = {name: visit.words.share(abs(getattr(effect, name) or 0.0)) for name in ("lift", "low", "high")}
    if effect.verdict == "undecided" and effect.more_weeks is not None:
        return visit.t("effects.undecided_weeks", n=effect.more_weeks)
    if effect.verdict == "running" and effect.until is not None:
        return visit.t("effects.running_until", date=visit.words.day(effect.until))
    return visit.t(f"effects.{effect.verdict}", **shares)


def _details(visit: Visit, effect: Effect) -> list[Block]:
    if effect.lift is None:
        return []
    columns = (
        Column("lift", "share"),
        Column("low", "share"),
        Column("high", "share"),
        Column("extra_orders", "decimal"),
    )
    row = (effect.lift, effect.low, effect.high, effect.extra_orders)
    return [Table("effect", columns, [row], note=visit.t("campaigns.effect_note"), details=True)]
