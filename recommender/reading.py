"""Reading options: how purchase files are to be understood where they could mean two things (`[reading]`), and formats.

A format is a set of them for one kind of export, with its columns; those of a shop stand under `[formats.NAME]`.
"""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"{name!r} is no time zone; give one such as Europe/Berlin or UTC")
    return name


class ReadingOptions(BaseModel):
    """Options of reading purchase files; each has an option of the same name on the command line, which wins."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: str = "reprise"
    """Name of the format."""
    columns: Mapping[str, str] = {}
    """Our column = the file's; wins over the format. `Email|Phone`: the first that is filled."""
    product_columns: Mapping[str, str] = {}
    """The same for the product file: our column = the file's."""
    encoding: str | None = None
    """Encoding of text files, such as `windows-1252`. None: UTF-8 where it can be, else as detected."""
    sheet: str | None = None
    """Sheet of a workbook. None: the only one that holds a table."""
    time_format: str | None = None
    """Pattern of times as strptime has it, such as `%d.%m.%Y`. None: as detected."""
    day_first: bool | None = None
    """Whether 04/05/2026 is the 4th of May. None: as a cell over 12 says; else refused."""
    time_zone: Annotated[str, AfterValidator(_known_zone)] = "UTC"
    """Zone of times that name none."""
    calendar: Literal["gregorian", "persian"] | None = None
    """Calendar of dates. None: as their years say; where they could be either, refused."""
    day_one: date | None = None
    """Date of day number 1, where times are day numbers."""
    decimal: Literal[".", ","] | None = None
    """Sign before decimals. None: as detected; where 1,234 could be either, refused."""
    returned: tuple[str, ...] = ()
    """More values of `status` that say that a row went back."""
    purchases_where: str | None = None
    """COLUMN=VALUE of the rows that are purchases, in a log of several kinds of events; values are parted by `|`."""
    not_products: tuple[str, ...] = ()
    """Product ids or titles of lines that are no products, such as tips and shipping."""
    anonymous_share: float = Field(0.5, ge=0, le=1)
    """Share of rows without a customer over which the file is refused, but for formats in which they are normal."""
    hash_customers: bool = False
    """Whether customer ids, such as e-mail addresses, are replaced by salted digests."""


def _several(names: object) -> object:
    return (names,) if isinstance(names, str) else names


Names = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], BeforeValidator(_several)]
"""One name, or several, best first."""


class FormatSettings(BaseModel):
    """The format of one kind of export (`[formats.NAME]`), which `--format NAME` asks for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    about: str = ""
    """One line for people."""
    data_set: bool = False
    """Whether it is that of a public data set, and of no shop's system."""
    columns: Mapping[str, Names] = {}
    """Our column = the export's; several names, the best first, where it differs."""
    left_out: Mapping[str, str] = {}
    """Reason = SQL condition over our columns, of rows that are normal and no purchase."""
    purchase_events: tuple[str, ...] = ()
    """Values of the status column that buy, or take back, in a log of several kinds of events; others are left out."""
    events_may_be_absent: bool = False
    """Whether a file without any of them is one of purchases under another name."""
    times: tuple[str, ...] = ()
    """Patterns of times, as strptime has them, besides ISO-8601."""
    reading: ReadingOptions = ReadingOptions()
    """What holds where neither the command line nor `[reading]` says it."""
    prepare: str | None = None
    """Name of the hook that reshapes a file."""
    combine: str | None = None
    """Name of the hook that joins the files of a folder."""
    items: str | None = None
    """Column that holds all items of an order as a list of objects; a row each, with columns such as `items.sku`."""
    join: str | None = None
    """Column of all `files` by which their rows are joined, where there is no hook; the first file holds the lines."""
    files: tuple[str, ...] = ()
    """Patterns of the file names, without ending, that `combine` or `join` needs."""
    alone: bool = False
    """Whether a file that is none of them stands for itself, as one table that holds all."""
    known_by: tuple[tuple[str, ...], ...] = ()
    """Sets of columns by which `reprise doctor` knows the format. None: by columns for each of our required ones."""
