"""The mailer: sends a campaign by e-mail, at most one mail a customer, however often it is run again.

A mail is claimed with the governor before it is sent, and its state is kept in the outbox. A process may end at any
moment: the next run goes on from the outbox, and a customer who may have got the mail already gets no second one.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from recommender.campaigns.context import CampaignContext
from recommender.campaigns.customer_list import CustomerList
from recommender.campaigns.mail.mailbox import Mailbox
from recommender.campaigns.mail.message import MessageBuilder
from recommender.campaigns.mail.render import Renderer
from recommender.campaigns.mail.smtp import Envelope
from recommender.campaigns.run import count_blocks, plan_blocks, run_campaign
from recommender.campaigns.selection import Batch
from recommender.cli.progress import Advance
from recommender.events.event import Event, EventType
from recommender.person import digest
from recommender.storage.campaign import Campaign, Picks
from recommender.storage.event_log import EventLog
from training.campaigns.mail.addresses import AddressBook
from training.campaigns.mail.delivery import Delivery
from training.campaigns.mail.outbox import SETTLED, Outbox, Settled

ROUND_PAUSES_S = (30.0, 120.0, 480.0)
"""Pauses before the deferred mails are tried again."""
BLOCKS_PER_SELECTION = 64
"""About 4,000 customers: the governor counts their mails from the same moment."""
_EVENTS_AT_ONCE = 500
ProgressStep = AbstractContextManager[Advance]
_EVENT_TYPES: dict[str, EventType] = {"sent": "mail_sent", "bounced": "mail_bounce"}


@dataclass(frozen=True)
class Mailer:
    """A sender of one campaign: selects customers, makes their mails, delivers them and logs what became of them.

    Attributes:
        campaign: as it was begun.
        context: version, contacts and rules of the shop.
        customers: the list that the campaign was begun with; None for an audience.
        addresses: mailboxes by customer.
        outbox: state of every mail of the campaign.
        renderer: makes subject and bodies from picks.
        builder: makes the message of what was rendered.
        delivery: hands messages to the mail server.
        event_log: gets a mail_sent or mail_bounce event for each mail.
        max_waiting_events: as in `EventLog.accept`.
        clock: the aware moment.
        check: raises StoreError where Redis has lost who is not written to; called before the mails of each block.
    """

    campaign: Campaign
    context: CampaignContext
    customers: CustomerList | None
    addresses: AddressBook
    outbox: Outbox
    renderer: Renderer
    builder: MessageBuilder
    delivery: Delivery
    event_log: EventLog
    max_waiting_events: int
    clock: Callable[[], datetime]
    check: Callable[[], None] = lambda: None

    def send(self, step: Callable[[str, int], ProgressStep]) -> None:
        """Send the mails of all customers selected, then try the deferred ones again after each of ROUND_PAUSES_S.

        Args:
            step: shows a named step of so many blocks.

        Raises:
            MailError: the server takes no mails. Nothing is lost: run it again.
            StoreError: Redis does not answer, or has lost who is not written to. The same.
        """
        self._log_events()
        blocks = plan_blocks(count_blocks(self.campaign, self.context), self.customers)
        with self.delivery.at_work() as pool:
            self._send_blocks(self.outbox.unfinished(blocks), pool, partial(step, "Send mails"))
            for pause_s in ROUND_PAUSES_S:
                deferred = self.outbox.deferred()
                if not deferred:
                    break
                self.delivery.pause(pause_s)
                self._send_blocks(deferred, pool, partial(step, "Try again"))

    def _send_blocks(
        self, blocks: Sequence[int], pool: ThreadPoolExecutor, step: Callable[[int], ProgressStep]
    ) -> None:
        with step(len(blocks)) as advance:
            for first in range(0, len(blocks), BLOCKS_PER_SELECTION):
                selected, at = blocks[first : first + BLOCKS_PER_SELECTION], self.clock()
                for batch in run_campaign(
                    self.campaign, self.context, blocks=selected, at=at, customers=self.customers
                ):
                    self._send_batch(batch, pool)
                    advance(1)

    def _send_batch(self, batch: Batch, pool: ThreadPoolExecutor) -> None:
        self.check()
        picks = {decision.customer_id: decision.picks for decision in batch.outcomes if decision.picks is not None}
        self.outbox.claim(batch.number, picks)
        states = self.outbox.states(batch.number)
        unsettled = self._leave_out_sent([one for one in picks if states[one] not in SETTLED])
        mailboxes = self._find_mailboxes(unsettled)
        self._deliver({one: picks[one] for one in unsettled if one in mailboxes}, mailboxes, pool)
        self._release(batch.number, picks)
        self._log_events()
        self.outbox.finish(batch.number, Counter(one.reason for one in batch.outcomes if one.reason is not None))

    def _leave_out_sent(self, customer_ids: Sequence[str]) -> list[str]:
        """Customers without a mail of the campaign from another REPRISE_HOME or another system."""
        unsent = []
        for customer_id, state in zip(customer_ids, self.context.contacts.standings(customer_ids), strict=True):
            mail = state.mail_of(self.campaign.campaign_id)
            if mail is None or mail.sent_at is None:
                unsent.append(customer_id)
            else:
                self.outbox.mark(customer_id, "sent", mail.sent_at)
                self.outbox.mark_logged([customer_id])
        return unsent

    def _find_mailboxes(self, customer_ids: Sequence[str]) -> dict[str, Mailbox]:
        """Mailboxes that a mail can be delivered to; the other customers are marked in the outbox."""
        mailboxes = self.addresses.find(customer_ids)
        for customer_id in customer_ids:
            if customer_id not in mailboxes:
                self.outbox.mark(customer_id, "no_address", self.clock())
            elif not self.builder.fits(customer_id):
                del mailboxes[customer_id]
                self.outbox.mark(customer_id, "refused", self.clock(), "customer id too long")
        return mailboxes

    def _deliver(self, picks: Mapping[str, Picks], mailboxes: Mapping[str, Mailbox], pool: ThreadPoolExecutor) -> None:
        def deliver(customer_id: str) -> None:
            build = partial(self._build, picks[customer_id], mailboxes[customer_id])
            self.delivery.deliver(customer_id, build, self.outbox)

        # asking for the results raises what a thread raised; `at_work` has the others stop then
        list(pool.map(deliver, picks))

    def _build(self, picks: Picks, to: Mailbox, at: datetime) -> Envelope:
        rendered = self.renderer.render(self.campaign, picks, name=to.name, locale=to.locale)
        return self.builder.build(rendered, picks.customer_id, to, at)

    def _release(self, block: int, claimed: Mapping[str, Picks]) -> None:
        """Release the claims of mails that were not delivered, so that another campaign may write."""
        states = self.outbox.states(block)
        unsent = [one for one in claimed if states.get(one) in ("refused", "bounced", "no_address")]
        if unsent:
            self.context.contacts.release(self.campaign.campaign_id, unsent)

    def _log_events(self) -> None:
        """Log an event for each mail that was sent or bounced; logged twice, an event counts once, by its id."""
        while unlogged := self.outbox.unlogged(_EVENTS_AT_ONCE):
            events = [self._event(settled) for settled in unlogged]
            self.event_log.accept(events, self.clock(), self.max_waiting_events)
            self.outbox.mark_logged(settled.customer_id for settled in unlogged)

    def _event(self, settled: Settled) -> Event:
        event_type = _EVENT_TYPES[settled.state]
        named = digest(f"{len(self.campaign.campaign_id)}:{self.campaign.campaign_id}{settled.customer_id}")
        return Event(
            event_id=f"{event_type}:{named}",
            event_type=event_type,
            customer_id=settled.customer_id,
            occurred_at=settled.at,
            placement="email",
            campaign_id=self.campaign.campaign_id,
        )


def leave_out_unknown(addresses: AddressBook, campaign: Campaign, context: CampaignContext, advance: Advance) -> None:
    """Leave out the addresses of customers whom the campaign's version does not know.

    Args:
        addresses: are changed.
        campaign: as it was begun or planned.
        context: reads the version.
        advance: is called with 1 for each block of customers.
    """
    for number in range(count_blocks(campaign, context)):
        addresses.know(profile.customer_id for profile in context.store.profiles(campaign.version, number))
        advance(1)
    addresses.leave_out_unknown()
