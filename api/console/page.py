"""What a page of the console holds, as data: a lead, and blocks of tables, charts, notes and forms."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, NamedTuple

from markupsafe import Markup

Kind = Literal["id", "text", "number", "decimal", "share", "money", "day", "month", "moment", "days"]
"""How a cell is written: `id` and `text` as they are; `share` of 1 in percent; `day` is an ISO date, `month`
such as `2026-11`, `moment` an ISO time; `days` a number of days."""


class Link(NamedTuple):
    """A cell that leads somewhere; a file has its text alone."""

    text: Any
    address: str


class Column(NamedTuple):
    """A column of a table; its label is the word `columns.NAME`. `currency` is that of its money, if it has its own."""

    name: str
    kind: Kind = "text"
    currency: str | None = None

    @property
    def is_number(self) -> bool:
        """Whether cells are aligned at their end."""
        return self.kind in ("number", "decimal", "share", "money", "days")


@dataclass(frozen=True)
class Table:
    """A table; its title is the word `tables.TITLE`, and any of them can be had as CSV.

    Attributes:
        name: unique on the page.
        columns: from first to last.
        rows: a cell for each column; None for what is not known.
        empty: what is said in place of a table without rows.
        note: a sentence below the title.
        shown: most rows on the page; a file has all.
        shaded: whether cells of kind `share` are shaded by their size.
        details: whether it is for data scientists, and folded.
        chart: a drawing of the same.
        buttons: of rows, by their numbers: each changes something.
        title: a word other than the name.
    """

    template: ClassVar[str] = "table"
    name: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]
    empty: str = ""
    note: str = ""
    shown: int = 100
    shaded: bool = False
    details: bool = False
    chart: Markup | None = None
    buttons: Mapping[int, "Button"] = field(default_factory=dict)
    title: str = ""


@dataclass(frozen=True)
class Button:
    """One button that posts `fields` to an action; its label is the word `actions.LABEL`."""

    action: str
    label: str
    fields: Mapping[str, str]


@dataclass(frozen=True)
class Facts:
    """Labelled values; a label is the word `facts.NAME`.

    `rows` are name, kind and value.
    """

    template: ClassVar[str] = "facts"
    rows: Sequence[tuple[str, Kind, Any]]
    name: str = ""
    details: bool = False


@dataclass(frozen=True)
class Note:
    """A paragraph: what is missing and what to do, or what to beware of."""

    template: ClassVar[str] = "note"
    text: str
    warns: bool = False


@dataclass(frozen=True)
class Form:
    """A form with a template of its own, `forms/NAME.html`, which finds `values`.

    `needs_admin` leaves it out for those who may not act.
    """

    template: ClassVar[str] = "form"
    name: str
    values: Mapping[str, Any] = field(default_factory=dict)
    needs_admin: bool = False


@dataclass(frozen=True)
class Mail:
    """A mail as its reader would see it; its HTML is a document of its own, in a frame that runs nothing."""

    template: ClassVar[str] = "mail"
    subject: str
    html: str
    text: str


Block = Table | Facts | Note | Form | Mail


@dataclass(frozen=True)
class Page:
    """One page; title and question are the words `NAME.title` and `NAME.question`.

    Attributes:
        name: of the view.
        lead: the answer in a sentence or two, before any figure.
        blocks: from top to bottom.
        subject: what it is about, where there are many: a customer, a product.
        currency: of money whose cell names none.
        status: of HTTP.
    """

    name: str
    lead: Sequence[str] = ()
    blocks: Iterable[Block] = ()
    subject: str = ""
    currency: str | None = None
    status: int = 200

    @property
    def mail(self) -> Mail | None:
        """The mail on it; None where there is none."""
        return next((one for one in self.blocks if isinstance(one, Mail)), None)

    def table(self, name: str) -> Table | None:
        """The table called so; None where there is none."""
        return next((one for one in self.blocks if isinstance(one, Table) and one.name == name), None)
