"""Spellings that the cells of a whole ledger show: ids that look alike, and prices in several currencies."""

from collections.abc import Collection

import polars as pl

from training.cells.findings import Note
from training.writing.scripts import describe_look_alikes, look_alikes


def currencies_of(purchases: pl.DataFrame) -> set[str]:
    """The currencies that prices of files name; none where no price names one.

    Args:
        purchases: `currency` as text, where a file's prices have one.
    """
    return set(purchases["currency"].drop_nulls()) if "currency" in purchases.columns else set()


def spelling_notes(purchases: pl.DataFrame, currencies: Collection[str]) -> list[Note]:
    """Notes on ids that differ only in letters that are written in two ways, and on prices in several currencies.

    Args:
        purchases: customer_id and product_id.
        currencies: of files and archived events.
    """
    notes = []
    for name in ("customer_id", "product_id"):
        if groups := look_alikes(purchases[name].unique()):
            text = f"{name}: {len(groups):,} ids are written in several ways, and count as several: "
            text += describe_look_alikes(groups)
            notes.append(Note("ids_look_alike", text, names_customers=name == "customer_id"))
    if len(currencies) > 1:
        names = ", ".join(sorted(currencies))
        notes.append(Note("currencies", f"prices are in {names}, and are not converted"))
    return notes
