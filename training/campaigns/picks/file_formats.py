"""File formats of picks: each writes a part of the customers, and joins the parts into one file."""

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import BinaryIO, Protocol

import polars as pl

from recommender.campaigns.documents import LinkMaker, to_line
from recommender.campaigns.mail.render import Renderer
from recommender.data_dir import home_errors, make_folder, write_whole
from recommender.person import digest_of_person
from recommender.slate.item_json import Presentation
from recommender.storage.campaign import Campaign, Picks
from training.campaigns.picks.flat_rows import FlatRows
from training.flat_files import Cell, to_csv
from training.frame_files import write_frame

FORMATS = ("csv", "jsonl", "parquet", "html")
_ROWS_PER_GROUP = 65_536


class PickFormat(Protocol):
    """A file format. Parts are independent of each other, and the same picks give the same bytes."""

    def write(self, picks: Iterable[Picks], part: Path) -> None:
        """Write one part, whole or not at all."""

    def join(self, parts: Sequence[Path], out: Path) -> None:
        """Join all parts, in order, into one file: under a temporary name, then renamed."""


class Jsonl:
    """JSON Lines: one document a customer, see `recommender.campaigns.documents`."""

    def __init__(self, campaign: Campaign, links: LinkMaker, told: Presentation) -> None:
        self._campaign = campaign
        self._links = links
        self._told = told

    def write(self, picks: Iterable[Picks], part: Path) -> None:
        """See `PickFormat.write`."""
        with write_whole(part) as file:
            for one in picks:
                file.write(to_line(self._campaign, one, self._links.links(self._campaign, one), self._told))

    def join(self, parts: Sequence[Path], out: Path) -> None:
        """See `PickFormat.join`."""
        with write_whole(out) as file:
            _append(parts, file)


class Csv:
    """CSV in UTF-8: one row a customer. A text that a spreadsheet would compute gets an apostrophe before it."""

    def __init__(self, rows: FlatRows) -> None:
        self._rows = rows
        self._columns = list(rows.schema)

    def write(self, picks: Iterable[Picks], part: Path) -> None:
        """See `PickFormat.write`."""
        with write_whole(part) as file:
            for one in picks:
                file.write(to_csv(self._rows.row(one)))

    def join(self, parts: Sequence[Path], out: Path) -> None:
        """See `PickFormat.join`."""
        with write_whole(out) as file:
            file.write(to_csv(self._columns))
            _append(parts, file)


class Parquet:
    """Parquet: the columns of Csv, with their types and without apostrophes."""

    def __init__(self, rows: FlatRows) -> None:
        self._rows = rows

    def write(self, picks: Iterable[Picks], part: Path) -> None:
        """See `PickFormat.write`."""
        cells = [[_readable(cell) for cell in self._rows.row(one)] for one in picks]
        rows = pl.DataFrame(cells, schema=self._rows.schema, orient="row")
        with write_frame(part) as file:
            rows.write_parquet(file)

    def join(self, parts: Sequence[Path], out: Path) -> None:
        """See `PickFormat.join`."""
        with write_frame(out) as file:
            pl.scan_parquet(list(parts)).sink_parquet(file, maintain_order=True, row_group_size=_ROWS_PER_GROUP)


class Html:
    """A folder with one mail a customer as HTML and as plain text, and `index.csv`, which has the customer of each."""

    def __init__(self, campaign: Campaign, renderer: Renderer) -> None:
        self._campaign = campaign
        self._renderer = renderer

    def write(self, picks: Iterable[Picks], part: Path) -> None:
        """See `PickFormat.write`."""
        folder = _mails_folder(part)
        with write_whole(part) as file:
            for one in picks:
                rendered = self._renderer.render(self._campaign, one)
                name = mail_name(digest_of_person(one.customer_id, None))
                make_folder((folder / name).parent)
                for suffix, text in ((".html", rendered.html), (".txt", rendered.text)):
                    (folder / f"{name}{suffix}").write_text(text, "utf-8", "backslashreplace")
                file.write(to_csv([one.customer_id, rendered.subject, f"{name}.html", f"{name}.txt"]))

    def join(self, parts: Sequence[Path], out: Path) -> None:
        """See `PickFormat.join`."""
        folder = make_folder(_mails_folder(parts[0]))
        with write_whole(folder / "index.csv") as file:
            file.write(to_csv(["customer_id", "subject", "html", "text"]))
            _append(parts, file)
        with home_errors(f"write {out}"):
            if out.is_dir():
                shutil.rmtree(out)
            folder.replace(out)


def mail_name(digest: str) -> str:
    """Path of a customer's mail, without suffix, by `digest_of_person`: an id may hold what no file name may."""
    return f"{digest[:2]}/{digest}"


def forget_mail(part: Path, digest: str) -> None:
    """Delete a customer's mail beside a part."""
    for suffix in (".html", ".txt"):
        (_mails_folder(part) / f"{mail_name(digest)}{suffix}").unlink(missing_ok=True)


def _readable(cell: Cell) -> Cell:
    """Half a surrogate pair is no text in a Parquet file."""
    return cell.encode("utf-8", "backslashreplace").decode() if isinstance(cell, str) else cell


def _mails_folder(part: Path) -> Path:
    return part.parent / "mails"


def _append(parts: Sequence[Path], file: BinaryIO) -> None:
    for part in parts:
        with part.open("rb") as one:
            shutil.copyfileobj(one, file)
