"""`reprise erase`: forgets customers everywhere."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import click

from recommender.campaigns.suppressions import erase, restore
from recommender.cli.console import echo, print_json
from recommender.customer_salt import digest_of_customer, find_salt
from recommender.data_dir import DataDirectory
from recommender.errors import StoreError
from recommender.redis.open import open_storage
from recommender.settings import Settings, load_settings
from recommender.storage.event_log import EventLog
from recommender.storage.shops import ShopStorage
from training.erase import forget


@click.command()
@click.argument("customers", nargs=-1, metavar="[CUSTOMER]…")
@click.option("--shop", help="Whose customers.  [default: the settings' shop]")
@click.option("--json", "as_json", is_flag=True, help="Print what went as JSON.")
def command(customers: tuple[str, ...], shop: str | None, as_json: bool) -> None:
    """Forget CUSTOMERs, and everybody whom DELETE /v1/customers/{id} named, in every file under REPRISE_HOME.

    Archived events, saved versions and quarantined rows are written anew without them, and Redis is told to write its
    append-only file anew. Run it on the trainer's machine, once a day for example. Files of your own, such as purchase
    files, and backups are yours to look after; trainings leave these customers out of them. Where a training hashed
    customer ids, the digests of CUSTOMERs are forgotten, too.

    \b
    Example:
      reprise erase
      reprise erase C-1042 C-1043 --json
    """
    settings = load_settings(**({} if shop is None else {"shop": shop}))
    with open_storage(settings) as storage:
        counts = _erase(settings, storage, customers)
    if as_json:
        print_json(counts)
        return
    for name, count in counts.items():
        echo(f"{name.replace('_', ' ')}: {', '.join(count) or 'none' if isinstance(count, list) else count}")


def _erase(settings: Settings, storage: ShopStorage, customers: Sequence[str]) -> dict[str, Any]:
    log, home, now = storage.event_log(settings.shop), DataDirectory(settings.home), datetime.now(UTC)
    restore(storage, settings.shop, home)
    salt = find_salt(home)
    digests = [digest_of_customer(one, salt) for one in customers] if salt else []
    counts = [erase(storage, settings.shop, customer_id, now) for customer_id in (*customers, *digests)]
    erased = log.erased()
    forgotten = asdict(forget(home, settings.shop, erased))
    return {
        "erased_customers": len(erased),
        "events": sum(events for _, events in counts),
        "lists": sum(lists for lists, _ in counts),
        **forgotten,
        "versions": list(forgotten["versions"]),
        "append_only_file": _rewrite(log),
    }


def _rewrite(log: EventLog) -> str:
    try:
        return "written anew" if log.rewrite() else "none"
    except StoreError as error:  # somebody else's server may not let us
        return f"as before: {error}"
