"""A version without the customers who asked to be forgotten."""

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from recommender.person import digest_of_person
from recommender.publication.lists import ListName, ListTable
from recommender.publication.manifest import Publication

PERSONAL_LISTS: tuple[ListName, ...] = ("buy_again", "discover")
"""Lists whose owners are customers."""


def erased_customers(publication: Publication, erased: Collection[str]) -> frozenset[str]:
    """Ids of the customers in a version, with a list or a profile, who were erased.

    Args:
        publication: any version.
        erased: `digest_of_person` of each customer who was erased.
    """
    if not erased:
        return frozenset()
    profiled = publication.profiles.customer_ids if publication.profiles is not None else ()
    customers = {*profiled, *(one for name in PERSONAL_LISTS for one in publication.tables[name].owner_ids)}
    return frozenset(one for one in customers if digest_of_person(one, None) in erased)


def leave_out(publication: Publication, erased: Collection[str]) -> Publication:
    """The same version without the lists and profiles of erased customers, counted so in its manifest.

    Args:
        publication: any version; the very same comes back where it has nothing of an erased customer.
        erased: `digest_of_person` of each.
    """
    gone = erased_customers(publication, erased)
    if not gone:
        return publication
    left = {name: _without(publication.tables[name], gone) for name in PERSONAL_LISTS}
    profiles = None if publication.profiles is None else publication.profiles.without(gone)
    tables = {**publication.tables, **left}
    lists = {**publication.manifest.lists} | {name: len(table) for name, table in left.items()}
    counts = {**publication.manifest.counts} | ({} if profiles is None else {"profiles": len(profiles)})
    manifest = replace(publication.manifest, lists=lists, counts=counts)
    insights = None if publication.insights is None else publication.insights.without(gone)
    return replace(publication, manifest=manifest, tables=tables, profiles=profiles, insights=insights)


def _without(table: ListTable, gone: Collection[str]) -> ListTable:
    kept = np.array([owner_id not in gone for owner_id in table.owner_ids], dtype=bool)
    lengths = np.diff(table.starts)
    return ListTable(
        owner_ids=[owner_id for owner_id, keep in zip(table.owner_ids, kept, strict=True) if keep],
        starts=np.concatenate([[0], np.cumsum(lengths[kept])]).astype(np.int64),
        records=table.records[np.repeat(kept, lengths)],
        basis=table.basis[kept],
    )
