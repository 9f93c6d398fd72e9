"""Copies: files that hold the same bytes, so that the same purchases would count twice."""

import filecmp
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from training.tables.scan import Table


def without_copies(tables: Mapping[Path, Table]) -> dict[Path, Table]:
    """The tables by their files but for copies of others, which are named in the remarks of the first."""
    kept: dict[Path, Table] = {}
    for file, table in tables.items():
        first = next((other for other, known in kept.items() if _are_copies(known.content, table.content)), None)
        if first is None:
            kept[file] = table
        else:
            said = f"{file.name} holds the same and is not read again"
            earlier = kept[first].remarks.get("copy")
            kept[first] = replace(
                kept[first], remarks={**kept[first].remarks, "copy": f"{earlier}; {said}" if earlier else said}
            )
    return kept


def _are_copies(one: Path, other: Path) -> bool:
    return one.stat().st_size == other.stat().st_size and filecmp.cmp(one, other, shallow=False)
