"""The writer of a campaign's picks file: in parts, by several processes, resumed where an earlier run stopped."""

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

from recommender.campaigns.cancel import refuse_cancelled
from recommender.campaigns.context import CampaignContext, open_context
from recommender.campaigns.customer_list import CustomerList
from recommender.campaigns.documents import LinkMaker
from recommender.campaigns.mail.locale import get_locale
from recommender.campaigns.mail.render import Renderer
from recommender.campaigns.run import count_blocks, plan_blocks
from recommender.campaigns.selection import Batch, Selection
from recommender.campaigns.suppressions import refuse_loss
from recommender.cli.progress import Progress
from recommender.data_dir import DataDirectory, home_errors
from recommender.errors import MailError
from recommender.person import digest
from recommender.redis.shops import RedisShopStorage
from recommender.settings import Settings
from recommender.slate.item_json import Presentation
from recommender.storage.campaign import Campaign, Picks
from recommender.storage.shops import ShopStorage
from training.campaigns.picks.file_formats import Csv, Html, Jsonl, Parquet, PickFormat
from training.campaigns.picks.flat_rows import FlatRows
from training.campaigns.picks.parts import Parts, PickCounts, parts_of, remembered

TIMEOUT_MS = 10_000
"""Of Redis, longer than the service's: no page waits for it."""


@dataclass(frozen=True)
class FileJob:
    """A picks file to write. It is pickled to other processes.

    Attributes:
        campaign: as it was begun.
        format: one of `file_formats.FORMATS`.
        out: path of the file, or of the folder for html.
        settings: of the shop.
        customers: the list that the campaign was begun with; None for an audience.
        template: of html; None: the packaged one.
        locale: of the sentences.
    """

    campaign: Campaign
    format: str
    out: Path
    settings: Settings
    customers: CustomerList | None = None
    template: Path | None = None
    locale: str = "en"


def identify(job: FileJob, context: CampaignContext) -> dict[str, str]:
    """The identity of a file: campaign, format and a digest of rules and settings, equal for all of its parts."""
    mail = job.settings.mail
    rules = [
        mail.model_dump_json(),
        context.placement.model_dump_json(),
        *(one.model_dump_json() for one in context.experiments),
    ]
    template = job.template.read_text("utf-8", "replace") if job.template else ""
    secret = mail.secret.get_secret_value() if mail.secret else ""
    return {
        "campaign": job.campaign.to_json().decode(),
        "format": job.format,
        "rules": digest("\0".join([*rules, template, job.locale, str(job.settings.currency), secret])),
    }


def make_file(job: FileJob, url: str, storage: ShopStorage, workers: int, progress: Progress) -> PickCounts:
    """Write the picks file of a campaign, and claim a contact for every customer in it.

    Args:
        job: the file and its campaign.
        url: of Redis; each process connects by itself.
        storage: at the same Redis.
        workers: number of processes.
        progress: shows the blocks of customers that are done.

    Returns:
        Numbers of customers over the whole file.

    Raises:
        BusyError: another run makes the same file.
        UsageError: the campaign was cancelled meanwhile.
        HomeError: it cannot be written; whole parts are kept for the next run.
        StoreError: Redis failed, or knows less than the home of who unsubscribed; whole parts are kept, too.
        MailError: a worker process was killed; whole parts are kept, too.
    """
    context = open_context(storage, job.settings)
    n_blocks = count_blocks(job.campaign, context)
    parts = parts_of(job.out, plan_blocks(n_blocks, job.customers), n_blocks)
    erased = storage.event_log(job.settings.shop).erased
    identity = identify(job, context)
    with parts.locked(), remembered(parts, DataDirectory(job.settings.home)):
        parts.settle(identity, erased())
        with progress.step("Pick products", total=len(parts.blocks)) as advance:
            advance(len(parts.blocks) - sum(len(parts.blocks_of(number)) for number in parts.missing()))
            while missing := parts.missing():
                for number in _make_parts(job, parts, missing, url, workers):
                    advance(len(parts.blocks_of(number)))
                parts.settle(identity, erased())
        counts = parts.counts()
        refuse_loss(storage, job.settings.shop, DataDirectory(job.settings.home))  # it may have happened meanwhile
        refuse_cancelled(context.contacts.find(job.campaign.campaign_id))
        with progress.step("Write the file"):
            Writer(job, parts, context).format.join([parts.path(number) for number in parts.numbers], job.out)
        with home_errors(f"delete {parts.folder}"):
            shutil.rmtree(parts.folder)
    return counts


