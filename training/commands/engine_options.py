"""Options that say where customers are ranked: --engine and --master."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps

import click

from recommender.data_dir import DataDirectory
from recommender.settings import load_settings
from training.ranking.model import Engine


def engine_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add --engine and --master; the command gets `engine`, None for this process, which is closed behind it."""

    @click.option(
        "--engine",
        "name",
        type=click.Choice(["local", "spark"]),
        default="local",
        show_default=True,
        help="Where customers are ranked; spark needs the extra `spark`, and a REPRISE_HOME shared with the executors.",
    )
    @click.option(
        "--master", metavar="URL", help="Of Spark: local[4], spark://host:7077, sc://host, …  [default: local[*]]"
    )
    @wraps(command)
    def with_engine(*, name: str, master: str | None, **others: object) -> None:
        if master is not None and name != "spark":
            raise click.UsageError("--master is for --engine spark")
        with _open(name, master) as engine:
            command(engine=engine, **others)

    return with_engine


@contextmanager
def _open(name: str, master: str | None) -> Iterator[Engine | None]:
    if name == "local":
        yield None
        return
    from training.spark.engine import SparkEngine  # noqa: PLC0415 - loads what only Spark needs
    from training.spark.session import open_session  # noqa: PLC0415 - likewise

    with open_session(master) as session:
        yield SparkEngine(session, DataDirectory(load_settings().home).work)
