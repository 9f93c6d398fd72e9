"""Campaigns: who got which mail, what came of it, and what it caused, as far as somebody was held out."""

from collections import Counter
from typing import Any, get_args

from api.console.page import Block, Column, Facts, Form, Link, Note, Page, Table
from api.console.results import money_cells, money_columns
from api.console.visit import Visit, address
from recommender.campaigns.audiences import AudienceName
from recommender.campaigns.overview import CampaignOverview, find_campaign, list_campaigns
from recommender.errors import UnknownCampaignError
from recommender.results.campaigns import CampaignResults, Effect
from recommender.results.store import MOST_CAMPAIGNS

_LIST = (
    Column("campaign", "id"), Column("begun", "moment"), Column("audience"), Column("state"),
    Column("selected", "number"), Column("refused", "number"), Column("sent", "number"), Column("opened", "number"),
    Column("clicked", "number"), Column("bought", "number"), Column("effect"),
)  # fmt: skip
_VARIANT = (
    "selected", "sent", "bounced", "opened", "clicked", "bought", "unsubscribed", "complained", "took_part", "orders"
)  # fmt: skip
_SUMMED = ("selected", "sent", "opened", "clicked", "bought")


def show(visit: Visit) -> Page:
    """All campaigns, or one."""
    if not visit.is_answering:
        return Page("campaigns", blocks=[Note(visit.t("empty.no_redis"))])
    storage, asked = visit.service.shops.storage, visit.asked("campaign")
    if asked:
        try:
            return _one(visit, find_campaign(storage, visit.shop, asked))
        except UnknownCampaignError:
            pass
    campaigns = list_campaigns(storage, visit.shop)
    monies = [_money(one) for one in campaigns]
    rows = [(*_row(visit, one), *money_cells(monies, money)) for one, money in zip(campaigns, monies, strict=True)]
    form = Form("campaign", {"audiences": [(one, visit.t(f"audiences.{one}")) for one in get_args(AudienceName)]}, True)
    unknown = [Note(visit.t("campaigns.unknown", campaign=asked[:100]), warns=True)] if asked else []
    note = visit.t("campaigns.note", n=MOST_CAMPAIGNS)
    columns = [*_LIST, *money_columns(visit, monies)]
    table = Table("campaigns", columns, rows, visit.t("campaigns.none"), note)
    blocks: list[Block] = [*unknown, table, Form("see-mail", {"campaign": ""}), form]
    return Page("campaigns", blocks=blocks, currency=visit.currency)


def _row(visit: Visit, one: CampaignOverview) -> tuple[Any, ...]:
    link = Link(one.campaign_id, address("campaigns", campaign=one.campaign_id))
    head = (link, one.began or None, _audience(visit, one), visit.t(f"campaign_states.{one.state}"))
    if one.results is None:
        return *head, *[None] * 6, _said(visit, one)
    variants = one.results.variants
    sums = [sum(getattr(variant, name) for variant in variants) for name in _SUMMED]
    refused = sum(n for variant in variants for n in variant.refused.values())
    return *head, sums[0], refused, *sums[1:], _said(visit, one)


def _money(one: CampaignOverview) -> dict[str, float]:
    """Currency → what was bought of what was clicked in the mails."""
    total: dict[str, float] = {}
    for variant in one.results.variants if one.results else ():
        for currency, amount in variant.money.items():
            total[currency] = round(total.get(currency, 0.0) + amount, 2)
    return total


def _audience(visit: Visit, one: CampaignOverview) -> str | None:
    name = None if one.campaign is None else one.campaign.audience
    return name and str(visit.words.find(f"audiences.{name}") or visit.t("campaigns.list"))


def _one(visit: Visit, one: CampaignOverview) -> Page:
    blocks: list[Block] = [
        Facts([
            ("begun", "moment", one.began or None),
            ("audience", "text", _audience(visit, one)),
            ("state", "text", visit.t(f"campaign_states.{one.state}")),
        ]),
    ]  # fmt: skip
    if one.campaign is not None:
        blocks.append(Form("see-mail", {"campaign": one.campaign_id}))
        again = one.state == "cancelled"
        blocks.append(Form("cancel", {"campaign": one.campaign_id, "again": again}, needs_admin=True))
    blocks += [] if one.results is None else _results(visit, one.results)
    return Page("campaigns", [_said(visit, one)], blocks, one.campaign_id, visit.currency)


def _results(visit: Visit, one: CampaignResults) -> list[Block]:
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
    names = (Column("reason"), Column("customers", "number"))
    return [
        Table("variants", columns, rows, note=visit.t("campaigns.variants_note", n=round(one.within_days))),
        Table("refusals", names, reasons, visit.t("campaigns.nobody_refused")),
        *_details(visit, one.effect),
    ]


def _said(visit: Visit, one: CampaignOverview) -> str:
    """What a campaign caused, as far as anything is counted."""
    if one.results is None:
        return visit.t("campaigns.not_counted")
    return effect_text(visit, one.results.effect)


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
