"""Every choice of a question can be typed as it stands, and settles it."""

import shlex
from datetime import UTC, datetime
from pathlib import Path

import click
import pytest

from recommender.cli.progress import Progress
from recommender.errors import UnclearInputError
from recommender.reading import ReadingOptions
from recommender.settings import Settings
from training.commands.reading_options import add_reading_options, take_reading
from training.ingest.ingest import PurchaseSource, ingest

AS_OF = datetime(2026, 11, 30, tzinfo=UTC)
SETTLED = {
    "decimal": ("unit_price", ["1.200", "2.500"]),
    "decimals_in_two_ways": ("unit_price", ["4,50", "4.50"]),
    "day_or_month_first": ("ordered_at", ["04/05/2026", "05/05/2026"]),
    "day_and_month_first": ("ordered_at", ["24/05/2026", "05/24/2026"]),
    "short_year": ("ordered_at", ["26-09-13 10:15", "26-10-14 11:15"]),
    "calendar": ("ordered_at", ["1405/06/22", "1405/07/01"]),
    "time_zone": ("ordered_at", ["2026-09-13 10:00 IST", "2026-09-14 10:00 IST"]),
    "day_number": ("ordered_at", ["13", "43"]),
    "time_form": ("ordered_at", ["20x09x2026", "21x09x2026"]),
    "event_log": ("the event's kind", ["view", "done", "cart"]),
    "event_codes": ("behaviour", ["1", "1", "4"]),
    "no_customer": ("customer_id", ["", "", "C1"]),
}
"""Code of a question → a column and its cells that raise it."""
OTHERS = {
    "time_form": ("ordered_at", ["130926", "140926"]),
    "event_log": ("event", ["view", "purchase", "refund"]),
    "event_codes": ("Document Type", ["Quote", "Invoice", "Credit Note"]),
}
NO_OPTION = {
    "no_numbers": ("unit_price", ["tea", "mug"]),
    "rounded_times": ("ordered_at", ["1.79E+12", "1.78E+12"]),
    "buddhist_calendar": ("ordered_at", ["2569-09-13", "2569-09-14"]),
    "time_form": ("ordered_at", ["soon", "later"]),
}


def write(folder, column, cells):
    """A file in which one column holds these cells."""
    plain = {"customer_id": "C1", "product_id": "TEA", "ordered_at": "2026-09-13", "Client": "C2"}
    rows = [{**plain, column: cell} for cell in cells]
    file = Path(folder, "purchases.csv")
    file.write_text("\n".join(["\t".join(rows[0]), *("\t".join(row.values()) for row in rows)]) + "\n", "utf-8")
    return file


def questions_of(folder, file, options):
    settings = Settings(home=Path(folder, "home"), max_bad_rows_share=1)
    source = PurchaseSource([file], options)
    return ingest(source, settings, AS_OF, Progress(show=False), refuse=False).report.questions


def parse(choice):
    """The reading options that the words of a choice stand for."""
    found = []

    @click.command()
    @add_reading_options
    def command(**others):
        found.append(take_reading(others))

    command.main(shlex.split(choice), standalone_mode=False)
    return found[0]


@pytest.mark.parametrize(
    ("code", "column", "cells"), [(code, *case) for code, case in (*SETTLED.items(), *OTHERS.items())]
)
def test_every_choice_can_be_typed_and_settles_the_question(code, column, cells, tmp_path):
    file = write(tmp_path, column, cells)
    [question] = questions_of(tmp_path, file, ReadingOptions())
    assert question["code"] == code
    assert question["choices"]
    for choice in question["choices"]:
        assert questions_of(tmp_path, file, parse(choice)) == [], choice


@pytest.mark.parametrize(("code", "column", "cells"), [(code, *case) for code, case in NO_OPTION.items()])
def test_where_no_option_helps_the_question_says_what_does(code, column, cells, tmp_path):
    file = write(tmp_path, column, cells)
    [question] = questions_of(tmp_path, file, ReadingOptions())
    assert (question["code"], question["choices"]) == (code, {})
    assert question["remedy"]
    with pytest.raises(UnclearInputError) as refused:
        ingest(PurchaseSource([file]), Settings(home=tmp_path / "home"), AS_OF, Progress(show=False))
    assert question["remedy"] in str(refused.value)
    assert "add the option" not in str(refused.value)


def test_a_pattern_that_does_not_fit_is_answered_with_those_that_do(tmp_path):
    file = write(tmp_path, "ordered_at", ["20x09x2026", "21x09x2026"])
    [question] = questions_of(tmp_path, file, parse("--time-format %Y-%m-%d"))
    assert list(question["choices"]) == ["--time-format %dx%mx%Y"]


def test_every_question_in_the_code_is_among_them():
    root = Path(__file__).parents[4] / "training"
    codes = {*SETTLED, *OTHERS, *NO_OPTION} | {"{seems}_calendar"}
    text = "".join(file.read_text("utf-8") for file in (*root.glob("cells/**/*.py"), *root.glob("ingest/**/*.py")))
    asked = {part.split('"')[1] for part in text.split("Question(")[1:] if part.lstrip("\n fF").startswith('"')}
    assert asked
    assert asked - codes == set()
