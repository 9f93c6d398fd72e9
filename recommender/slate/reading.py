"""Lists fetched for one answer, all from one version."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from recommender.catalogue.catalogue import Catalogue
from recommender.events.recent import RecentActivity
from recommender.publication.lists import ListKey, PublishedList


@dataclass(frozen=True)
class FetchedLists:
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
    live: Mapping[str, RecentActivity] = field(default_factory=dict)
    stale: bool = False
