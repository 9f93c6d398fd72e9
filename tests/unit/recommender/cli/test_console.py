import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from recommender.cli.console import echo, print_json, print_table


def test_json_is_one_readable_document(capsys):
    print_json(
        {"title": "Käse ☕", "at": datetime(2026, 11, 20, tzinfo=UTC), "price": Decimal("1.50"), "path": Path("a")}
    )
    text = capsys.readouterr().out
    assert "Käse ☕" in text
    assert json.loads(text) == {"title": "Käse ☕", "at": "2026-11-20 00:00:00+00:00", "price": "1.50", "path": "a"}


def test_a_table_shows_every_cell_in_its_row(capsys):
    print_table(("version", "lists"), [("v1", 3), ("v2", None)], title="Versions")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].strip() == "Versions"
    assert any("version" in line and "lists" in line for line in lines)
    assert any("v1" in line and "3" in line for line in lines)
    assert any("v2" in line and "None" in line for line in lines)


def test_a_table_without_rows_shows_its_columns(capsys):
    print_table(("version", "lists"), [])
    assert "version" in capsys.readouterr().out


@pytest.mark.parametrize("cell", ["[bold]x[/bold]", "[/]", "a[0]", "[link=http://evil]x[/link]"])
def test_what_a_shop_calls_its_products_is_printed_as_it_is(capsys, cell):
    print_table(("title",), [(cell,)])
    assert cell in capsys.readouterr().out


def test_without_a_terminal_no_colour_is_written(capsys):
    print_table(("a",), [("b",)])
    assert "\x1b" not in capsys.readouterr().out


def test_without_a_terminal_long_rows_are_not_broken(capsys):
    print_table(("a", "b"), [("x" * 60, "y" * 60)])
    assert any("x" * 60 in line and "y" * 60 in line for line in capsys.readouterr().out.splitlines())


@pytest.mark.parametrize("escape", ["\x1b]0;title\x07", "\x1b[2J", "\x9b2J", "\x7f", "\x08", "\r"])
def test_no_terminal_obeys_what_a_shop_wrote(capsys, escape):
    print_table(("title",), [(f"Mi{escape}lk",)])
    echo(f"Mi{escape}lk", err=True)
    print_json({"title": f"Mi{escape}lk"})
    shown = capsys.readouterr()
    assert not set(escape) & set(shown.err + shown.out) & set("\x1b\x07\x9b\x7f\x08\r")
    assert json.loads(shown.out[shown.out.index("{") :]) == {"title": f"Mi{escape}lk"}
