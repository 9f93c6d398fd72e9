"""Reading options: how purchase files are to be understood where they could mean two things (`[reading]`)."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


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
