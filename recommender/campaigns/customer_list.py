"""Lists of customers, as an audience of their own."""

from collections.abc import Iterable
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from recommender.campaigns.audiences import LIST_PREFIX
from recommender.errors import UsageError
from recommender.person import digest_of_person
from recommender.publication.profile_blocks import block_of


class CustomerList:
    """A set of customers; 8 bytes are kept of each, by which two of a billion customers may be mistaken.

    Args:
        customer_ids: any number, in any order; one that comes twice counts once.
    """

    def __init__(self, customer_ids: Iterable[str]) -> None:
        numbers = np.fromiter((_number(customer_id) for customer_id in customer_ids), dtype=np.uint64)
        self._numbers: NDArray[np.uint64] = np.unique(numbers)

    def __len__(self) -> int:
        return len(self._numbers)

    def __contains__(self, customer_id: str) -> bool:
        number = np.uint64(_number(customer_id))
        at = int(np.searchsorted(self._numbers, number))
        return at < len(self) and bool(self._numbers[at] == number)

    @property
    def audience(self) -> str:
        """The name of the list as an audience: LIST_PREFIX and a digest, the same for the same customers."""
        return LIST_PREFIX + blake2b(self._numbers.tobytes(), digest_size=8).hexdigest()

    def blocks(self, n_blocks: int) -> list[int]:
        """The blocks of profiles, of all `n_blocks`, that may hold a customer of the list; rising."""
        return sorted({block_of(f"{number:016x}", n_blocks) for number in self._numbers.tolist()})


def check_list(audience: str, customers: CustomerList | None) -> None:
    """Check that `customers` is the list that a campaign for `audience` was begun with, or None where it had none.

    Raises:
        UsageError: it is not.
    """
    begun_with = audience if audience.startswith(LIST_PREFIX) else None
    if begun_with != (None if customers is None else customers.audience):
        raise UsageError(
            "the campaign was begun with a list of customers; give the same list again"
            if begun_with
            else f"the campaign was begun with audience {audience}; leave the list of customers away"
        )


def _number(customer_id: str) -> int:
    return int(digest_of_person(customer_id, None)[:16], 16)
