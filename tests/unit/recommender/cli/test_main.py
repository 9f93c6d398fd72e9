import importlib
import os
import re
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from recommender import errors
from recommender.cli import main
from recommender.cli.main import COMMANDS, exit_code, reprise

EXAMPLE = re.compile(r"^\s+Example:\n\s+reprise ", re.MULTILINE)


def test_every_command_is_listed_without_being_imported():
    code = "import sys, recommender.cli.main as c; c.reprise(['--help'], standalone_mode=False); print([*sys.modules])"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    listed, modules = output.rsplit("\n[", 1)
    assert all(f"  {name} " in listed and line in listed for name, (_, line) in COMMANDS.items())
    for module in ("numpy", "polars", "redis", "flask", "rich.table", "pydantic", "recommender.cli.api_keys"):
        assert f"'{module}'" not in modules


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_an_example_and_json(name):
    command = importlib.import_module(COMMANDS[name][0]).command
    assert isinstance(command, click.Command)
    text = CliRunner().invoke(reprise, [name, "--help"]).output
    assert EXAMPLE.search(text), "click keeps lines only after the character \\b"
    assert "--json" in text


@pytest.mark.parametrize("words", [["{}", "models"], ["models", "{}"], ["keys", "{}", "list"], ["keys", "list", "{}"]])
def test_every_command_reads_the_settings_file_that_is_named(words, tmp_path, monkeypatch):
    monkeypatch.setenv("REPRISE_CONFIG", "")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.toml").write_text("prot = 1")
    arguments = [part for word in words for part in (["--config", "mine.toml"] if word == "{}" else [word])]
    result = CliRunner().invoke(reprise, arguments)
    assert isinstance(result.exception, errors.SettingsError)
    assert "did you mean 'port'" in str(result.exception)
    assert os.environ["REPRISE_CONFIG"] == str(tmp_path / "mine.toml")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_takes_a_settings_file(name):
    result = CliRunner().invoke(reprise, [name, "--config", "nowhere.toml"])
    assert result.exit_code == 2
    assert "'nowhere.toml' does not exist" in result.output


def test_a_command_whose_library_is_not_installed_names_it_and_where_it_is(monkeypatch):
    monkeypatch.setitem(COMMANDS, "train", ("no_such_library", ""))
    with pytest.raises(errors.RepriseError, match=r"`reprise train` needs no_such_library, .* the image `reprise`"):
        reprise.main(["train"], standalone_mode=False)


def test_an_unknown_command_is_a_usage_error():
    result = CliRunner().invoke(reprise, ["trian"])
    assert result.exit_code == 2
    assert "trian" in result.output


def test_the_group_shows_its_example_and_its_version():
    assert EXAMPLE.search(CliRunner().invoke(reprise, ["--help"]).output)
    assert re.match(r"reprise\b.*\b\d+\.\d+\.\d+", CliRunner().invoke(reprise, ["--version"]).output)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.UsageError("x"), 2),
        (errors.SettingsError("x"), 2),
        (errors.DataError("x"), 3),
        (errors.MissingColumnError("x"), 3),
        (errors.GateRefusedError("x"), 4),
        (errors.BusyError("x"), 1),
        (errors.StoreFullError("x"), 1),
        (errors.HomeError("x"), 1),
    ],
)
def test_exit_codes(error, code):
    assert exit_code(error) == code


def test_an_error_is_one_line_and_an_exit_code(monkeypatch, capsys):
    def fail(**_: object) -> None:
        raise errors.MissingColumnError("no column 'customer_id'; there are: a, b")

    monkeypatch.setattr(main.reprise, "main", fail)
    with pytest.raises(SystemExit) as ended:
        main.main()
    assert ended.value.code == 3
    captured = capsys.readouterr()
    assert captured.err == "error: no column 'customer_id'; there are: a, b\n"
    assert captured.out == ""
