"""Reading options as they are typed on a command line, and as they stand in a settings file."""

import json
import re
import shlex
import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from recommender.errors import HomeError, SettingsError
from recommender.reading import ReadingOptions
from training.ingest.headers.column_options import write_columns

_TABLE = re.compile(r"^[ \t]*\[reading\][^\n]*$", re.MULTILINE)


def write_options(reading: ReadingOptions, settled: ReadingOptions) -> str:
    """The options that say what the settings do not.

    Args:
        reading: how files are read.
        settled: what the settings say of it.
    """
    said = _said(reading, settled)
    words = [_option(name, value) for name, value in said.items() if name not in {"columns", "product_columns"}]
    columns = [
        write_columns(said.get("columns", {})),
        write_columns(said.get("product_columns", {}), "--product-columns"),
    ]
    return " ".join(word for word in (*words, *columns) if word)


def _said(reading: ReadingOptions, settled: ReadingOptions) -> dict[str, Any]:
    """The fields that differ; of columns, the names that do."""
    theirs = settled.model_dump()
    differing = {name: value for name, value in reading.model_dump().items() if value != theirs[name]}
    for name in {"columns", "product_columns"} & differing.keys():
        differing[name] = {ours: column for ours, column in differing[name].items() if theirs[name].get(ours) != column}
    return differing


def _option(name: str, value: Any) -> str:
    option = f"--{name.replace('_', '-')}"
    if name == "day_first":
        return "--day-first" if value else "--month-first"
    if value is True:
        return option
    return f"{option} {shlex.quote(','.join(value) if isinstance(value, tuple) else str(value))}"


def add_to_settings(file: Path, reading: ReadingOptions, settled: ReadingOptions) -> None:
    """Write reading options into `[reading]` of a settings file, beside what stands there.

    Args:
        file: there or not.
        reading: how files are read.
        settled: what the settings say of it; only what differs is written.

    Raises:
        SettingsError: the file says otherwise already, or it is no TOML.
        HomeError: it cannot be written.
    """
    try:
        text = file.read_text(encoding="utf-8") if file.exists() else ""
        before = tomllib.loads(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{file} cannot be read as TOML: {error}; write to another file") from None
    wanted = _said(reading, settled)
    present = before.get("reading", {})
    if other := [name for name in wanted if name in present and present[name] != _plain(wanted[name])]:
        raise SettingsError(
            f"{file} has [reading] {other[0]} = {present[other[0]]!r} and not {_plain(wanted[other[0]])!r}; "
            "change it there, or write to another file"
        )
    lines = "".join(f"{name} = {_toml(value)}\n" for name, value in wanted.items() if name not in present)
    if not lines:
        return
    changed = _insert(text, lines)
    after = {name: _plain(value) for name, value in wanted.items()}
    if not _holds(changed, {**before, "reading": {**present, **after}}):
        raise SettingsError(f"{file} writes [reading] in a way that cannot be added to; write to another file")
    try:
        file.write_text(changed, encoding="utf-8")
    except OSError as error:
        raise HomeError(f"{file} cannot be written: {error.strerror}") from None


def _holds(text: str, wanted: Mapping[str, Any]) -> bool:
    try:
        return tomllib.loads(text) == wanted
    except tomllib.TOMLDecodeError:
        return False


def _insert(text: str, lines: str) -> str:
    if found := _TABLE.search(text):
        return f"{text[: found.end()]}\n{lines.rstrip()}{text[found.end() :]}"
    return f"{text.rstrip()}\n\n[reading]\n{lines}".lstrip()


def _plain(value: Any) -> Any:
    """A value as TOML reads it back."""
    return list(value) if isinstance(value, tuple) else value


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{name} = {_toml(each)}" for name, each in value.items()) + " }"
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, date):
        return value.isoformat()
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
