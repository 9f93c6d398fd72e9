"""`reprise send`: a campaign by e-mail."""

import signal
import time
from collections.abc import Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from recommender.campaigns.context import CampaignContext, open_context
from recommender.campaigns.customer_list import CustomerList
from recommender.campaigns.run import begin_campaign, count_blocks, plan_campaign
from recommender.cli.console import print_json
from recommender.cli.progress import Progress
from recommender.redis.open import store_url
from recommender.redis.shops import RedisShopStorage
from recommender.settings import Settings, load_settings
from recommender.storage.campaign import Campaign
from training.campaigns.mail.addresses import AddressBook, open_addresses
from training.campaigns.mail.delivery import Delivery
from training.campaigns.mail.mail_server import MailServer, is_this_machine, parse_server
from training.campaigns.mail.message import make_message_builder
from training.campaigns.mail.outbox import Outbox, forget_old_campaigns, open_outbox, outbox_path
from training.campaigns.mail.render import Renderer
from training.campaigns.mail.send import Mailer, leave_out_unknown
from training.campaigns.picks.customer_file import read_customers
from training.campaigns.picks.preview import preview
from training.campaigns.picks.writer import TIMEOUT_MS
from training.commands.options import campaign_options

MOST_NAMED = 100
"""Customers of whom nobody knows whether they got the mail, by name."""
_WORDS = {
    "sent": "sent",
    "bounced": "have no such mailbox",
    "refused": "refused by the mail server",
    "no_address": "have no usable address; name one and run it again",
    "deferred": "not taken yet; run it again",
    "claimed": "not tried yet; run it again",
    "unknown": "may have got it: the connection failed before the server's answer. They are not written to again",
}


