"""A version without the customers who asked to be forgotten."""

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from recommender.event_log import digest_of_person
from recommender.publication import ListName, ListTable, Publication

PERSONAL_LISTS: tuple[ListName, ...] = ("buy_again", "discover")
"""Lists whose owners are customers."""


def leave_out(publication: Publication, erased: Collection[str]) -> Publication:
    """The same version without the lists of erased customers, counted so in its manifest.

    Args:
        publication: any version; the very same comes back where it has no list of an erased customer.
        erased: `digest_of_person` of each.
    """
    if not erased:
        return publication
    personal = {name: publication.tables[name] for name in PERSONAL_LISTS}
    left = {name: _without(table, erased) for name, table in personal.items()}
    if all(left[name] is table for name, table in personal.items()):
        return publication
    counts = dict(publication.manifest.lists)
    for name, table in left.items():
        counts[name] = len(table)
    manifest = replace(publication.manifest, lists=counts)
    return replace(publication, manifest=manifest, tables={**publication.tables, **left})


def _without(table: ListTable, erased: Collection[str]) -> ListTable:
    kept = np.array([digest_of_person(owner_id, None) not in erased for owner_id in table.owner_ids], dtype=bool)
    if kept.all():
        return table
    lengths = np.diff(table.starts)
    return ListTable(
        owner_ids=[owner_id for owner_id, keep in zip(table.owner_ids, kept, strict=True) if keep],
        starts=np.concatenate([[0], np.cumsum(lengths[kept])]).astype(np.int64),
        records=table.records[np.repeat(kept, lengths)],
        basis=table.basis[kept],
    )
