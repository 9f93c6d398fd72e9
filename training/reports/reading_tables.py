"""How purchase files were read, in tables for people: columns, what is open, what each problem touches."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from recommender.cli.console import echo, print_table
from training.ingest.formats.format import Format
from training.ingest.ingest_report import IngestReport
from training.reports.odd_lines import OddProduct

_CELL = 40
_COLUMNS = 60


def why_taken(
    report: IngestReport, format_: Format, named: Mapping[str, str], proposed: Mapping[str, str]
) -> dict[str, str]:
    """Our column → why the file's was taken for it.

    Args:
        report: of the reading.
        format_: that was read.
        named: columns that the user names.
        proposed: our column → why it is proposed.
    """
    reasons = {}
    for ours, theirs in report.columns.items():
        if ours in proposed:
            reasons[ours] = f"proposed: {proposed[ours]}"
        elif ours in named:
            reasons[ours] = "you named it"
        elif theirs in format_.columns.get(ours, ()):
            reasons[ours] = "its name" if theirs == ours else f"its name in {format_.name}"
        else:
            reasons[ours] = "differs from its name in no letter"
    return reasons


def print_columns(report: IngestReport, reasons: Mapping[str, str]) -> None:
    """A line for each of our columns that a column of the file was taken for."""
    rows = [
        (ours, theirs, report.samples.get(ours, "")[:_CELL], reasons.get(ours, ""))
        for ours, theirs in report.columns.items()
    ]
    print_table(["what", "column", "a cell", "why"], rows, title="Columns")


def print_header(headers: Mapping[str, Mapping[str, str]]) -> None:
    """The columns of each file with a cell, where it is not known which of ours they are."""
    for file, cells in headers.items():
        rows = [(name, cell[:_CELL]) for name, cell in list(cells.items())[:_COLUMNS]]
        print_table(["column", "a cell"], rows, title=f"{file}, {len(cells):,} columns")


def print_open(questions: Sequence[Mapping[str, Any]]) -> None:
    """A line for each meaning that a cell could have, with the option that says it; nothing where all is plain."""
    rows = [
        (question["column"], question["cell"][:_CELL], meaning, option)
        for question in questions
        for option, meaning in (*question["choices"].items(), *_remedy(question))
    ]
    if rows:
        print_table(["column", "cell", "could mean", "say it with"], rows, title="Open: only you know")


def _remedy(question: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What no option says, and what to do then."""
    return [("", question["remedy"])] if question["remedy"] else []


def print_problems(report: IngestReport) -> None:
    """A line for each reason for which rows were left out or are bad, with what it touches, and all notes."""
    rows = list(_problems(report))
    if rows:
        print_table(
            ["rows", "reason", "count", "of rows", "of money", "of customers"], rows, title="What is not learned"
        )
    for note in report.notes:
        echo(f"Note: {note['text']}" + ("" if note["rows"] is None else f" ({_rows(note['rows'], report)})"))


def _problems(report: IngestReport) -> Iterator[tuple[str, ...]]:
    for kind, reasons in (("bad, in quarantine", report.quarantined), ("left out, normal here", report.left_out)):
        for reason, count in reasons.items():
            shares = report.affected.get(reason, {})
            names = ("rows_share", "money_share", "customers_share")
            yield kind, reason, f"{count:,}", *(_share(shares.get(name)) for name in names)


def print_statuses(statuses: Sequence[Mapping[str, Any]]) -> None:
    """A line for each value of `status`, and what it says of its rows; nothing where there is none."""
    rows = [(each["value"], f"{each['rows']:,}", each["meaning"]) for each in statuses[:_COLUMNS]]
    if rows:
        print_table(
            ["status", "rows", "its rows are"], rows, title="Words of status: more that take back by --returned"
        )


def print_products(catalogue: Mapping[str, int]) -> None:
    """A line where most of what was sold is not in the product file: its ids may be others."""
    sold = catalogue["products"] - catalogue["never_sold"]
    found = sold - catalogue["sold_but_not_in_file"]
    if catalogue["from_file"] and 2 * found < sold:
        echo(
            f"Only {found:,} of {sold:,} sold products are in the product file: where its ids are others, name the "
            "column with those of the purchases, --product-columns product_id=…"
        )


def print_odd(products: Sequence[OddProduct]) -> None:
    """A line for each product that may be none; nothing without any."""
    rows = [(odd.product_id, odd.title or "", f"{odd.orders_share:.1%}", odd.why) for odd in products]
    if rows:
        title = "Perhaps no products: leave them out with --not-products"
        print_table(["product_id", "title", "of orders", "why"], rows, title=title)


def _rows(count: int, report: IngestReport) -> str:
    return f"{count:,} rows, {_share(count / max(report.rows_read, 1))}"


def _share(share: float | None) -> str:
    return "unknown" if share is None else f"{share:.1%}"
