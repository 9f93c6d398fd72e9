"""The options that say which rows of databases are wanted."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from training.databases.local_files import Queries
from training.databases.query import Query, read_query


def add_database_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add --query, --table, those of products, and --since-last, which `take_queries` takes from the arguments."""
    for add in reversed(_OPTIONS):
        command = add(command)
    return command


def take_queries(others: dict[str, Any]) -> Queries:
    """The queries among a command's arguments, which they are taken out of.

    Raises:
        UsageError: a file of SQL cannot be read or holds no query.
        click.UsageError: both a query and a table are given.
    """
    purchases = _take_query(others.pop("query"), others.pop("table"), "--query or --table")
    products = _take_query(
        others.pop("products_query"), others.pop("products_table"), "--products-query or --products-table"
    )
    return Queries(purchases, products, others.pop("since_last"))


def _take_query(file: Path | None, table: str | None, options: str) -> Query | None:
    if file and table:
        raise click.UsageError(f"give either {options}")
    return read_query(file) if file else Query(table) if table else None


_SQL = click.Path(path_type=Path)
_OPTIONS = (
    click.option("--query", type=_SQL, metavar="FILE", help="File with the SELECT for a database of purchases."),
    click.option("--table", metavar="NAME", help="Or the table there, such as orders or shop.orders."),
    click.option("--products-query", type=_SQL, metavar="FILE", help="The same for a database of products."),
    click.option("--products-table", metavar="NAME", help="Or the table there."),
    click.option("--since-last", is_flag=True, help="Read what is new since the last time: :since in the --query."),
)
