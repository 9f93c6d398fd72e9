"""Kept rows: what earlier readings of a query brought, and up to when they were read (`--since-last`).

    readings/shop=default/9f31c0de5a7b3c21.parquet

A file holds the cleaned rows of one query at one address, read in one way; whoever reads differently begins anew.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from pathlib import Path

import polars as pl

from recommender.data_dir import DataDirectory
from recommender.errors import HomeError
from training.frame_files import error_line, write_frame

OVERLAP = timedelta(days=7)
"""Each reading goes back so far behind the last one: rows may come late, such as those of a till without network."""
_READ_AT = "read_at"


@dataclass(frozen=True)
class KeptRows:
    """The kept rows of one query.

    Attributes:
        file: where they are; absent before the first reading.
    """

    file: Path

    @property
    def since(self) -> datetime | None:
        """The time from which on rows are to be read again, a midnight; None where none were read.

        Raises:
            HomeError: the file cannot be read.
        """
        if not self.file.exists():
            return None
        with _home_errors(self.file):
            read_at = datetime.fromisoformat(pl.read_parquet_metadata(self.file)[_READ_AT])
        # whole days: a purchase without an order id is known by its day
        return (read_at.astimezone(UTC) - OVERLAP).replace(hour=0, minute=0, second=0, microsecond=0)

    def read(self) -> pl.DataFrame:
        """The rows; raises HomeError."""
        with _home_errors(self.file):
            return pl.read_parquet(self.file, glob=False)

    def write(self, rows: pl.DataFrame, read_at: datetime) -> None:
        """Take the place of what was kept. Raises HomeError; the file is as before then."""
        with write_frame(self.file) as whole:
            rows.write_parquet(whole, metadata={_READ_AT: read_at.isoformat()})


def find_kept_rows(home: DataDirectory, shop: str, *, address: str, sql: str, reading: str) -> KeptRows:
    """The kept rows of a query.

    Args:
        home: where they are.
        shop: whose they are.
        address: of the database, without its password.
        sql: the query.
        reading: how its cells are understood.
    """
    digest = blake2b("\0".join((address, sql, reading)).encode(), digest_size=8).hexdigest()
    return KeptRows(home.readings(shop) / f"{digest}.parquet")


def forget_in_readings(home: DataDirectory, shop: str, is_erased: Callable[[str], bool]) -> int:
    """Write all kept rows of a shop anew without those of erased customers; how many rows went. Raises HomeError."""
    return sum(_forget(file, is_erased) for file in sorted(home.readings(shop).glob("*.parquet")))


def _forget(file: Path, is_erased: Callable[[str], bool]) -> int:
    with _home_errors(file):
        rows = pl.read_parquet(file, glob=False)
        read_at = datetime.fromisoformat(pl.read_parquet_metadata(file)[_READ_AT])
    gone = [customer for customer in rows["customer_id"].unique() if is_erased(customer)]
    if gone:
        left = rows.filter(~pl.col("customer_id").is_in(gone))
        KeptRows(file).write(left, read_at)
        return len(rows) - len(left)
    return 0


@contextmanager
def _home_errors(file: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, KeyError, pl.exceptions.PolarsError) as error:
        reason = error_line(error)
        raise HomeError(f"{file} cannot be read: {reason}; delete it, and the next reading reads everything") from None
