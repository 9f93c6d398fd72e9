"""Parts of a ledger: all lines of some customers, the next ones in the order of their ids."""

from collections.abc import Collection, Iterator

import polars as pl

_CUSTOMER = "customer_id"


def lines_of(ledger: pl.DataFrame, customers: Collection[str]) -> pl.DataFrame:
    """The lines of some customers, in their order; unknown ones have none."""
    chosen = pl.Series(_CUSTOMER, list(customers), pl.String)
    if isinstance(ids := ledger.schema[_CUSTOMER], pl.Enum):
        chosen = chosen.cast(ids, strict=False).drop_nulls()
    return ledger.join(chosen.to_frame(), on=_CUSTOMER, how="semi", maintain_order="left")


def split_customers(ledger: pl.DataFrame, most_lines: int) -> Iterator[pl.DataFrame]:
    """The parts of a ledger, by rising customer id; joined, they hold what it holds.

    Args:
        ledger: with coded ids (`training.dataset.coded_ids`).
        most_lines: of a part; a customer who has more is a part alone.
    """
    sizes = ledger.lazy().group_by(_CUSTOMER).len().sort(_CUSTOMER).collect()
    first = 0
    while first < len(sizes):
        fitting = sizes["len"].slice(first).cum_sum().search_sorted(most_lines, side="right")
        chosen = sizes.slice(first, max(1, int(fitting)))
        yield ledger.join(chosen.select(_CUSTOMER), on=_CUSTOMER, how="semi", maintain_order="left")
        first += len(chosen)
