"""What the shop said of its products, in memory, for tests and for trying things out: gone with the process."""

from collections.abc import Container, Sequence

from recommender.catalogue.overrides import NO_OVERRIDES, ProductChange, ProductOverrides, Record, read_record
from recommender.redis import catalogue
from recommender.storage.versions import too_many_overridden


class MemoryCatalogue:
    """What is said of one shop's products."""

    def __init__(self) -> None:
        self._said: dict[str, tuple[int, bytes]] = {}
        self._changes = 0
        self._live = NO_OVERRIDES
        self._seen: tuple[str | None, int] = (None, 0)

    def update(self, changes: Sequence[ProductChange]) -> list[bytes | None]:
        """See `Store.update_products`."""
        told = {one.product_id for one in changes if one.how != "delete"} | self._said.keys()
        if len(told) > catalogue.MOST_OVERRIDDEN:
            raise too_many_overridden()
        return [self._update(change) for change in changes]

    def follow(self, version: str | None, trained: Container[str]) -> ProductOverrides:
        """What is said, seen from `version`, which knows `trained`; the very same object where nothing is new."""
        if self._changes and self._seen != (version, self._changes):
            self._seen = version, self._changes
            records = [Record(one, number, text, one in trained) for one, (number, text) in self._said.items()]
            self._live = NO_OVERRIDES.change(records)
        return self._live

    def _update(self, change: ProductChange) -> bytes | None:
        before = self._said.get(change.product_id, (0, None))[1]
        after = apply(change, before)
        if after != before:
            self._changes += 1
            self._said.pop(change.product_id, None)
            if after is not None:
                self._said[change.product_id] = self._changes, after
        return after


def apply(change: ProductChange, before: bytes | None) -> bytes | None:
    """What is said after `change`, where `before` was said; None for nothing."""
    if change.how == "delete":
        return None
    fields = (read_record(before or b"{}") if change.how == "patch" else {}) | dict(change.fields)
    after = ProductChange(change.product_id, "put", fields).to_json()
    return before if before is not None and read_record(before) == read_record(after) else after
