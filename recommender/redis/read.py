"""The read of an answer's lists, products and recent activity: one script, its arguments and its answer."""

from collections.abc import Sequence
from typing import Any

from recommender.catalogue.catalogue import Catalogue
from recommender.connection.client import Argument
from recommender.events.recent import LEADS, MOST_READ, NEIGHBOURS, RecentActivity
from recommender.person import decode_id, encode_id
from recommender.publication.lists import LIST_NAMES, RANKED, RECORD_BYTES, ListKey, PublishedList
from recommender.redis.keys import Keys
from recommender.redis.lua import load_script
from recommender.retention import ANSWER_PARTS
from recommender.slate.reading import FetchedLists
from recommender.storage.versions import ListQuery

READ = load_script(
    "read/person",
    "read/lists",
    leads=LEADS,
    list_bytes=1 + NEIGHBOURS * RANKED.itemsize,
    **{f"last_{part}": most - 1 for part, most in MOST_READ.items()},
)


class ReadScript:
    """Arguments and answers of READ for one shop."""

    def __init__(self, keys: Keys) -> None:
        self._fixed_keys = [keys.current, keys.versions]
        self._parts = [keys.of(part, "") for part in ANSWER_PARTS]
        """Keys of a person's parts up to the digest at their end."""
        self._head, tail = keys.around_version("products")
        self._lists = {name: (keys.around_version(name)[1], RECORD_BYTES[name]) for name in LIST_NAMES}
        neighbours = (self._lists["together"][0], *self._lists["similar"])
        self._products_tail, self._tails = tail, (keys.around_version("indices")[1], *neighbours)

    def call(self, query: ListQuery) -> tuple[list[str], list[Argument]]:
        """KEYS and ARGV for `query`."""
        version = query.version or ""
        recent = "" if query.catalogue is None else version
        arguments: list[Argument] = [self._head, self._products_tail, version, recent, *self._tails]
        for name, owner_id in query.keys:
            tail, n_bytes = self._lists[name]
            arguments += (tail, encode_id(owner_id), n_bytes)
        keys = self._fixed_keys.copy()
        for person in query.people:
            keys += [part + person for part in self._parts]
        return keys, arguments

    def decode(self, answer: Sequence[Any] | None, query: ListQuery) -> FetchedLists | None:
        """The answer to `call(query)`; None before any version.

        Raises:
            ValueError, TypeError, LookupError or AttributeError: Redis holds values in another format.
        """
        if answer is None:
            return None
        named, wires, indices, texts, persons = answer
        version, catalogue = named.decode(), query.catalogue
        lists: dict[ListKey, PublishedList | None] = {}
        for key, wire in zip(query.keys, wires, strict=True):
            lists[key] = None if wire is None else to_list(key, wire)
        if catalogue is None or version != query.version:
            catalogue = Catalogue({i: text for i, text in zip(indices, texts, strict=True) if text is not None})
        recent: dict[str, RecentActivity] = {}
        for person, one in zip(query.people, persons, strict=True):
            if one is not None:
                recent[person] = to_recent_activity(one)
        return FetchedLists(version, lists, catalogue, recent)


def to_list(key: ListKey, wire: bytes) -> PublishedList:
    """A published list from its wire form. Raises ValueError where `ListTable.encode` cannot have written it."""
    published = PublishedList(key.name, wire)
    if not wire or (len(wire) - 1) % RECORD_BYTES[key.name]:
        raise ValueError(f"{len(wire)} bytes are no list")
    _ = published.basis
    return published


def to_recent_activity(answer: Sequence[Any]) -> RecentActivity:
    """Recent activity of a person from the answer of `scripts/read/person.lua`. Raises as `ReadScript.decode`."""
    orders, session, shown, hidden, folded, ids, found, neighbours = answer
    lists = {}
    for name, owner_id, wire in neighbours:
        key = ListKey("together" if name == b"together" else "similar", owner_id.decode())
        lists[key] = to_list(key, wire)
    return RecentActivity(
        orders,
        session,
        shown,
        frozenset(decode_id(product_id) for product_id in hidden),
        folded,
        {product_id.decode(): int(index) for product_id, index in zip(ids, found, strict=True) if index is not None},
        lists,
    )
