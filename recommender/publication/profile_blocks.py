"""All profiles of one version, and their wire form: a few dozen customers in one block.

Which block a customer is in follows from the digest of the id, so one read finds one customer, and a walk over the
blocks meets everybody once. A block is its customers one behind the other, sorted by id:

    n bytes of the id uint16, id as UTF-8, PROFILE                                         43 bytes and the id

The numpy dtype writes, the struct format reads, as in `recommender.publication.manifest`.
"""

import struct
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise, starmap

import numpy as np
from numpy.typing import NDArray

from recommender.person import decode_id, digest_of_person, encode_id
from recommender.publication.profile import Profile

PER_BLOCK = 64
"""Customers in a block, on average: Redis keeps no more for a customer than its bytes, and one read stays small."""
PROFILE = np.dtype(
    [
        ("first_day", "<u2"),
        ("last_day", "<u2"),
        ("orders", "<u2"),
        ("spent", "<f4"),
        ("average_order_value", "<f4"),
        ("average_days_between_orders", "<f4"),
        ("usual_gap_days", "<f4"),
        ("probability_alive", "<f2"),
        ("churn_probability", "<f2"),
        ("expected_orders_30d", "<f2"),
        ("expected_orders_90d", "<f2"),
        ("expected_orders_365d", "<f2"),
        ("predicted_number_of_orders", "<f2"),
        ("predicted_clv", "<f4"),
        ("rfm_recency", "u1"),
        ("rfm_frequency", "u1"),
        ("rfm_monetary", "u1"),
    ]
)
"""The fields of `Profile` without the id, in its order. A float16 has three digits, enough for what is estimated."""
_STRUCT = struct.Struct("<HHHffffeeeeeefBBB")
_LENGTH = struct.Struct("<H")


@dataclass(frozen=True)
class ProfileTable:
    """The profiles of one version.

    Attributes:
        customer_ids: n different ids, in any order.
        records: (n,) of dtype PROFILE.
    """

    customer_ids: Sequence[str]
    records: NDArray[np.void]

    def __post_init__(self) -> None:
        if self.records.shape != (len(self.customer_ids),) or self.records.dtype != PROFILE:
            raise ValueError(f"{len(self.customer_ids)} customers have {self.records.shape} records of another kind")

    def __len__(self) -> int:
        return len(self.customer_ids)

    @property
    def n_blocks(self) -> int:
        """At least one, so that a version with nobody left differs from one without profiles."""
        return max(1, -(-len(self) // PER_BLOCK))

    @property
    def n_bytes(self) -> int:
        """What all blocks take together."""
        ids = sum(map(len, map(encode_id, self.customer_ids)))
        return ids + len(self) * (_LENGTH.size + PROFILE.itemsize)

    @cached_property
    def digests(self) -> NDArray[np.uint32]:
        """(n,) what `block_of` reads of each customer's digest; ten million of them take ten seconds."""
        numbers = (_number(digest_of_person(customer_id, None)) for customer_id in self.customer_ids)
        return np.fromiter(numbers, np.uint32, len(self))

    def encode(self) -> Iterator[tuple[int, bytes]]:
        """Number and wire form of every block, also of those that nobody is in."""
        numbers = self.digests % self.n_blocks
        order = np.argsort(numbers, kind="stable")
        ends = np.cumsum(np.bincount(numbers, minlength=self.n_blocks)).tolist()
        for block, rows in enumerate(map(order.__getitem__, starmap(slice, pairwise([0, *ends])))):
            by_id = sorted(rows.tolist(), key=self.customer_ids.__getitem__)
            wire, size = self.records[by_id].tobytes(), PROFILE.itemsize
            ids = [encode_id(self.customer_ids[row]) for row in by_id]
            yield (
                block,
                b"".join([_LENGTH.pack(len(one)) + one + wire[i * size : (i + 1) * size] for i, one in enumerate(ids)]),
            )

    def without(self, gone: Collection[str]) -> "ProfileTable":
        """The same table without these customers."""
        kept = [i for i, customer_id in enumerate(self.customer_ids) if customer_id not in gone]
        table = ProfileTable([self.customer_ids[i] for i in kept], self.records[kept])
        table.__dict__["digests"] = self.digests[kept]  # they take longer than all else
        return table


def block_of(digest: str, n_blocks: int) -> int:
    """The block of a customer, from `digest_of_person`."""
    return _number(digest) % n_blocks


def _number(digest: str) -> int:
    return int(digest[:8], 16)


def decode_block(wire: bytes) -> list[Profile]:
    """Everybody in a block, in its order. Raises ValueError or struct.error where it cannot be read."""
    return [_decode(customer, wire, at) for customer, at in _walk(wire)]


def find_profile(wire: bytes, customer_id: str) -> Profile | None:
    """One customer of a block; None for one who is not in it. Raises as `decode_block`."""
    wanted = encode_id(customer_id)
    return next((_decode(customer, wire, at) for customer, at in _walk(wire) if customer == wanted), None)


def drop_profile(wire: bytes, customer_id: str) -> bytes:
    """The same block without one customer, who may not be in it. Raises as `decode_block`."""
    wanted = encode_id(customer_id)
    for customer, at in _walk(wire):
        if customer == wanted:
            return wire[: at - len(customer) - _LENGTH.size] + wire[at + PROFILE.itemsize :]
    return wire


def _walk(wire: bytes) -> Iterator[tuple[bytes, int]]:
    """Each id, and where its record begins."""
    at = 0
    while at < len(wire):
        (length,) = _LENGTH.unpack_from(wire, at)
        at += _LENGTH.size + length
        yield wire[at - length : at], at
        at += PROFILE.itemsize


def _decode(customer: bytes, wire: bytes, at: int) -> Profile:
    return Profile(decode_id(customer), *_STRUCT.unpack_from(wire, at))
