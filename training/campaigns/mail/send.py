"""A campaign sent by e-mail: everybody who may be written to gets one mail, however often it is begun again.

Before a mail the governor has claimed it, and the outbox says what became of it. A process may end at any moment: run
again, it goes on where the outbox says, and who can have got the mail already is not written to.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from recommender.campaigns.context import CampaignContext
from recommender.campaigns.customer_list import CustomerList
from recommender.campaigns.run import count_blocks, plan_blocks, run_campaign
from recommender.campaigns.selection import Batch
from recommender.cli.progress import Advance
from recommender.events.event import Event, EventType
from recommender.person import digest
from recommender.storage.campaign import Campaign, Picks
from recommender.storage.event_log import EventLog
from training.campaigns.mail.addresses import AddressBook, Mailbox
from training.campaigns.mail.delivery import Delivery
from training.campaigns.mail.message import MessageBuilder
from training.campaigns.mail.outbox import SETTLED, Outbox, Settled
from training.campaigns.mail.render import Renderer
from training.campaigns.mail.smtp import Envelope

ROUND_PAUSES_S = (30.0, 120.0, 480.0)
"""Waits before what the server did not want yet is tried again."""
BLOCKS_AT_ONE_MOMENT = 64
"""About 4,000 customers: so many are asked for with the same moment of sending."""
_TOLD_AT_ONCE = 500
Step = AbstractContextManager[Advance]
_EVENT_TYPES: dict[str, EventType] = {"sent": "mail_sent", "bounced": "mail_bounce"}


@dataclass(frozen=True)
class Mailer:
    """What one campaign is sent with.

    Attributes:
        campaign: as it was begun.
        context: the shop.
        customers: the list that it was begun with, if it was.
        addresses: where the mails go.
        outbox: what became of them.
        renderer, letterhead: make them.
        delivery: hands them in.
        event_log: is told of those that were sent, and of those that bounced.
        max_waiting_events: see `EventLog.accept`.
        clock: the aware moment.
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

    def send(self, step: Callable[[str, int], Step]) -> None:
        """Go through all customers, and again through those whom the server did not want yet.

        Args:
            step: shows a named step of so many blocks.

        Raises:
            MailError: the server takes no mails. Nothing is lost: run it again.
            StoreError: Redis does not answer. The same.
        """
        self._tell()
        with self.delivery.at_work() as pool:
            self._go_through(self.outbox.unfinished(self._blocks()), pool, partial(step, "Send mails"))
            for pause_s in ROUND_PAUSES_S:
                deferred = self.outbox.deferred()
                if not deferred:
                    break
                self.delivery.pause(pause_s)
                self._go_through(deferred, pool, partial(step, "Try again"))

    def _blocks(self) -> Sequence[int]:
        return list(plan_blocks(count_blocks(self.campaign, self.context), self.customers))

    def _go_through(self, blocks: Sequence[int], pool: ThreadPoolExecutor, step: Callable[[int], Step]) -> None:
        with step(len(blocks)) as advance:
            for first in range(0, len(blocks), BLOCKS_AT_ONE_MOMENT):
                for block in self._run(blocks[first : first + BLOCKS_AT_ONE_MOMENT]):
                    self._send_block(block, pool)
                    advance(1)

    def _run(self, blocks: Sequence[int]) -> Iterator[Batch]:
        return run_campaign(self.campaign, self.context, blocks=blocks, at=self.clock(), customers=self.customers)

    def _send_block(self, block: Batch, pool: ThreadPoolExecutor) -> None:
        picks = {outcome.customer_id: outcome.picks for outcome in block.outcomes if outcome.picks is not None}
        self.outbox.claim(block.number, picks)
        states = self.outbox.states(block.number)
        open_ones = self._leave_out_sent([one for one in picks if states[one] not in SETTLED])
        mailboxes = self.addresses.find(open_ones)
        for customer_id in open_ones:
            if customer_id not in mailboxes:
                self.outbox.mark(customer_id, "no_address", self.clock())
            elif not self.builder.fits(customer_id):
                del mailboxes[customer_id]
                self.outbox.mark(customer_id, "refused", self.clock(), "customer id too long")
        self._deliver({one: picks[one] for one in open_ones if one in mailboxes}, mailboxes, pool)
        self._release(block.number, picks)
        self._tell()
        self.outbox.finish(block.number, Counter(one.reason for one in block.outcomes if one.reason is not None))

    def _leave_out_sent(self, customer_ids: Sequence[str]) -> list[str]:
        """Those whom nobody else wrote to in the campaign: from another REPRISE_HOME, or by another system."""
        found = []
        for customer_id, standing in zip(customer_ids, self.context.contacts.standings(customer_ids), strict=True):
            mail = standing.mail_of(self.campaign.campaign_id)
            if mail is None or mail.sent_at is None:
                found.append(customer_id)
            else:
                self.outbox.mark(customer_id, "sent", mail.sent_at)
                self.outbox.tell([customer_id])
        return found

    def _deliver(self, picks: Mapping[str, Picks], mailboxes: Mapping[str, Mailbox], pool: ThreadPoolExecutor) -> None:
        def deliver(customer_id: str) -> None:
            make = partial(self._write, picks[customer_id], mailboxes[customer_id])
            self.delivery.deliver(customer_id, make, self.outbox)

        # asking for the results raises what a thread raised; `at_work` has the others stop then
        list(pool.map(deliver, picks))

    def _write(self, picks: Picks, to: Mailbox, at: datetime) -> Envelope:
        rendered = self.renderer.render(self.campaign, picks, name=to.name, locale=to.locale)
        return self.builder.write(rendered, picks.customer_id, to, at)

    def _release(self, block: int, claimed: Mapping[str, Picks]) -> None:
        """Strike what was claimed for mails that nobody got, so that another campaign may write."""
        for customer_id, state in self.outbox.states(block).items():
            if customer_id in claimed and state in ("refused", "bounced", "no_address"):
                self.context.contacts.release(self.campaign.campaign_id, customer_id)

    def _tell(self) -> None:
        """Have the shop's events tell of mails; told twice, an event counts once."""
        while found := self.outbox.untold(_TOLD_AT_ONCE):
            events = [self._event(settled) for settled in found]
            self.event_log.accept(events, self.clock(), self.max_waiting_events)
            self.outbox.tell(settled.customer_id for settled in found)

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
    """Leave out the addresses of customers whom the campaign's version does not know; `advance` is told of blocks."""
    for number in range(count_blocks(campaign, context)):
        addresses.know(profile.customer_id for profile in context.store.profiles(campaign.version, number))
        advance(1)
    addresses.leave_out_unknown()
