"""Lists fetched for one answer, all from one version."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from recommender.catalogue.catalogue import Catalogue
from recommender.events.recent import RecentActivity
from recommender.publication.lists import ListKey, PublishedList

_NOBODY: Mapping[str, RecentActivity] = MappingProxyType({})


class FetchedLists(NamedTuple):
    """The answer to one `Store.read`: all from one version.

    Attributes:
        version: the version that was read.
        lists: what was asked for; None for an owner that has no such list.
        products: every product on those lists, and maybe others, by product_index.
        live: recent activity of those persons asked for who have any, by digest; {} where the server does not answer.
        stale: whether this is a last copy, as the server does not answer; what was not cached is None then.
    """

    version: str
    lists: Mapping[ListKey, PublishedList | None]
    products: Catalogue
    live: Mapping[str, RecentActivity] = _NOBODY
    stale: bool = False
