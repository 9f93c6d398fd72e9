"""Seed lists: the colleagues who get a test mail; and whose mail it is, where nobody is named."""

import csv
from pathlib import Path

from recommender.campaigns.context import CampaignContext
from recommender.campaigns.customer_list import CustomerList
from recommender.campaigns.mail.mailbox import Mailbox, check_address
from recommender.campaigns.mail.seeds import MOST_SEEDS
from recommender.campaigns.run import plan_blocks, run_campaign
from recommender.errors import DataError, UnreadableFileError
from recommender.storage.campaign import Campaign


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
