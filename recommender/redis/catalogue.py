"""What the shop said of its products, in Redis or Valkey: a hash, and a short log by which workers follow it."""

from collections.abc import Collection, Iterable, Iterator, Sequence

from recommender.catalogue.overrides import NO_OVERRIDES, ProductChange, ProductOverrides, Record
from recommender.connection.client import Argument, RedisClient
from recommender.person import decode_id, encode_id
from recommender.redis.keys import Keys
from recommender.redis.lua import load_script

MOST_LOGGED = 10_000
"""Latest changes that are logged. Whoever is further behind reads all there is."""
_PER_TRIP = 1_000
"""Others wait while the server works on one command."""

_UPDATE = load_script("catalogue/update")
_CHANGED = load_script("catalogue/read_changes")
_ALL = load_script("catalogue/read_all")


class RedisCatalogue:
    """What is said of one shop's products, and the last of it that was followed.

    Attributes:
        live: all that was said when it was last looked at.
    """

    def __init__(self, keys: Keys, reader: RedisClient, writer: RedisClient) -> None:
        self.live = NO_OVERRIDES
        self._version: str | None = None
        self._number: int | None = None
        self._reader = reader
        self._writer = writer
        self._shop = keys
        self._keys = [keys.catalogue, keys.catalogue_sequence, keys.catalogue_log]

    @property
    def sequence(self) -> str:
        """Key of the string: number of the last change."""
        return self._keys[1]

    def update(self, changes: Sequence[ProductChange]) -> list[bytes | None]:
        """See `Store.update_products`."""
        arguments: list[Argument] = [MOST_LOGGED]
        for one in changes:
            arguments += (encode_id(one.product_id), one.how, one.to_json())
        found: list[bytes | None] = self._writer.evaluate(_UPDATE.text, self._keys, *arguments)
        return found

    def begin_again(self) -> None:
        """Read everything in the next `follow`: another server may answer then, which has not seen the last changes."""
        self._number = None

    def follow(self, version: str | None, number: int) -> ProductOverrides:
        """What is said as of change `number`, seen from `version`; the very same object where nothing is new."""
        if (version, number) == (self._version, self._number):
            return self.live
        changes: Iterable[Record] | None = None
        if version == self._version and self._number is not None and number > self._number:
            changes = self._read_changes(version, self._number, number)
        if changes is None:
            changes = self._read_all(version) if number else self._forget_all()
        self.live = self.live.change(changes)
        self._version, self._number = version, number
        return self.live

    def _read_changes(self, version: str | None, last: int, number: int) -> list[Record] | None:
        """Those after `last`; None where they are logged no more."""
        records: list[Record] = []
        while last + len(records) < number:
            keys = [*self._keys, self._known(version)]
            answer = self._reader.evaluate(_CHANGED.text, keys, last + len(records), _PER_TRIP)
            if answer is None or not answer[0]:
                return None
            records += _to_records(*answer)
        return records

    def _read_all(self, version: str | None) -> Iterator[Record]:
        """All there is, and what is there no more."""
        cursor, kept = None, set[str]()
        while cursor != b"0":
            keys = [self._keys[0], self._known(version)]
            *answer, cursor = self._reader.evaluate(_ALL.text, keys, cursor or b"0", _PER_TRIP)
            for record in _to_records(*answer):
                kept.add(record.product_id)
                yield record
        yield from self._forget_all(kept)

    def _forget_all(self, kept: Collection[str] = ()) -> list[Record]:
        return [Record(gone, 0, None, trained=False) for gone in self.live.records if gone not in kept]

    def _known(self, version: str | None) -> str:
        return self._shop.version(version or "", "similar")


def _to_records(products: Sequence[bytes], kept: Sequence[bytes | None], known: Sequence[int]) -> Iterator[Record]:
    """Nonsense that somebody else wrote says nothing; raises as decoding does where an id is none."""
    for product, text, is_known in zip(products, kept, known, strict=True):
        number, _, said = (text or b"").partition(b" ")
        order = int(number) if number.isdigit() else 0
        yield Record(decode_id(product), order, None if text is None else said, bool(is_known))
