"""The format of one kind of export: its columns, its hooks, and the rows that are normal and no purchase.

A format is data: a TOML file beside this one, or a table `[formats.NAME]` of the settings. `prepare` reshapes one file
where columns alone do not say it, `combine` joins the files of a folder into one. Rows that `left_out` matches are
normal there (postage lines, guests): they are counted, not called bad.
"""

import fnmatch
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

import polars as pl

from recommender.errors import UsageError
from recommender.reading import FormatSettings, ReadingOptions
from training.ingest.formats.hooks import COMBINE, PREPARE
from training.ingest.formats.lines import explode_list, join_files
from training.ingest.schema import EVENTS_KNOWN, PURCHASE_COLUMNS, REQUIRED

Prepare = Callable[[pl.LazyFrame], pl.LazyFrame]
Combine = Callable[[Mapping[str, pl.LazyFrame]], pl.LazyFrame]
_Hook = TypeVar("_Hook")
_STATUS = pl.col("status").str.to_lowercase()


@dataclass(frozen=True)
class Format:
    """The format of one kind of export.

    Attributes:
        name: by which it is asked for.
        about: one line for people.
        columns: our name → names that the export may use, best first.
        left_out: reason → rows that are normal there and no purchase by a customer; over our columns.
        prepare: reshapes one file before its columns are taken.
        combine: joins files (stem → frame) into one frame; None: each file stands for itself.
        files: patterns of the stems that `combine` needs.
        alone: whether a file that is none of these stands for itself.
        known_by: sets of columns; a header that has all of one set is this format's.
        time_patterns: strptime patterns besides ISO-8601.
        reading: what it says about cells where the user says nothing.
        known: all formats by name, itself among them: a header that is not its own may be one of theirs.
    """

    name: str
    about: str
    columns: Mapping[str, tuple[str, ...]]
    left_out: Mapping[str, pl.Expr]
    prepare: Prepare
    combine: Combine | None
    files: tuple[str, ...]
    alone: bool
    known_by: tuple[tuple[str, ...], ...]
    time_patterns: tuple[str, ...]
    reading: ReadingOptions
    known: Mapping[str, FormatSettings] = field(default_factory=dict)

    def fill(self, options: ReadingOptions) -> ReadingOptions:
        """The user's options, and the format's own where they say nothing; words of both."""
        ours = {name: getattr(self.reading, name) for name in self.reading.model_fields_set}
        theirs = {
            name: getattr(options, name)
            for name, field in ReadingOptions.model_fields.items()
            if getattr(options, name) != field.default
        }
        words = ours.keys() & theirs.keys() & {"returned", "not_products"}
        both = {name: (*theirs[name], *ours[name]) for name in words}
        return options.model_copy(update=ours | theirs | both)

    def joins(self, stems: Iterable[str]) -> bool:
        """Whether files of these stems are to be joined: they are what `combine` needs, or nothing else can be done."""
        names = list(stems)
        return self.combine is not None and (not self.alone or self.has_files(names))

    def has_files(self, stems: Iterable[str]) -> bool:
        """Whether files of these stems are what `combine` needs."""
        names = list(stems)
        return bool(self.files) and all(fnmatch.filter(names, pattern) for pattern in self.files)

    def fits(self, header: Collection[str]) -> bool:
        """Whether a header is one of this format, by its own names as they are."""
        if self.known_by:
            return any(set(names) <= set(header) for names in self.known_by)
        return self.alone and all(set(self.columns.get(ours, ())) & set(header) for ours in REQUIRED)


def make_format(name: str, settings: FormatSettings) -> Format:
    """The format that settings describe.

    Raises:
        UsageError: it names a column that is not ours, a hook that is not there, or a condition that is no SQL.
    """
    where = f"format {name!r}"
    for ours in settings.columns:
        if ours not in PURCHASE_COLUMNS:
            raise UsageError(f"{where}: {ours!r} is not a column of ours; name one of {', '.join(PURCHASE_COLUMNS)}")
    return Format(
        name=name,
        about=settings.about,
        columns=settings.columns,
        left_out=_left_out(where, settings),
        prepare=_prepare(where, settings),
        combine=_combine(where, settings),
        files=settings.files,
        alone=settings.alone or not (settings.combine or settings.join),
        known_by=settings.known_by,
        time_patterns=settings.times,
        reading=settings.reading,
    )


def _prepare(where: str, settings: FormatSettings) -> Prepare:
    if settings.prepare:
        return _hook(where, PREPARE, settings.prepare)
    return partial(explode_list, column=settings.items) if settings.items else lambda frame: frame


def _combine(where: str, settings: FormatSettings) -> Combine | None:
    if settings.combine:
        return _hook(where, COMBINE, settings.combine)
    return partial(join_files, patterns=settings.files, key=settings.join) if settings.join else None


def _hook(where: str, hooks: Mapping[str, _Hook], name: str) -> _Hook:
    if name not in hooks:
        raise UsageError(f"{where}: there is no hook {name!r}; there are: {', '.join(hooks)}")
    return hooks[name]


def _left_out(where: str, settings: FormatSettings) -> dict[str, pl.Expr]:
    rules: dict[str, pl.Expr] = {}
    if settings.purchase_events:
        bought = _STATUS.is_in([word.lower() for word in settings.purchase_events])
        # a file without any purchase event may be one of purchases under another name
        rules[EVENTS_KNOWN] = bought.any() & ~bought if settings.events_may_be_absent else ~bought
    for reason, condition in settings.left_out.items():
        try:
            rules[reason] = pl.sql_expr(condition)
        except pl.exceptions.PolarsError as error:
            raise UsageError(f"{where}: {condition!r} is no SQL condition over our columns: {error}") from None
    return rules
