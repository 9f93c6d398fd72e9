"""A campaign to send, or to look at, with all that is open for it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, get_args

from recommender.campaigns.context import CampaignContext, open_context
from recommender.campaigns.customer_list import CustomerList
from recommender.campaigns.history.customer_mails import decide_one
from recommender.campaigns.mail.mailbox import Mailbox
from recommender.campaigns.mail.message import MessageBuilder
from recommender.campaigns.mail.preview import MailPreview, preview_mail
from recommender.campaigns.mail.render import Rendered, Renderer
from recommender.campaigns.mail.seeds import SeedMails
from recommender.campaigns.mail.smtp import Session
from recommender.campaigns.run import begin_campaign, count_blocks, plan_campaign
from recommender.campaigns.suppressions import watch_loss
from recommender.cli.progress import Progress
from recommender.data_dir import DataDirectory
from recommender.errors import StoreError, UsageError
from recommender.redis.shops import RedisShopStorage
from recommender.settings import Settings
from recommender.storage.campaign import Campaign
from recommender.storage.shops import MailState
from training.campaigns.mail.addresses import AddressBook
from training.campaigns.mail.delivery import Delivery
from training.campaigns.mail.mailer import Mailer, leave_out_unknown
from training.campaigns.mail.outbox import Outbox, forget_old_campaigns, open_outbox, outbox_path
from training.campaigns.picks.preview import preview
from training.campaigns.trial.sample import check_template
from training.campaigns.trial.seeds import find_example

MOST_NAMED = 100
"""Customers in state `unknown` whose ids are printed."""


def now() -> datetime:
    """The aware moment."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class SendJob:
    """A campaign to send, with the storage and the addresses that are open for it.

    Attributes:
        campaign_id: the shop's name of the campaign.
        audience: a name of `AUDIENCES`, or `CustomerList.audience` of `customers`.
        slots: most products in a mail; None: as placement email.
        customers: the list to send to; None for an audience.
        settings: of the shop.
        storage: of all shops.
        addresses: mailboxes by customer.
        progress: shows the steps and times them.
    """

    campaign_id: str
    audience: str
    slots: int | None
    customers: CustomerList | None
    settings: Settings
    storage: RedisShopStorage
    addresses: AddressBook
    progress: Progress

    def rehearse(self) -> dict[str, Any]:
        """The dry run's counts and examples as plain JSON; nothing is begun, claimed or sent."""
        campaign, context = self._plan()
        self._check_addresses(campaign, context)
        with self.progress.step("Look at customers", count_blocks(campaign, context)) as advance:
            found = preview(campaign, context, self.customers, advance)
        return {**campaign.to_dict(), **found, "dry_run": True, "open": 0, "addresses": self.addresses.to_dict()}

    def preview(self, customer_id: str, renderer: Renderer) -> MailPreview:
        """The mail that one customer would get now; nothing is begun, claimed or sent."""
        campaign, context = self._plan()
        if self.customers is not None and customer_id not in self.customers:
            return MailPreview(customer_id, None, "not_in_audience", mail=None)
        mailbox = self.addresses.find([customer_id]).get(customer_id)
        name, locale = (mailbox.name, mailbox.locale) if mailbox else (None, None)
        found = preview_mail(campaign, context, renderer, customer_id, name=name, locale=locale)
        return found._replace(has_address=mailbox is not None)

    def test(
        self,
        renderer: Renderer,
        seeds: Sequence[Mailbox],
        customer_id: str | None,
        builder: MessageBuilder,
        session: Session,
    ) -> dict[str, Any]:
        """Send the mail of one customer, or of the first who would get one, to `seeds`; nothing is begun or claimed."""
        campaign, context = self._plan()
        campaign = replace(campaign, holdout=0.0, holdout_of_all=0.0)  # whose mail it is does not matter
        one = customer_id or find_example(campaign, context, self.customers)
        if one is None:
            raise UsageError("nobody would get a mail now; name somebody with --preview, or try --dry-run")
        decision, why = decide_one(campaign, context, one)
        if decision.picks is None:
            raise UsageError(f"{one} would get no mail: {str(decision.reason).replace('_', ' ')}; name somebody else")
        picks = decision.picks

        def render(to: Mailbox) -> Rendered:
            return renderer.render(campaign, picks, name=to.name, locale=to.locale)

        counts = SeedMails(builder, session, render, now).send(seeds)
        return {"test": True, "customer_id": one, "why": why, "mails": counts, "open": len(seeds) - counts["sent"]}

    def check(self, renderer: Renderer) -> None:
        """Raise what would stop the campaign: its terms cannot be, or the template cannot be filled."""
        check_template(renderer, self._plan()[0])

    def send(self, renderer: Renderer, builder: MessageBuilder, delivery: Delivery) -> dict[str, Any]:
        """Begin or resume the campaign, send its mails, and return their counts as plain JSON."""
        context, home, shop = open_context(self.storage, self.settings), self.settings.home, self.settings.shop
        forget_old_campaigns(home, shop, now())
        campaign = begin_campaign(context, self.campaign_id, self.audience, self.slots, now())
        with open_outbox(outbox_path(home, shop, self.campaign_id)) as outbox:
            self._check_addresses(campaign, context)
            mailer = Mailer(
                campaign=campaign,
                context=context,
                customers=self.customers,
                addresses=self.addresses,
                outbox=outbox,
                renderer=renderer,
                builder=builder,
                delivery=delivery,
                event_log=self.storage.event_log(shop),
                max_waiting_events=self.settings.max_waiting_events,
                clock=now,
                check=watch_loss(self.storage, shop, DataDirectory(home)),
            )
            with self._counted(outbox):
                mailer.send(self.progress.step)
            return {**campaign.to_dict(), **summarize(outbox), "addresses": self.addresses.to_dict()}

    def _plan(self) -> tuple[Campaign, CampaignContext]:
        """The campaign as it would begin now."""
        context = open_context(self.storage, self.settings)
        return plan_campaign(context, self.campaign_id, self.audience, self.slots, now()), context

    @contextmanager
    def _counted(self, outbox: Outbox) -> Iterator[None]:
        """Have the metrics of the service show what is settled in the block, however it ends."""
        before = outbox.counts()
        try:
            yield
        finally:
            after = outbox.counts()
            settled = {state: after[state] - before[state] for state in get_args(MailState)}
            with suppress(StoreError):
                self.storage.count_mails(self.settings.shop, {state: n for state, n in settled.items() if n > 0})

    def _check_addresses(self, campaign: Campaign, context: CampaignContext) -> None:
        with self.progress.step("Check addresses", count_blocks(campaign, context)) as advance:
            leave_out_unknown(self.addresses, campaign, context, advance)


def summarize(outbox: Outbox) -> dict[str, Any]:
    """The counts of a campaign's mails over all runs as plain JSON; `open` of them are to be tried again."""
    counts = outbox.counts()
    return {
        "mails": counts,
        "open": counts["deferred"] + counts["claimed"],
        "without": outbox.reasons(),
        "answers": outbox.details(),
        "unknown_customers": outbox.unknown(MOST_NAMED),
    }
