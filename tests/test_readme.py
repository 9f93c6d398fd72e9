"""The README names every command, setting and route, none that is not there, and its examples run.

A block that opens with ```sh run is run, line by line, in a folder with the purchases.csv and products.csv of a small
made-up shop: the first line by a shell, the others in this process, which has loaded what they need. Other blocks need
the network, a server or somebody's own files.
"""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask
from pydantic import BaseModel

from api import create_app
from api.answer_schemas import Answer, Health, ModelList, NamedPlacement, Problem
from api.request_schemas import EventsBody
from recommender.campaigns.settings import MailSettings
from recommender.cli import COMMANDS, reprise
from recommender.memory_store import MemoryStore
from recommender.placements import DEFAULT_PLACEMENTS, Placement
from recommender.settings import ENV_PREFIX, AlsSettings, Settings
from recommender.warehouse import MemoryWarehouse
from training.formats import FORMATS
from training.schema import PURCHASE_COLUMNS
from training.shop import make_shop

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
ASSETS = "/docs/{name}"
"""Scripts of the page at /docs; nobody calls them by hand."""


def blocks(opening: str) -> list[str]:
    """Contents of the fenced blocks that open with exactly this."""
    return re.findall(rf"^```{re.escape(opening)}\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)


TABLES = {"als": AlsSettings, "mail": MailSettings}
"""Settings that are tables of their own."""


def documents() -> Iterator[dict[str, object]]:
    """Every JSON document of the README."""
    decoder = json.JSONDecoder()
    for text in blocks("json"):
        rest = text.strip()
        while rest:
            document, end = decoder.raw_decode(rest)
            yield document
            rest = rest[end:].strip()


def environment_names() -> set[str]:
    nested = {f"{table}__{name}" for table, settings in TABLES.items() for name in settings.model_fields}
    names = (Settings.model_fields.keys() - TABLES.keys()) | nested
    return {f"{ENV_PREFIX}{name.upper()}" for name in names}


def routes(app: Flask) -> set[str]:
    """Rules in the form /v1/products/{product_id}/similar."""
    rules = {re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule) for rule in app.url_map.iter_rules()}
    return rules - {ASSETS}


def test_every_command_is_named_and_every_named_command_exists() -> None:
    named = set(re.findall(r"`reprise ([a-z][a-z-]*)", README)) | set(
        re.findall(r"^reprise ([a-z][a-z-]*)", README, flags=re.MULTILINE)
    )
    assert named == set(COMMANDS)


def test_every_setting_is_named_and_every_named_setting_exists() -> None:
    named = set(re.findall(rf"{ENV_PREFIX}[A-Z_]*[A-Z]", README))
    assert named == environment_names()


def test_the_defaults_in_the_table_are_the_defaults() -> None:
    shown = dict(re.findall(rf"^\| `{ENV_PREFIX}([A-Z_]+)` \| `?([^|`]+?)`? \|", README, flags=re.MULTILINE))
    elsewhere = {*TABLES, "placements", "experiments"}
    plain = {name: field.default for name, field in Settings.model_fields.items() if name not in elsewhere}
    nested = {f"{table}__{name}": f.default for table, one in TABLES.items() for name, f in one.model_fields.items()}
    for name, default in (plain | nested).items():
        if name in ("host", "port"):  # one row for the two
            continue
        text = "none" if default is None else f"{default:g}" if isinstance(default, float) else str(default)
        assert shown[name.upper()] == text, name


@pytest.mark.parametrize("field", Placement.model_fields)
def test_every_field_of_a_placement_is_named(field: str) -> None:
    assert f"`{field}`" in README


@pytest.mark.parametrize(("name", "placement"), DEFAULT_PLACEMENTS.items())
def test_the_caps_of_the_default_placements_are_right(name: str, placement: Placement) -> None:
    category = f", {placement.max_per_category} of a" if placement.max_per_category else ""
    assert re.search(rf"{name} {placement.default_limit} (products )?\(cap {placement.cap}{category}", README)


def test_every_route_is_named_and_every_named_route_exists() -> None:
    named = set(re.findall(r"`(/(?:v1|health|docs|openapi|metrics)[^`?]*)", README))
    assert {re.sub(r"/(C\d{5}|MILK-1L|PASTA-500G|home)(?=/|$)", _parameter, route) for route in named} == routes(
        create_app(Settings(), MemoryWarehouse({"default": MemoryStore()}))
    )


def _parameter(example: re.Match[str]) -> str:
    """The path parameter that an example's id stands for."""
    text = example[1]
    return "/{name}" if text == "home" else "/{customer_id}" if re.fullmatch(r"C\d{5}", text) else "/{product_id}"


def test_every_column_and_format_of_a_purchase_file_is_named() -> None:
    missing = [name for name in (*PURCHASE_COLUMNS, *FORMATS) if f"`{name}`" not in README]
    assert missing == []


def test_make_targets_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    named = set(re.findall(r"^make ([a-z-]+)|`make ([a-z-]+)", README, flags=re.MULTILINE))
    assert {first or second for first, second in named} <= targets


def test_answers_have_the_shape_of_the_api() -> None:
    shapes: dict[str, type[BaseModel]] = {
        "items": Answer,
        "models": ModelList,
        "cap": NamedPlacement,
        "detail": Problem,
        "status": Health,
        "events": EventsBody,
    }
    seen = set()
    for document in documents():
        key = next(key for key in shapes if key in document)
        shapes[key].model_validate(document)
        seen.add(key)
    assert seen == set(shapes)


def test_the_settings_file_of_the_readme_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "reprise.toml").write_text("".join(blocks("toml")))
    monkeypatch.chdir(tmp_path)
    settings = Settings()
    home = settings.placements["home"]
    assert (home.cap, home.default_limit, home.mix) == (20, 8, "buy_again")
    assert [one.treatments["six"].cap for one in settings.experiments] == [6]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_examples_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_shop(tmp_path, customers=80, products=60, months=12, end=date(2026, 10, 15), seed=0)
    for name in os.environ:
        if name.startswith(ENV_PREFIX):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("REPRISE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    first, *lines = "".join(blocks("sh run")).splitlines()
    assert len(lines) >= 6
    shell = subprocess.run(first, shell=True, capture_output=True, text=True, check=False)
    assert shell.returncode == 0, f"{first}\n{shell.stdout}\n{shell.stderr}"
    for line in lines:
        program, *words = shlex.split(line)
        assert program == "reprise"
        done = CliRunner().invoke(reprise, words)
        assert done.exit_code == 0, f"{line}\n{done.output}\n{done.exception!r}"
    assert (tmp_path / "ranked.parquet").exists()
