"""Mails: the one that a named customer would get, before anything begins; looking claims nothing."""

import shlex
from collections.abc import Mapping
from typing import Any

from api.console.campaigns.planning import AUDIENCES, context_of, plan
from api.console.page import Block, Form, Mail, Note, Page
from api.console.refusals import RefusedError
from api.console.visit import LONGEST_ID, Visit
from recommender.campaigns.mail.preview import MailPreview, preview_mail
from recommender.campaigns.mail.render import make_renderer
from recommender.errors import MailError
from recommender.storage.campaign import Campaign
from recommender.words.language import LANGUAGES

FIELDS = ("campaign", "audience", "slots", "customer", "greeted", "locale")
"""What a form asks for: a campaign, a customer, and the name and language that the file of addresses would give."""


def show(visit: Visit) -> Page:
    """The form, and the mail that it asks for."""
    asked = {name: visit.asked(name) for name in FIELDS}
    form = Form("mail", {
        **asked, "audiences": [(one, visit.t(f"audiences.{one}")) for one in AUDIENCES], "locales": sorted(LANGUAGES),
        "customer": asked["customer"][:LONGEST_ID],
    })  # fmt: skip
    if visit.is_answering and visit.version is None:
        return Page("mails", blocks=[Note(visit.t("empty.no_version"))])
    if not asked["customer"]:
        return Page("mails", blocks=[form, Note(visit.t("mails.nobody"))])
    if not visit.is_answering:
        return Page("mails", blocks=[form, Note(visit.t("empty.no_redis"))])
    try:
        campaign, found = preview(visit, asked)
    except RefusedError as error:
        return Page("mails", blocks=[form, Note(error.told(visit.words), warns=True)])
    except MailError as error:  # what is wrong with the template, in the words of its language
        return Page("mails", [visit.t("mails.template")], [form, Note(str(error), warns=True)])
    return Page("mails", _leads(visit, found), [form, *_blocks(visit, campaign, found, asked)], found.customer_id)


def preview(visit: Visit, asked: Mapping[str, str]) -> tuple[Campaign, MailPreview]:
    """The campaign, and the mail to the customer, that a form asks for.

    Raises:
        RefusedError: the campaign cannot begin, or no customer can be called so.
        VersionNotFoundError: nothing is published, or the campaign's version is no longer kept.
        MailError: the template cannot be filled.
    """
    customer_id = asked["customer"].strip()
    if not 0 < len(customer_id) <= LONGEST_ID:
        raise RefusedError("customer_id", most=LONGEST_ID)
    context = context_of(visit)
    campaign = plan(visit, asked, context)
    renderer = make_renderer(visit.service.settings, visit.shop, signed=False)
    name, locale = asked["greeted"] or None, asked["locale"] or None
    return campaign, preview_mail(campaign, context, renderer, customer_id, name=name, locale=locale)


def _leads(visit: Visit, found: MailPreview) -> list[str]:
    if found.mail is None:
        return [visit.t("mails.none", why=visit.t(f"refusals.{found.reason}"))]
    return [visit.t("mails.held_out" if found.held_out else "mails.gets")]


def _blocks(visit: Visit, campaign: Campaign, found: MailPreview, asked: Mapping[str, str]) -> list[Block]:
    if found.mail is None:
        return []
    mail = found.mail
    values: dict[str, Any] = {
        "fields": asked, "seeds": seeds_of(visit), "command": _command(visit, campaign, found.customer_id),
    }  # fmt: skip
    return [Mail(mail.subject, mail.html, mail.text), Form("test-mail", values, needs_admin=True)]


def seeds_of(visit: Visit) -> tuple[str, ...]:
    """The addresses that a test goes to; () where none can be sent, as for a shop that the settings are not of."""
    settings = visit.service.settings
    is_ready = settings.mail.smtp and settings.mail.smtp_from and visit.shop == settings.shop
    return settings.mail.seeds if is_ready else ()


def _command(visit: Visit, campaign: Campaign, customer_id: str) -> str:
    """What sends the same mail to colleagues, to be copied into a shell."""
    listed = campaign.audience not in AUDIENCES
    audience = ["--customers", "customers.csv"] if listed else ["--audience", campaign.audience]
    of_shop = [] if visit.shop == visit.service.settings.shop else ["env", f"REPRISE_SHOP={visit.shop}"]
    return shlex.join([
        *of_shop, "reprise", "send", campaign.campaign_id, *audience, "--slots", str(campaign.slots),
        "--addresses", "addresses.csv", "--preview", customer_id, "--test", "colleagues.csv",
        "--smtp", "smtp://user@mail.example:587", "--from", "Shop <news@shop.example>",
    ])  # fmt: skip
