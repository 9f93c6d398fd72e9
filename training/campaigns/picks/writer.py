"""Makes the file of a campaign's picks: in parts, by several processes, and on from where an earlier run stopped."""

import os
import shutil
import signal
import threading
from collections import Counter
from collections.abc import Collection, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import cached_property
from multiprocessing import get_context, parent_process
from pathlib import Path

from recommender.campaigns.context import CampaignContext, open_context
from recommender.campaigns.customer_list import CustomerList
from recommender.campaigns.documents import LinkMaker
from recommender.campaigns.run import count_blocks, plan_blocks
from recommender.campaigns.selection import Batch, Selection
from recommender.cli.progress import Progress
from recommender.errors import MailError
from recommender.person import digest
from recommender.redis.shops import RedisShopStorage
from recommender.settings import Settings
from recommender.storage.campaign import Campaign, Picks
from recommender.storage.shops import ShopStorage
from training.campaigns.mail.render import Renderer
from training.campaigns.picks.file_formats import Csv, Html, Jsonl, Parquet, PickFormat
from training.campaigns.picks.flat_rows import FlatRows
from training.campaigns.picks.parts import Parts, PickCounts, parts_of

TIMEOUT_MS = 10_000
"""Nobody waits for a page here."""


@dataclass(frozen=True)
class FileJob:
    """What is to be made. It is sent to other processes.

    Attributes:
        campaign: as it was begun.
        format: one of `formats.FORMATS`.
        out: the file, or the folder for html.
        settings: of the shop.
        customers: the list that the campaign was begun with, if it was.
        template: of html; None: the packaged one.
        locale: of html.
    """

    campaign: Campaign
    format: str
    out: Path
    settings: Settings
    customers: CustomerList | None = None
    template: Path | None = None
    locale: str = "en"


def identify(order: FileJob, context: CampaignContext) -> dict[str, str]:
    """What the bytes of a file follow from, as far as somebody decides it: parts of one file are alike in it."""
    mail = order.settings.mail
    rules = [
        mail.model_dump_json(),
        context.placement.model_dump_json(),
        *(one.model_dump_json() for one in context.experiments),
    ]
    template = order.template.read_text("utf-8", "replace") if order.template else ""
    secret = mail.secret.get_secret_value() if mail.secret else ""
    return {
        "campaign": order.campaign.to_json().decode(),
        "format": order.format,
        "rules": digest("\0".join([*rules, template, order.locale, str(order.settings.currency), secret])),
    }


def make_file(order: FileJob, url: str, storage: ShopStorage, workers: int, progress: Progress) -> PickCounts:
    """Write the file of a campaign, and claim a contact for everybody in it.

    Args:
        order: what to make.
        url: of Redis; each process connects by itself.
        storage: the same.
        workers: processes.
        progress: is told of customers' blocks.

    Raises:
        BusyError: another run makes the same file.
        HomeError: it cannot be written; what was made is kept for the next run.
        StoreError: Redis failed; so.
    """
    context = open_context(storage, order.settings)
    n_blocks = count_blocks(order.campaign, context)
    parts = parts_of(order.out, plan_blocks(n_blocks, order.customers), n_blocks)
    erased = storage.event_log(order.settings.shop).erased
    identity = identify(order, context)
    with parts.locked():
        parts.settle(identity, erased())
        with progress.step("Pick products", total=len(parts.blocks)) as advance:
            advance(len(parts.blocks) - sum(len(parts.blocks_of(number)) for number in parts.missing()))
            while missing := parts.missing():
                for number in _make_parts(order, parts, missing, url, workers):
                    advance(len(parts.blocks_of(number)))
                parts.settle(identity, erased())
        tally = parts.tally()
        with progress.step("Write the file"):
            Writer(order, parts, context).format.join([parts.path(number) for number in parts.numbers], order.out)
        shutil.rmtree(parts.folder)
    return tally


@dataclass(frozen=True)
class Writer:
    """Makes parts, in one process."""

    order: FileJob
    parts: Parts
    context: CampaignContext

    @cached_property
    def format(self) -> PickFormat:
        """The format of the file."""
        order, mail = self.order, self.order.settings.mail
        links = LinkMaker(mail, order.settings.shop)
        if order.format == "html":
            shop = order.settings
            return Html(order.campaign, Renderer(mail, shop.shop, order.template, order.locale, shop.currency))
        if order.format == "jsonl":
            return Jsonl(order.campaign, links)
        rows = FlatRows(order.campaign, most_slots(order.campaign, self.context), links)
        return Csv(rows) if order.format == "csv" else Parquet(rows)

    @cached_property
    def selection(self) -> Selection:
        """Reads the version."""
        return Selection(
            self.order.campaign, self.context, at=self.order.campaign.begun_at, customers=self.order.customers
        )

    def make(self, number: int) -> None:
        """Write one part."""
        tally = PickCounts()

        def picks() -> Iterator[Picks]:
            nonlocal tally
            for block in map(self.selection.block, self.parts.blocks_of(number)):
                tally += count(block)
                yield from (outcome.picks for outcome in block.outcomes if outcome.picks is not None)

        self.format.write(picks(), self.parts.path(number))
        self.parts.commit(number, tally)


def count(block: Batch) -> PickCounts:
    """What became of the customers of a block."""
    without = Counter(outcome.reason for outcome in block.outcomes if outcome.reason is not None)
    n = len(block.outcomes)
    return PickCounts(block.considered, n, n - without.total(), dict(sorted(without.items())))


def most_slots(campaign: Campaign, context: CampaignContext) -> int:
    """Most products in any mail of a campaign: an experiment may try more than its own number."""
    tried = (one.default_limit for experiment in context.experiments for one in experiment.treatments.values())
    return max([campaign.slots, *(slots for slots in tried if slots)])


def _make_parts(order: FileJob, parts: Parts, missing: Collection[int], url: str, workers: int) -> Iterator[int]:
    """Make parts, in this process where there is work for one only, and tell of each."""
    workers = min(workers, len(missing))
    if workers == 1:
        storage = RedisShopStorage(url, TIMEOUT_MS)
        maker = Writer(order, parts, open_context(storage, order.settings))
        for number in missing:
            maker.make(number)
            yield number
        storage.close()
        return
    pool = ProcessPoolExecutor(workers, get_context("spawn"), initializer=_begin, initargs=(order, parts, url))
    with pool:
        try:
            made = {pool.submit(_make, number): number for number in missing}
            for future in as_completed(made):
                future.result()
                yield made[future]
        except BrokenProcessPool:
            raise MailError(
                "a process that made picks was ended; run the command again, and it goes on from there, with fewer "
                "--workers where memory is short"
            ) from None
        finally:
            pool.shutdown(cancel_futures=True)


_maker: list[Writer] = []
"""Of a process that makes parts for another one."""


def _begin(order: FileJob, parts: Parts, url: str) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the parent when the parts in hand are whole
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _maker.append(Writer(order, parts, open_context(RedisShopStorage(url, TIMEOUT_MS), order.settings)))


def _end_with_parent() -> None:
    """A parent that was killed cannot end its children."""
    parent = parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)


def _make(number: int) -> None:
    _maker[0].make(number)
