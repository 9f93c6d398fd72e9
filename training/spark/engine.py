"""Engine on Spark: the parts of a ledger are ranked by executors, which write their lists to a shared folder.

    ledger     Parquet files in the folder, read by Spark and shuffled, so that each part lies in one task
    evidence   of the shop, with the ranker: broadcast
    lists      a Parquet file for each part, written by the executor that ranked it, read here one after the other

The rule is the same as without Spark, `training.ranking.personal_lists.rank_part`, and so are the bytes of the lists.
"""

import pickle
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from recommender.data_dir import home_errors, make_folder
from recommender.errors import HomeError, RepriseError, UsageError
from recommender.settings import Settings
from training.frame_files import write_frame
from training.parts.customer_parts import CustomerRange, split_customers
from training.provenance import TRAINING_SETTINGS
from training.ranking.personal_lists import rank_part
from training.ranking.ranker import Ranker
from training.ranking.shop_evidence import ShopEvidence

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

LINES_OF_A_PART = 200_000
"""Lines that a task holds, about; a customer with more is a part alone."""
_PART, _LINE = "part", "line"
_SCHEMA = "part int, customer_id string, buy_again binary, discover binary"


@dataclass(frozen=True)
class SparkEngine:
    """The engine of a session.

    Attributes:
        session: of Spark, classic or Connect.
        folder: that this process and all executors see at the same path, and may write to as the same user.
    """

    session: "SparkSession"
    folder: Path

    def rank(
        self, ledger: pl.DataFrame, shop: ShopEvidence, ranker: Ranker | None, advance: Callable[[int], None]
    ) -> Iterator[pl.DataFrame]:
        """The lists of one part of a ledger after the other, as `rank_part` gives them, customers in order.

        Args:
            ledger: with coded ids.
            shop: as for `rank_part`.
            ranker: likewise.
            advance: is called with the number of customers done.

        Raises:
            UsageError: the executors lack Reprise, or the folder is not shared with them.
            RepriseError: Spark gave the job up.
            HomeError: the folder cannot be written.
        """
        parts = split_customers(ledger, LINES_OF_A_PART)
        if not parts:
            return
        with _own_folder(self.folder) as folder:
            _write_ledger(ledger, parts, folder / "ledger")
            lines = self.session.read.parquet(_address(folder / "ledger")).repartition(len(parts), _PART)
            _write_lists(lines, pickle.dumps((_without_secrets(shop), ranker)), folder / "lists")
            for number, part in enumerate(parts):
                lists = _read_lists(folder / "lists" / f"{_PART}={number}", part)
                advance(len(lists))
                yield lists


@contextmanager
def _own_folder(parent: Path) -> Iterator[Path]:
    with home_errors(f"write to {parent}"):
        folder = Path(tempfile.mkdtemp(dir=make_folder(parent), prefix="spark-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _write_ledger(ledger: pl.DataFrame, parts: Sequence[CustomerRange], folder: Path) -> None:
    make_folder(folder)
    texts = pl.col(pl.Enum).cast(pl.String)
    for number, part in enumerate(parts):
        lines = part.lines(ledger).with_row_index(_LINE).with_columns(texts, pl.lit(number, pl.Int32).alias(_PART))
        with write_frame(folder / f"{number}.parquet") as file:
            lines.with_columns(pl.col(_LINE).cast(pl.Int64)).write_parquet(file)


def _write_lists(lines: "DataFrame", evidence: bytes, folder: Path) -> None:
    from pyspark.errors import PySparkException  # noqa: PLC0415 - an extra

    def rank(part: "pa.Table") -> "pa.Table":
        return rank_table(part, evidence)

    try:
        lines.groupBy(_PART).applyInArrow(rank, _SCHEMA).write.partitionBy(_PART).parquet(_address(folder))
    except PySparkException as error:
        raise _plain(str(error)) from None


def rank_table(part: "pa.Table", evidence: bytes) -> "pa.Table":
    """The lists of a part on an executor: the lines of some customers with `part` and `line`, in any order."""
    import pyarrow as pa  # noqa: PLC0415 - an extra

    shop, ranker = _open(evidence)
    lines = pl.DataFrame(part).sort(_LINE)
    lists = rank_part(lines.drop(_PART, _LINE), shop, ranker)
    number = pl.lit(lines[_PART][0], pl.Int32).alias(_PART)
    small = {pl.String: pa.string(), pl.Binary: pa.binary(), pl.Int32: pa.int32()}  # Spark takes no large ones
    table = lists.select(number, pl.all())
    return table.to_arrow().cast(pa.schema([(name, small[type(kind)]) for name, kind in table.schema.items()]))


@lru_cache(maxsize=1)
def _open(evidence: bytes) -> tuple[ShopEvidence, Ranker | None]:
    opened: tuple[ShopEvidence, Ranker | None] = pickle.loads(evidence)  # noqa: S301 - made above
    return opened


def _read_lists(folder: Path, part: CustomerRange) -> pl.DataFrame:
    files = sorted(folder.glob("*.parquet"))
    lists = pl.concat([pl.read_parquet(file, hive_partitioning=False) for file in files]) if files else pl.DataFrame()
    if len(lists) != part.n_customers:
        raise HomeError(
            f"{folder} holds the lists of {len(lists)} of {part.n_customers} customers: "
            f"REPRISE_HOME must be a folder that all executors share, at the same path"
        )
    return lists


def _plain(message: str) -> RepriseError:
    if "No module named 'training" in message or "No module named 'recommender" in message:
        return UsageError(
            "the executors' Python has no Reprise: install reprise-recommender[spark] of this version there, "
            "and set PYSPARK_PYTHON to that Python"
        )
    lines = [line for line in message.splitlines() if line.strip()]
    return RepriseError(f"Spark gave the job up: {lines[-1] if lines else 'it does not say why'}")


def _without_secrets(shop: ShopEvidence) -> ShopEvidence:
    """The same evidence, with the settings of the training alone: what opens Redis is no business of executors."""
    settings = Settings.model_construct(**{name: getattr(shop.settings, name) for name in TRAINING_SETTINGS})
    return replace(shop, settings=settings, tastes=replace(shop.tastes, settings=settings))


def _address(path: Path) -> str:
    return path.absolute().as_uri()
