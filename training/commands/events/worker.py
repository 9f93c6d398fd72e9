"""`reprise worker`: archives what happens in shops, and makes the picks of campaigns."""

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial

import click

from recommender.campaigns.context import CampaignContext, open_context
from recommender.campaigns.documents import LinkMaker
from recommender.campaigns.suppressions import restore
from recommender.cli.console import echo, print_json
from recommender.cli.start_report import print_start
from recommender.cli.threads import end_process_with_threads
from recommender.data_dir import DataDirectory
from recommender.errors import HomeError, StoreError
from recommender.redis.open import open_storage
from recommender.settings import Settings, load_settings
from recommender.slate.item_json import Presentation
from recommender.storage.shops import ShopStorage
from training.analytics.counters.result_counter import ResultCounter
from training.campaigns.picks.picks_worker import PicksWorker
from training.events.archive import Archive
from training.events.event_worker import EventCounts, EventWorker
from training.events.fold_in import FoldIn

RETRY_S = 1.0
STOP_S = 8.0
"""Longest wait for the batch in hand at the end: less than the ten seconds after which Docker kills."""
LOOK_S = 0.2
"""Pause between two looks whether all is done."""


@click.command()
@click.option("--shop", "shops", multiple=True, help="Whose events; repeatable.  [default: the settings' shop]")
@click.option("--once", is_flag=True, help="End when nothing waits any more.")
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON at the end.")
def command(shops: tuple[str, ...], once: bool, as_json: bool) -> None:
    """Archive events under REPRISE_HOME/ledger, count what came of them, and make the picks asked for over HTTP.

    Until Ctrl-C or SIGTERM, which finish the batch in hand, unless Redis does not answer for eight seconds.

    Several workers share the work. What one that was killed had in hand goes to another after half a minute. Redis or
    the disk may fail for a while: the worker says so once and waits. A bug that ends a part of it ends all of it.

    \b
    Example:
      reprise worker
      reprise worker --shop coffee --shop tea
      reprise worker --once --json
    """
    named = [load_settings(**({} if shop is None else {"shop": shop})) for shop in shops or (None,)]
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    by_shop = {settings.shop: EventCounts() for settings in named}
    with open_storage(named[0]) as storage:
        print_start(named[0], storage, by_shop, as_json=as_json)
        workers: list[EventWorker | PicksWorker] = [_make(one, storage, by_shop[one.shop]) for one in named]
        workers += [_make_picks_worker(one, storage) for one in named]
        tasks = [partial(worker.follow, stop, once=once) for worker in workers]
        counters = [_make_counter(one, storage) for one in named]
        tasks += [partial(counter.follow, stop, once=once) for counter in counters]
        if not _run([*tasks, *(partial(_restore, one, storage, stop) for one in named)], stop):
            _show(by_shop, as_json=as_json)
            sys.stdout.flush()
            os._exit(0)  # as after a kill: what waits for Redis cannot be interrupted
        if once and not stop.is_set():
            for counter in counters:
                counter.count()
    _show(by_shop, as_json=as_json)


def _run(tasks: Sequence[Callable[[], None]], stop: threading.Event) -> bool:
    """Run a thread for each task until all end; False where some do not, STOP_S after `stop` was set."""
    end_process_with_threads()
    threads = [threading.Thread(target=task, daemon=True) for task in tasks]
    for thread in threads:
        thread.start()
    while not stop.is_set() and any(thread.is_alive() for thread in threads):
        stop.wait(LOOK_S)
    deadline = time.monotonic() + STOP_S
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    if any(thread.is_alive() for thread in threads):
        echo(f"Redis or the disk does not answer within {STOP_S:g} s: what is in hand goes to the next", err=True)
        return False
    return True


def _show(by_shop: Mapping[str, EventCounts], *, as_json: bool) -> None:
    if as_json:
        print_json({shop: counts.to_dict() for shop, counts in by_shop.items()})
        return
    for shop, counts in by_shop.items():
        echo(f"{shop}: {counts.archived:,} events archived, {counts.dead_letters:,} dead letters")


def _make(settings: Settings, storage: ShopStorage, counts: EventCounts) -> EventWorker:
    clock = partial(datetime.now, UTC)
    log = storage.event_log(settings.shop)
    return EventWorker(
        name=_name(),
        queue=log.queue,
        archive=Archive(DataDirectory(settings.home).ledger, settings.shop),
        refresh=FoldIn(storage.store(settings.shop), log, clock, settings.list_length),
        clock=clock,
        tell=partial(_tell, settings.shop),
        counts=counts,
    )


def _make_counter(settings: Settings, storage: ShopStorage) -> ResultCounter:
    return ResultCounter(
        archive=Archive(DataDirectory(settings.home).ledger, settings.shop),
        store=storage.results(settings.shop),
        campaigns=storage.contacts(settings.shop).campaigns,
        clock=partial(datetime.now, UTC),
        tell=partial(_tell, settings.shop),
    )


def _make_picks_worker(settings: Settings, storage: ShopStorage) -> PicksWorker:
    return PicksWorker(
        name=_name(),
        jobs=storage.jobs(settings.shop),
        context=partial(_open, settings, storage),
        links=LinkMaker(settings.mail, settings.shop, settings.link_hosts),
        told=Presentation(settings.language, settings.currency),
        tell=partial(_tell, settings.shop),
    )


def _open(settings: Settings, storage: ShopStorage) -> CampaignContext:
    restore(storage, settings.shop, DataDirectory(settings.home))  # Redis may have lost something since the last job
    return open_context(storage, settings)


def _restore(settings: Settings, storage: ShopStorage, stop: threading.Event) -> None:
    """Write back what Redis has lost of who unsubscribed and who was erased, as soon as it answers."""
    told = ""
    while not stop.is_set():
        try:
            n = restore(storage, settings.shop, DataDirectory(settings.home))
        except HomeError as error:  # that does not pass by itself; a job that needs it fails with the reason
            _tell(settings.shop, str(error))
            return
        except StoreError as error:
            if str(error) != told:
                told = str(error)
                _tell(settings.shop, f"{told}; trying again")
            stop.wait(RETRY_S)
        else:
            if n:
                _tell(settings.shop, f"Redis had lost {n:,} unsubscriptions, erasures and the like; they are back")
            return


def _name() -> str:
    return f"{socket.gethostname()}-{os.getpid()}"


def _tell(shop: str, line: str) -> None:
    echo(f"{shop}: {line}", err=True)
