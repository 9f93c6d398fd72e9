"""Customers of a campaign named one by one."""

from collections.abc import Iterable
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from recommender.campaigns.audiences import _LISTED, _number
from recommender.errors import UsageError
from recommender.publication.profile_blocks import block_of


class CustomerList:
    """Customers named one by one; 8 bytes are kept of each, by which two of a billion customers may be mistaken.

    Args:
        customer_ids: any number, in any order; one that comes twice counts once.
    """

    def __init__(self, customer_ids: Iterable[str]) -> None:
        found = np.fromiter((_number(customer_id) for customer_id in customer_ids), dtype=np.uint64)
        self._numbers: NDArray[np.uint64] = np.unique(found)

    def __len__(self) -> int:
        return len(self._numbers)

    def __contains__(self, customer_id: str) -> bool:
        number = np.uint64(_number(customer_id))
        at = int(np.searchsorted(self._numbers, number))
        return at < len(self) and bool(self._numbers[at] == number)

    @property
    def audience(self) -> str:
        """What a campaign calls it: the same customers give the same name."""
        return _LISTED + blake2b(self._numbers.tobytes(), digest_size=8).hexdigest()

    def blocks(self, n_blocks: int) -> list[int]:
        """The blocks of profiles that somebody of the list may be in, rising."""
        return sorted({block_of(f"{number:016x}", n_blocks) for number in self._numbers.tolist()})


def check_list(audience: str, customers: CustomerList | None) -> None:
    """Whether a campaign is run with the list that it was begun with, if any.

    Raises:
        UsageError: it is not.
    """
    meant = audience if audience.startswith(_LISTED) else None
    if meant != (None if customers is None else customers.audience):
        raise UsageError(
            "the campaign was begun with a list of customers; give the same list again"
            if meant
            else f"the campaign was begun with audience {audience}; leave the list of customers away"
        )
