"""Formats of product files, which are known by their header: feeds and exports of shop systems."""

import tomllib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import polars as pl

from training.ingest.products.hooks import PREPARE
from training.ingest.schema import CATALOGUE


@dataclass(frozen=True)
class ProductFormat:
    """The format of a product file.

    Attributes:
        about: what it is, in words.
        columns: our name → names that it may use, best first.
        known_by: sets of columns; a header that has all of one set is this format's.
        prepare: reshapes the file before its columns are taken.
    """

    about: str
    columns: Mapping[str, tuple[str, ...]]
    known_by: tuple[tuple[str, ...], ...] = ()
    prepare: Callable[[pl.LazyFrame], pl.LazyFrame] = lambda frame: frame


OUR_OWN = ProductFormat("our own names", {name: (name,) for name in CATALOGUE.names()})


def product_format(header: Collection[str]) -> ProductFormat:
    """The format whose header this is; our own where it has our names, or is no known one's."""
    if "product_id" in header:
        return OUR_OWN
    known = (each for each in _known() if any(set(names) <= set(header) for names in each.known_by))
    return next(known, OUR_OWN)


@cache
def _known() -> list[ProductFormat]:
    texts = sorted(file.name for file in files(__package__).iterdir() if file.name.endswith(".toml"))
    tables = [tomllib.loads((files(__package__) / name).read_text("utf-8")) for name in texts]
    return [
        ProductFormat(
            about=table["about"],
            columns={
                ours: (names,) if isinstance(names, str) else tuple(names) for ours, names in table["columns"].items()
            },
            known_by=tuple(map(tuple, table["known_by"])),
            prepare=PREPARE[table["prepare"]],
        )
        for table in tables
        if "columns" in table
    ]


def _several(names: str | list[str]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names)
