"""The demo's worker: a process that is there while something waits to be archived and counted, and gone afterwards.

A worker that stays would take as much memory as the service again, for a shop in which mostly nothing happens.
"""

import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from recommender.errors import StoreError, UnknownCampaignError
from recommender.redis.open import open_storage
from recommender.settings import Settings
from recommender.storage.shops import ShopStorage

LOOK_S = 0.5
"""Between two looks at what waits."""


@contextmanager
def counting(settings: Settings, shops: Sequence[str]) -> Iterator[None]:
    """Have the events and the campaigns of `shops` worked on in the block."""
    stop = threading.Event()
    thread = threading.Thread(target=_follow, args=(settings, shops, stop), name="counting", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _follow(settings: Settings, shops: Sequence[str], stop: threading.Event) -> None:
    with open_storage(settings) as storage:
        while not stop.wait(LOOK_S):
            try:
                waits = any(has_work(storage, shop) for shop in shops)
            except StoreError:  # the next look finds it back
                continue
            if waits:
                _work(shops, stop)


def has_work(storage: ShopStorage, shop: str) -> bool:
    """Whether an event waits to be archived, or a campaign for its picks. Raises StoreError."""
    if storage.event_log(shop).queue.backlog().waiting:
        return True
    return any(_is_waiting(storage, shop, one.campaign_id) for one in storage.contacts(shop).campaigns())


def _is_waiting(storage: ShopStorage, shop: str, campaign_id: str) -> bool:
    try:
        return not storage.jobs(shop).find(campaign_id).ended
    except UnknownCampaignError:
        return False


def _work(shops: Sequence[str], stop: threading.Event) -> None:
    """Run a worker until nothing waits, or the demo ends."""
    named = [argument for shop in shops for argument in ("--shop", shop)]
    command = [sys.executable, "-m", "recommender.cli", "worker", "--once", *named]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as worker:  # noqa: S603
        while worker.poll() is None:
            if stop.wait(LOOK_S / 5):
                worker.terminate()
                return
