"""Test mails: one customer's mail to a list of colleagues; nothing is begun, claimed, counted or told."""

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from recommender.campaigns.context import CampaignContext
from recommender.campaigns.customer_list import CustomerList
from recommender.campaigns.run import plan_blocks, run_campaign
from recommender.data_dir import home_errors
from recommender.errors import DataError, UnreadableFileError
from recommender.storage.campaign import Campaign
from training.campaigns.mail.addresses import Mailbox, check_address
from training.campaigns.mail.delivery import Delivery
from training.campaigns.mail.message import MessageBuilder
from training.campaigns.mail.outbox import State, open_outbox
from training.campaigns.mail.render import Rendered
from training.campaigns.mail.smtp import Envelope

MOST_SEEDS = 50
"""Addresses of one test: it is no way around a campaign's rules."""
MARK = "[Test] "


def read_seeds(file: Path) -> list[Mailbox]:
    """The addresses of a file, a line each: an address, and perhaps a name and a locale after commas.

    A first line of `email,name,locale` is taken as a header.

    Raises:
        UnreadableFileError: it cannot be read.
        DataError: a line holds no address, or there are none or over MOST_SEEDS.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            rows = [[cell.strip() for cell in row] for row in csv.reader(lines) if any(cell.strip() for cell in row)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UnreadableFileError(f"{file} cannot be read: {error}") from None
    if rows and rows[0][0].lower() == "email":
        rows = rows[1:]
    seeds = [_mailbox(file, number, *row[:3]) for number, row in enumerate(rows, start=1)]
    if not 0 < len(seeds) <= MOST_SEEDS:
        raise DataError(f"{file} holds {len(seeds)} addresses; a test goes to 1 to {MOST_SEEDS}")
    return seeds


def _mailbox(file: Path, number: int, email: str, name: str = "", locale: str = "") -> Mailbox:
    address = check_address(email)
    if address is None:
        raise DataError(f"{file}: row {number} holds no address; write one a line, as anna@shop.example,Anna,de")
    return Mailbox(address, name or None, locale or None)


def find_example(campaign: Campaign, context: CampaignContext, customers: CustomerList | None) -> str | None:
    """The first customer who would get a mail now; None where nobody would."""
    blocks = plan_blocks(context.store.n_profile_blocks(campaign.version) or 0, customers)
    for batch in run_campaign(campaign, context, blocks=blocks, customers=customers, rehearse=True):
        for decision in batch.outcomes:
            if decision.picks is not None:
                return decision.customer_id
    return None


@dataclass(frozen=True)
class SeedMails:
    """A sender of test mails.

    Attributes:
        builder: of messages that unsubscribe nobody.
        delivery: hands them to the mail server.
        render: makes the mail in the language, and with the name, of an address.
    """

    builder: MessageBuilder
    delivery: Delivery
    render: Callable[[Mailbox], Rendered]

    def send(self, seeds: Sequence[Mailbox]) -> dict[State, int]:
        """How many mails are in which state afterwards.

        Raises:
            MailError: a mail cannot be made, or the server takes none.
        """
        with (
            home_errors("write a test's states"),
            TemporaryDirectory(prefix="reprise-test-") as folder,
            open_outbox(Path(folder) / "test.sqlite") as outbox,
            self.delivery.at_work() as pool,
        ):
            outbox.claim(0, [seed.address for seed in seeds])
            deliver = self.delivery.deliver
            tries = [pool.submit(deliver, one.address, partial(self._build, one), outbox) for one in seeds]
            for one in tries:
                one.result()
            return outbox.counts()

    def _build(self, seed: Mailbox, at: datetime) -> Envelope:
        rendered = self.render(seed)
        return self.builder.build(replace(rendered, subject=MARK + rendered.subject), seed.address, seed, at)
