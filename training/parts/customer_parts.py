"""Parts of a ledger: all lines of some customers, the next ones in the order of their ids."""

from collections.abc import Collection
from typing import NamedTuple

import polars as pl

_CUSTOMER = "customer_id"


class CustomerRange(NamedTuple):
    """The customers of a part, by the codes of their ids in the ledger (`training.dataset.coded_ids`).

    Attributes:
        first, last: codes, both included.
        n_customers: that have a line.
    """

    first: int
    last: int
    n_customers: int

    def lines(self, ledger: pl.DataFrame) -> pl.DataFrame:
        """All lines of these customers, in their order; the ledger has coded ids."""
        return ledger.filter(pl.col(_CUSTOMER).to_physical().is_between(self.first, self.last))


def lines_of(ledger: pl.DataFrame, customers: Collection[str]) -> pl.DataFrame:
    """The lines of some customers, in their order; unknown ones have none."""
    chosen = pl.Series(_CUSTOMER, list(customers), pl.String)
    if isinstance(ids := ledger.schema[_CUSTOMER], pl.Enum):
        chosen = chosen.cast(ids, strict=False).drop_nulls()
    return ledger.join(chosen.to_frame(), on=_CUSTOMER, how="semi", maintain_order="left")


def split_customers(ledger: pl.DataFrame, most_lines: int) -> list[CustomerRange]:
    """The customers of a ledger with coded ids in parts of at most `most_lines`; one who has more is a part alone."""
    sizes = ledger.lazy().group_by(pl.col(_CUSTOMER).to_physical()).len().sort(_CUSTOMER).collect()
    codes, ends = sizes[_CUSTOMER], sizes["len"].cast(pl.Int64).cum_sum()
    parts, first, done = [], 0, 0
    while first < len(codes):
        after = max(first + 1, int(ends.search_sorted(done + most_lines, side="right")))
        parts.append(CustomerRange(int(codes[first]), int(codes[after - 1]), after - first))
        first, done = after, int(ends[after - 1])
    return parts