@dataclass(frozen=True)
class Writer:
    """A writer of parts, in one process."""

    job: FileJob
    parts: Parts
    context: CampaignContext

    @cached_property
    def format(self) -> PickFormat:
        """The format that the parts are written in."""
        job, mail = self.job, self.job.settings.mail
        links = LinkMaker(mail, job.settings.shop, job.settings.link_hosts)
        if job.format == "html":
            shop = job.settings
            named = (mail, shop.shop, job.template, job.locale, shop.currency)
            return Html(job.campaign, Renderer(*named, hosts=shop.link_hosts))
        told = Presentation(get_locale(job.locale).language, job.settings.currency)
        if job.format == "jsonl":
            return Jsonl(job.campaign, links, told)
        rows = FlatRows(job.campaign, most_slots(job.campaign, self.context), links, told)
        return Csv(rows) if job.format == "csv" else Parquet(rows)

    @cached_property
    def selection(self) -> Selection:
        """The selection of the campaign's customers."""
        return Selection(self.job.campaign, self.context, at=self.job.campaign.begun_at, customers=self.job.customers)

    def make(self, number: int) -> None:
        """Write one part and commit it."""
        counts = PickCounts()

        def picks() -> Iterator[Picks]:
            nonlocal counts
            for batch in map(self.selection.block, self.parts.blocks_of(number)):
                counts += count(batch)
                yield from (decision.picks for decision in batch.outcomes if decision.picks is not None)

        self.format.write(picks(), self.parts.path(number))
        self.parts.commit(number, counts)


def count(batch: Batch) -> PickCounts:
    """Numbers of customers of one batch."""
    without = Counter(decision.reason for decision in batch.outcomes if decision.reason is not None)
    n = len(batch.outcomes)
    return PickCounts(batch.considered, n, n - without.total(), dict(sorted(without.items())))


def most_slots(campaign: Campaign, context: CampaignContext) -> int:
    """The largest number of products in a mail of a campaign: an experiment may try more than the campaign's slots."""
    tried = (one.default_limit for experiment in context.experiments for one in experiment.treatments.values())
    return max([campaign.slots, *(slots for slots in tried if slots)])


def _make_parts(job: FileJob, parts: Parts, missing: Collection[int], url: str, workers: int) -> Iterator[int]:
    """Make parts, in this process where one is enough, and yield the number of each."""
    workers = min(workers, len(missing))
    if workers == 1:
        storage = RedisShopStorage(url, TIMEOUT_MS)
        writer = Writer(job, parts, open_context(storage, job.settings))
        for number in missing:
            writer.make(number)
            yield number
        storage.close()
        return
    pool = ProcessPoolExecutor(workers, get_context("spawn"), initializer=_begin, initargs=(job, parts, url))
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


_writer: list[Writer] = []
"""Of a worker process: one, set by `_begin`."""


def _begin(job: FileJob, parts: Parts, url: str) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the parent when the parts in hand are whole
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _writer.append(Writer(job, parts, open_context(RedisShopStorage(url, TIMEOUT_MS), job.settings)))


def _end_with_parent() -> None:
    """A parent that was killed cannot end its children."""
    parent = parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)


def _make(number: int) -> None:
    _writer[0].make(number)
