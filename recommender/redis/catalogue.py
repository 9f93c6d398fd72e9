"""Product overrides in Redis or Valkey: a hash, and a short log of changes by which workers follow it."""

from collections.abc import Collection, Iterable, Iterator, Sequence

from recommender.catalogue.overrides import MOST_OVERRIDDEN, NO_OVERRIDES, ProductChange, ProductOverrides, Record
from recommender.connection.client import Argument, RedisClient
from recommender.person import decode_id, encode_id
from recommender.redis.keys import Keys
from recommender.redis.lua import load_script
from recommender.storage.versions import too_many_overridden

MOST_LOGGED = 10_000
"""Latest changes that are logged. A worker further behind reads all overrides."""
_PER_TRIP = 1_000
"""Other clients wait while the server works on one command."""

_UPDATE = load_script("catalogue/update")
_CHANGED = load_script("catalogue/read_changes")
_ALL = load_script("catalogue/read_all")


class RedisCatalogue:
    """Product overrides of one shop, and a copy of them that `follow` keeps up to date.

    Attributes:
        overrides: the copy, as of the last `follow`.
    """

    def __init__(self, keys: Keys, reader: RedisClient, writer: RedisClient) -> None:
        self.overrides = NO_OVERRIDES
        self._version: str | None = None
        self._number: int | None = None
        self._reader = reader
        self._writer = writer
        self._shop = keys
        self._keys = [keys.catalogue, keys.catalogue_sequence, keys.catalogue_log]

    @property
    def sequence(self) -> str:
        """Key of the number of the last change (string)."""
        return self._keys[1]

    def update(self, changes: Sequence[ProductChange]) -> list[bytes | None]:
        """See `VersionStore.update_products`."""
        arguments: list[Argument] = [MOST_LOGGED, MOST_OVERRIDDEN]
        for one in changes:
            arguments += (encode_id(one.product_id), one.how, one.to_json())
        found: list[bytes | None] | None = self._writer.evaluate_in_time(_UPDATE.text, self._keys, *arguments)
        if found is None:
            raise too_many_overridden()
        return found

    def begin_again(self) -> None:
        """Make the next `follow` read all overrides: another server may answer it, which lacks the last changes."""
        self._number = None

    def follow(self, version: str | None, number: int) -> ProductOverrides:
        """The overrides as of change `number`, beside `version`; the same object where nothing changed."""
        if (version, number) == (self._version, self._number):
            return self.overrides
        changes: Iterable[Record] | None = None
        if version == self._version and self._number is not None and number > self._number:
            changes = self._read_changes(version, self._number, number)
        if changes is None:
            changes = self._read_all(version) if number else self._forget_all()
        self.overrides = self.overrides.change(changes)
        self._version, self._number = version, number
        return self.overrides

    def _read_changes(self, version: str | None, last: int, number: int) -> list[Record] | None:
        """The changes after `last`; None where the log is too short."""
        records: list[Record] = []
        while last + len(records) < number:
            keys = [*self._keys, self._known(version)]
            answer = self._reader.evaluate(_CHANGED.text, keys, last + len(records), _PER_TRIP)
            if answer is None or not answer[0]:
                return None
            records += _to_records(*answer)
        return records

    def _read_all(self, version: str | None) -> Iterator[Record]:
        """All overrides, and a deletion for each that is gone."""
        cursor, kept = None, set[str]()
        while cursor != b"0":
            keys = [self._keys[0], self._known(version)]
            *answer, cursor = self._reader.evaluate(_ALL.text, keys, cursor or b"0", _PER_TRIP)
            for record in _to_records(*answer):
                kept.add(record.product_id)
                yield record
        yield from self._forget_all(kept)

    def _forget_all(self, kept: Collection[str] = ()) -> list[Record]:
        return [Record(gone, 0, None, trained=False) for gone in self.overrides.records if gone not in kept]

    def _known(self, version: str | None) -> str:
        return self._shop.version(version or "", "similar")


def _to_records(products: Sequence[bytes], kept: Sequence[bytes | None], known: Sequence[int]) -> Iterator[Record]:
    """Overrides as the scripts answer; a value without a number is an empty one.

    Raises:
        UnicodeDecodeError: a product id is none.
    """
    for product, text, is_known in zip(products, kept, known, strict=True):
        number, _, overrides = (text or b"").partition(b" ")
        order = int(number) if number.isdigit() else 0
        yield Record(decode_id(product), order, None if text is None else overrides, bool(is_known))
