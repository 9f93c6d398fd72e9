"""Purchases and products that stand in databases and object stores: copied here first, then read like files.

With `since_last` a query is asked only for what is new, and what earlier readings of it brought is added
(`training.ingest.archived_events`).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import polars as pl

from recommender.cli.progress import Progress
from recommender.data_dir import DataDirectory
from recommender.errors import DataError, UnreadableFileError, UsageError
from recommender.reading import ReadingOptions
from recommender.settings import Settings
from training.databases.access import Access, Request
from training.databases.address import DatabaseAddress, find_address
from training.databases.cloud import copy_objects, is_cloud_path
from training.databases.copies import copy_rows, list_tables
from training.databases.kept_rows import KeptRows, find_kept_rows
from training.databases.query import BEGINNING, Query
from training.tables.workspace import work_folder


@dataclass(frozen=True)
class Queries:
    """Which rows of databases are wanted.

    Attributes:
        purchases: of each address among the purchase files.
        products: of the address of the product file.
        since_last: whether only what is new is asked for, and added to what earlier readings brought.
    """

    purchases: Query | None = None
    products: Query | None = None
    since_last: bool = False


@dataclass(frozen=True)
class LocalFiles:
    """Purchase files and a product file, all of this machine.

    Attributes:
        paths: of purchases: what was named, with copies in place of what is elsewhere.
        products: the product file.
        names: copy → what it is a copy of, for messages.
        kept: copy → what earlier readings of it brought.
        since_last: whether what was kept is added.
    """

    paths: Sequence[str | Path]
    products: Path | None
    names: Mapping[str, str] = field(default_factory=dict)
    kept: Mapping[str, KeptRows] = field(default_factory=dict)
    since_last: bool = False

    @contextmanager
    def named(self) -> Iterator[None]:
        """A context whose errors name what was copied, and not the copy."""
        try:
            yield
        except DataError as error:
            error.args = (self.rename(str(error)),)
            raise

    def rename(self, text: str) -> str:
        """`text` with what was copied in place of the copies."""
        for copy, name in self.names.items():
            text = text.replace(copy, name)
        return text

    def rename_files(self, bad: pl.DataFrame) -> pl.DataFrame:
        """Rows for the quarantine, with what was copied in their column `file`."""
        return bad.with_columns(pl.col("file").replace(dict(self.names))) if self.names and len(bad) else bad

    def kept_of(self, file: Path) -> KeptRows | None:
        """What earlier readings of a copy brought, if that is to be added."""
        return self.kept.get(str(file)) if self.since_last else None

    def keeps(self, file: Path) -> bool:
        """Whether the rows of a copy are wanted for the next reading."""
        kept = self.kept.get(str(file))
        return kept is not None and (self.since_last or kept.file.exists())

    def keep(self, file: Path, rows: pl.DataFrame, read_at: datetime) -> None:
        """Keep the rows of a copy for the next reading, where they are wanted then. Raises HomeError.

        A reading of everything takes the place of what was kept.
        """
        if self.keeps(file):
            self.kept[str(file)].write(rows, read_at)


@contextmanager
def local_files(
    paths: Sequence[str | Path],
    products: str | Path | None,
    queries: Queries,
    *,
    reading: ReadingOptions,
    settings: Settings,
    progress: Progress,
) -> Iterator[LocalFiles]:
    """Files of this machine for everything that is named; copies go at the end.

    Args:
        paths: purchase files, folders, globs, and addresses of databases and objects.
        products: the product file, or an address.
        queries: which rows of databases are wanted.
        reading: how purchases are understood; rows that were read in another way are not added.
        settings: home, shop, database_password, database_timeout_s.
        progress: shows what is copied.

    Raises:
        DatabaseError: what stands elsewhere cannot be read.
        UnreadableFileError: a query returned no row.
        UsageError: a query is missing, or one is given and no database.
        HomeError: a copy cannot be written.
    """
    bought = [(path, find_address(path), queries.purchases) for path in paths]
    listed = (products, find_address(products) if products else None, queries.products)
    _check(bought, listed, queries)
    if not any(address or is_cloud_path(path or "") for path, address, _ in (*bought, listed)):
        yield LocalFiles(paths, Path(products) if products else None)
        return
    with work_folder(DataDirectory(settings.home).work) as folder:
        copier = _Copier(folder, settings, reading, since_last=queries.since_last)
        with progress.step("Copy what stands elsewhere", total=len(bought) + 1) as advance:
            local: list[str | Path] = []
            for path, address, query in bought:
                local.extend(copier.copy(path, address, query, keep=True))
                advance(1)
            files = copier.copy(products, *listed[1:]) if products else []
        if len(files) > 1:
            raise UsageError(f"{products} is {len(files)} objects; name one file of products")
        file = Path(files[0]) if files else None
        yield LocalFiles(local, file, copier.names, copier.kept, queries.since_last)


_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/+")
_ADDRESSES = (
    "name a file, an address that begins with postgresql://, mysql://, mariadb://, sqlite:///, duckdb:/// or "
    "spark-sql:///, or an object of s3://, gs:// or az://"
)
_Named = tuple[str | Path | None, DatabaseAddress | None, Query | None]


def _check(bought: Sequence[_Named], listed: _Named, queries: Queries) -> None:
    for path, address, _ in (*bought, listed):
        scheme = _SCHEME.match(str(path or ""))
        if scheme and not address and not is_cloud_path(path or ""):
            # the rest is not shown: a password may stand in it
            raise UsageError(f"{scheme[0]}…: nothing is read from there; {_ADDRESSES}")
    for option, query, named in (
        ("--query or --table", queries.purchases, bought),
        ("--products-query or --products-table", queries.products, [listed]),
    ):
        if query and not any(address for _, address, _ in named):
            raise UsageError(f"{option} needs a database, such as postgresql://user@host/database or shop.sqlite")
    if queries.since_last and not (queries.purchases and queries.purchases.asks_since):
        raise UsageError(
            "--since-last needs a --query that says :since, such as SELECT … FROM orders WHERE updated_at > :since"
        )


@dataclass(frozen=True)
class _Copier:
    """Copies into one folder, with the names of what they are copies of."""

    folder: Path
    settings: Settings
    reading: ReadingOptions
    since_last: bool
    names: dict[str, str] = field(default_factory=dict)
    kept: dict[str, KeptRows] = field(default_factory=dict)

    def copy(
        self, path: str | Path, address: DatabaseAddress | None, query: Query | None, *, keep: bool = False
    ) -> Sequence[str | Path]:
        """The paths of copies; a path of this machine stays as it is."""
        if address:
            return [self._copy_rows(self._request(address, query), keep=keep)]
        if not is_cloud_path(path):
            return [path]
        copies = copy_objects(str(path), self._new_folder())
        self.names.update({str(file): name for file, name in copies.items()})
        return list(copies)

    def _request(self, address: DatabaseAddress, query: Query | None) -> Request:
        access = Access(self.settings.database_password, self.settings.database_timeout_s)
        if query is None:
            tables = ", ".join(list_tables(address, access, self.folder)[:30]) or "none"
            raise UsageError(f"{address}: say which rows, with --table or --query; its tables are {tables}")
        return Request(address, query, access)

    def _copy_rows(self, request: Request, *, keep: bool) -> Path:
        file = self._new_folder() / f"{request.query.name.removesuffix('.sql').replace('/', '_')}.parquet"
        self.names[str(file)] = str(request)
        if keep and request.query.sql and request.query.asks_since:
            kept = self.kept[str(file)] = find_kept_rows(
                DataDirectory(self.settings.home),
                self.settings.shop,
                address=str(request.address),
                sql=request.query.sql,
                reading=self.reading.model_dump_json(),
            )
            since = kept.since if self.since_last else None
            request = replace(request, since=since or BEGINNING)
        if not copy_rows(request, file) and request.since == BEGINNING:
            raise UnreadableFileError(f"{request} returned no row; check its conditions")
        return file

    def _new_folder(self) -> Path:
        """A folder of its own: two copies may have the same name."""
        folder = self.folder / str(len(self.names))
        folder.mkdir()
        return folder
