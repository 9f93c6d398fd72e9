"""Siblings: a file beside one, which holds the columns that it lacks, as orders do beside their lines."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from recommender.errors import DataError
from training.ingest.headers.folding import fold
from training.ingest.headers.proposals import propose_columns
from training.ingest.headers.synonyms import synonyms
from training.ingest.schema import PURCHASE_COLUMNS, REQUIRED
from training.tables.small_tables import open_table

_MOST_FILES = 20
_ENDINGS = (".csv", ".tsv", ".txt")


@dataclass(frozen=True)
class Sibling:
    """A file that is joined with another by a column of the same name.

    Attributes:
        file: its name.
        key: the column.
        format: settings of a format that joins both, as a line of TOML.
    """

    file: str
    key: str
    format: str


def find_sibling(
    file: Path, seen: Sequence[str], wanted: Mapping[str, Sequence[str]], missing: Sequence[str]
) -> Sibling | None:
    """The file beside one that has all that it lacks, and its orders' numbers under the same name; None without one.

    A file that is complete by itself is none.

    Args:
        file: that lacks columns.
        seen: its columns.
        wanted: our column → names that are expected for it.
        missing: those of ours that are required and not there.
    """
    if not file.is_file() or not file.name.endswith(_ENDINGS):
        return None
    for other in sorted(each for each in file.parent.iterdir() if each.name.endswith(_ENDINGS))[:_MOST_FILES]:
        names = _header(other) if other != file else []
        key = next((name for name in seen if name in names and _is_order(name)), None)
        found = {ours: each for ours, each in propose_columns(names, wanted).items() if each.plain or ours in missing}
        if key and set(missing) <= found.keys() and not set(REQUIRED) <= found.keys():
            own = {ours: each for ours, each in propose_columns(seen, wanted).items() if each.plain}
            both = {**found, **{ours: each for ours, each in own.items() if ours not in missing}}
            columns = {ours: each.column for ours, each in both.items()} | {"order_id": key}
            files = (other, file) if "product_id" in missing else (file, other)
            stems = [each.name.split(".")[0] for each in files]
            return Sibling(other.name, key, write_format(columns, files=stems, join=key))
    return None


def _header(file: Path) -> list[str]:
    with suppress(DataError), open_table(file) as table:
        return list(table.names)
    return []


def _is_order(name: str) -> bool:
    return fold(name) in {"orderid", *synonyms()["order_id"]}


def write_format(columns: Mapping[str, str], **others: object) -> str:
    """A format of these columns and other settings, as a line of TOML."""
    text = partial(json.dumps, ensure_ascii=False)
    named = ", ".join(f"{ours} = {text(columns[ours])}" for ours in PURCHASE_COLUMNS if ours in columns)
    said = "".join(f"{name} = {text(value)}, " for name, value in others.items())
    return f"formats.shop = {{ {said}columns = {{ {named} }} }}"