@click.command()
@campaign_options
@click.option(
    "--addresses", type=click.Path(path_type=Path), required=True, help="CSV: customer_id,email[,name][,locale]"
)
@click.option("--smtp", "smtp", metavar="URL", help="smtp://user@host:587 or smtps://user@host")
@click.option("--from", "sender", metavar="ADDRESS", help="'Shop <news@shop.example>'; bounces go there too.")
@click.option("--per-second", type=click.FloatRange(min=0, min_open=True), default=10.0, show_default=True)
@click.option(
    "--template", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Your own, not the built-in."
)
@click.option("--locale", default="en", show_default=True, help="Of whom the file says none, such as de or pt-BR.")
@click.option("--dry-run", is_flag=True, help="Only say who would get what; nothing is claimed or sent.")
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON.")
def command(
    *,
    campaign_id: str,
    audience: str | None,
    customers: Path | None,
    slots: int | None,
    addresses: Path,
    smtp: str | None,
    sender: str | None,
    per_second: float,
    template: Path | None,
    locale: str,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Send the mails of CAMPAIGN to everybody in an audience who may be written to.

    Nobody gets two, however often it is killed and run again. The password is read from REPRISE_SMTP_PASSWORD. It ends
    with 0 once every mail is settled, and with 1 while some have to be tried again.

    \b
    Example:
      reprise send 2026-11-reorder --audience due_soon --addresses addresses.csv --dry-run
      reprise send 2026-11-reorder --audience due_soon --slots 4 --addresses addresses.csv \\
        --smtp smtp://shop@mail.example:587 --from "Shop <news@shop.example>"
    """
    if (audience is None) == (customers is None):
        raise click.UsageError("say who is meant: --audience or --customers, one of the two")
    if dry_run:
        _refuse_what_would_be_ignored()
    elif smtp is None or sender is None:
        raise click.UsageError("name --smtp and --from, or try --dry-run")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    settings, progress = load_settings(), Progress(show=not as_json)
    listed = None if customers is None else read_customers(customers)
    meant = listed.audience if listed else str(audience)
    with ExitStack() as until_the_end:
        url = until_the_end.enter_context(store_url(settings))
        storage = until_the_end.enter_context(closing(RedisShopStorage(url, TIMEOUT_MS)))
        book = until_the_end.enter_context(open_addresses(addresses, settings.home / "outbox"))
        job = SendJob(campaign_id, meant, slots, listed, settings, storage, book, progress)
        if dry_run:
            told = job.rehearse()
        else:
            password = settings.smtp_password
            server = parse_server(str(smtp), password.get_secret_value() if password else None)
            renderer = Renderer(settings.mail, settings.shop, template, locale, settings.currency)
            told = job.send(server, str(sender), renderer, per_second)
    print_json({**told, "seconds": progress.seconds}) if as_json else _print(told)
    if told["open"]:
        raise SystemExit(1)


def _refuse_what_would_be_ignored() -> None:
    """Raise UsageError for an option of mails that are not sent."""
    context = click.get_current_context()
    for one in context.command.params:
        of_mails = one.name in ("smtp", "sender", "per_second", "template", "locale")
        if of_mails and context.get_parameter_source(str(one.name)) is ParameterSource.COMMANDLINE:
            raise click.UsageError(f"--dry-run sends no mail; leave {one.opts[0]} away, or --dry-run")


@dataclass(frozen=True)
class SendJob:
    """One campaign and what it is sent with."""

    campaign_id: str
    audience: str
    slots: int | None
    listed: CustomerList | None
    settings: Settings
    storage: RedisShopStorage
    book: AddressBook
    progress: Progress

    def rehearse(self) -> dict[str, Any]:
        """Say what would be sent; nothing is begun."""
        context = open_context(self.storage, self.settings)
        campaign = plan_campaign(context, self.campaign_id, self.audience, self.slots, datetime.now(UTC))
        self._check_addresses(campaign, context)
        with self.progress.step("Look at customers", count_blocks(campaign, context)) as advance:
            found = preview(campaign, context, self.listed, advance)
        return {**campaign.to_dict(), **found, "dry_run": True, "open": 0, "addresses": self.book.to_dict()}

    def send(self, server: MailServer, sender: str, renderer: Renderer, per_second: float) -> dict[str, Any]:
        """Send it, or go on with it."""
        settings, clock = self.settings, partial(datetime.now, UTC)
        public = not is_this_machine(server.host)
        builder = make_message_builder(settings.mail, settings.shop, self.campaign_id, sender, public=public)
        context = open_context(self.storage, settings)
        forget_old_campaigns(settings.home, settings.shop, clock())
        campaign = begin_campaign(context, self.campaign_id, self.audience, self.slots, clock())
        with open_outbox(outbox_path(settings.home, settings.shop, self.campaign_id)) as outbox:
            self._check_addresses(campaign, context)
            delivery = Delivery(server, per_second, clock, time.monotonic, seed=self.campaign_id)
            log = self.storage.event_log(settings.shop)
            sending = Mailer(
                campaign=campaign,
                context=context,
                customers=self.listed,
                addresses=self.book,
                outbox=outbox,
                renderer=renderer,
                builder=builder,
                delivery=delivery,
                event_log=log,
                max_waiting_events=settings.max_waiting_events,
                clock=clock,
            )
            sending.send(self.progress.step)
            return {**campaign.to_dict(), **summarize(outbox), "addresses": self.book.to_dict()}

    def _check_addresses(self, campaign: Campaign, context: CampaignContext) -> None:
        with self.progress.step("Check addresses", count_blocks(campaign, context)) as advance:
            leave_out_unknown(self.book, campaign, context, advance)


def summarize(outbox: Outbox) -> dict[str, Any]:
    """What became of a campaign's mails so far, over all runs; `open` of them are to be tried again."""
    counts = outbox.counts()
    return {
        "mails": counts,
        "open": counts["deferred"] + counts["claimed"],
        "without": outbox.reasons(),
        "answers": outbox.details(),
        "unknown_customers": outbox.unknown(MOST_NAMED),
    }


def _print(told: Mapping[str, Any]) -> None:
    addresses = told["addresses"]
    click.echo(f"{addresses['usable']:,} of {addresses['rows']:,} addresses can be used")
    for one in addresses["bad_lines"]:
        click.echo(f"  line {one['line']}: {one['reason'].replace('_', ' ')}")
    if told.get("dry_run"):
        click.echo(f"{told['in_audience']:,} in the audience, {told['mails']:,} would get a mail")
    else:
        for state, n in told["mails"].items():
            if n:
                click.echo(f"{n:,} {_WORDS[state]}")
        for answer, n in told["answers"].items():
            click.echo(f"  {n:,} times: {answer}")
        if told["unknown_customers"]:
            click.echo(f"  not known of: {', '.join(told['unknown_customers'])}")
    for reason, n in told["without"].items():
        click.echo(f"{n:,} get no mail: {reason.replace('_', ' ')}")
    click.echo("nothing was claimed or sent" if told.get("dry_run") else f"campaign {told['campaign_id']}: "
               + ("run it again for those that are open" if told["open"] else "every mail is settled"))  # fmt: skip
