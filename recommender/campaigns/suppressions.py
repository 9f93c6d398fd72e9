"""Suppressions in Redis and in the list under REPRISE_HOME, brought to the same: neither may know less of them."""

from collections.abc import Callable
from datetime import datetime

from recommender.data_dir import DataDirectory
from recommender.days import to_moment
from recommender.errors import StoreError
from recommender.person import digest_of_person
from recommender.storage.shops import ShopStorage
from recommender.suppression_list import ERASED, SuppressionList


def restore(storage: ShopStorage, shop: str, home: DataDirectory) -> int:
    """Write back to the store what the list remembers and the store does not know; how many suppressions that were.

    The later moment of a mark holds, so who subscribed again since stays subscribed. Erased customers go from every
    version of the store.

    Raises:
        StoreError: the store failed; call it again.
        HomeError: the list cannot be read.
    """
    contacts, log = storage.contacts(shop), storage.event_log(shop)
    lost = contacts.unknown(SuppressionList(home.suppressions(shop)))
    erased = {one.person: to_moment(one.at) for one in lost if one.mark == ERASED}
    if erased:
        for customer_id in storage.store(shop).find_customers(erased):
            erase(storage, shop, customer_id, erased[digest_of_person(customer_id, None)])
    for person, at in erased.items():
        log.forget(person, at)
    contacts.restore([one for one in lost if one.mark != ERASED])
    return len(lost)


def collect(storage: ShopStorage, shop: str, home: DataDirectory) -> None:
    """Add to the list what the store knows. Raises as `restore`."""
    known = SuppressionList(home.suppressions(shop))
    for some in storage.contacts(shop).suppressions():
        known.add(some)


def refuse_loss(storage: ShopStorage, shop: str, home: DataDirectory) -> None:
    """Let nobody be written to while the store knows less than the list.

    Raises:
        StoreError: it does; or as `restore`.
    """
    path = home.suppressions(shop)
    lost = len(storage.contacts(shop).unknown(SuppressionList(path)))
    if lost:
        raise StoreError(
            f"Redis has lost {lost:,} unsubscriptions, complaints, bounces, subscriptions or erasures that {path} "
            "remembers; run `reprise publish`, which writes them back, or delete the file where it is another shop's"
        )


def watch_loss(storage: ShopStorage, shop: str, home: DataDirectory) -> Callable[[], None]:
    """A check to be repeated: as `refuse_loss` where another server answers than at the call before."""
    seen = ""

    def check() -> None:
        nonlocal seen
        server = storage.contacts(shop).server()
        if server != seen:
            refuse_loss(storage, shop, home)
            seen = server

    return check


def erase(storage: ShopStorage, shop: str, customer_id: str, at: datetime) -> tuple[int, int]:
    """Forget a customer in the store for good: numbers of lists and of events that there were. May be called again.

    Raises as `restore`; HomeError where all is erased, but not remembered outside of the store.
    """
    lists = storage.store(shop).erase(customer_id, at)
    storage.jobs(shop).forget(customer_id)
    return lists, storage.event_log(shop).erase(customer_id, at)
