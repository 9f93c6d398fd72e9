"""The pages name every command, setting and route, none that is not there, and their examples run.

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
from api.schemas.answers import Answer, EventsAnswer, Health, ModelList, NamedPlacement, Problem
from api.schemas.profiles import CustomerProfile
from api.schemas.requests import BatchBody, EventsBody
from recommender.campaigns.audiences import AUDIENCES
from recommender.cli.main import COMMANDS, reprise
from recommender.reading import ReadingOptions
from recommender.settings import CONFIG_VARIABLE, ENV_PREFIX, AlsSettings, MailSettings, Settings
from tests.fakes.shops import MemoryShopStorage
from tests.fakes.versions import MemoryVersionStore
from tests.support import small_shop
from tests.support.reference import PAGES, ROOT, SECTIONS, refresh, sections
from training.demo.shop import make_shop
from training.ingest.formats.known import FORMATS
from training.ingest.schema import PURCHASE_COLUMNS

README = (ROOT / "README.md").read_text()
TEXT = "\n".join(page.read_text() for page in PAGES)
TABLES: dict[str, type[BaseModel]] = {"als": AlsSettings, "mail": MailSettings, "reading": ReadingOptions}
"""Settings that are tables of their own."""
page = pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))


def blocks(opening: str) -> list[str]:
    """Contents of the fenced blocks that open with exactly this."""
    return re.findall(rf"^```{re.escape(opening)}\n(.*?)^```$", TEXT, flags=re.MULTILINE | re.DOTALL)


def documents() -> Iterator[dict[str, object]]:
    """Every JSON document of the pages."""
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
    return {re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule) for rule in app.url_map.iter_rules()}


@page
def test_the_tables_say_what_the_code_says(page: Path) -> None:
    assert refresh(page.read_text()) == page.read_text(), "run `make docs`"


def test_every_table_stands_on_one_page() -> None:
    assert sorted(sections(TEXT)) == sorted(SECTIONS)


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) <= 200


def test_the_readme_names_every_command_and_no_other() -> None:
    named = set(re.findall(r"`reprise ([a-z][a-z-]*)", TEXT)) | set(
        re.findall(r"^reprise ([a-z][a-z-]*)", TEXT, flags=re.MULTILINE)
    )
    assert named == set(re.findall(r"`reprise ([a-z][a-z-]*)", README)) == set(COMMANDS)


def test_every_named_setting_exists() -> None:
    assert set(re.findall(rf"{ENV_PREFIX}[A-Z_]*[A-Z]", TEXT)) == environment_names() | {CONFIG_VARIABLE}


def test_every_named_route_exists() -> None:
    named = set(re.findall(r"`(/(?:(?:v1|health|docs|openapi|metrics|widget|console)[^`?]*)?)[`?]", TEXT))
    known = routes(create_app(Settings(), MemoryShopStorage({"default": MemoryVersionStore()})))
    assert {re.sub(r"/(C\d{5}|MILK-1L|PASTA-500G|home)(?=/|$)", _parameter, route) for route in named} == known


def _parameter(example: re.Match[str]) -> str:
    """The path parameter that an example's id stands for."""
    text = example[1]
    return "/{name}" if text == "home" else "/{customer_id}" if re.fullmatch(r"C\d{5}", text) else "/{product_id}"


@pytest.mark.parametrize("name", [*PURCHASE_COLUMNS, *FORMATS, *AUDIENCES])
def test_every_column_format_and_audience_is_named(name: str) -> None:
    assert f"`{name}`" in TEXT


def test_make_targets_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    named = set(re.findall(r"^make ([a-z-]+)|`make ([a-z-]+)", TEXT, flags=re.MULTILINE))
    assert {first or second for first, second in named} <= targets


@page
def test_links_lead_to_files_and_headings(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", page.read_text()):
        file, _, heading = target.partition("#")
        path = page.parent / file if file else page
        assert path.exists(), target
        headings = re.findall(r"^#+ (.*)$", path.read_text(), flags=re.MULTILINE) if heading else []
        anchors = {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in headings}
        assert not heading or heading in anchors, target


def test_answers_have_the_shape_of_the_api() -> None:
    shapes: dict[str, type[BaseModel]] = {
        "items": Answer,
        "models": ModelList,
        "cap": NamedPlacement,
        "detail": Problem,
        "status": Health,
        "events": EventsBody,
        "requests": BatchBody,
        "accepted": EventsAnswer,
        "lifecycle": CustomerProfile,
    }
    seen = set()
    for document in documents():
        key = next(key for key in shapes if key in document)
        shown = shapes[key].model_validate(document)
        assert key != "cap" or document.keys() == shown.model_dump().keys()
        seen.add(key)
    assert seen == set(shapes)


def test_rows_that_go_together_show_no_product_twice() -> None:
    store = MemoryVersionStore()
    store.publish(small_shop.publication(), keep=1)
    app = create_app(Settings(), MemoryShopStorage({"default": store}), lambda: small_shop.NOW)
    shown = []
    for body in [document for document in documents() if "requests" in document]:
        text = json.dumps(body).replace("C00237", "ANNA").replace("PASTA-500G", "BREAD")
        answers = app.test_client().post("/v1/batch", json=json.loads(text)).json["responses"]
        shown.append([[item["product_id"] for item in answer["body"]["items"]] for answer in answers])
    home, product, cart = (
        [["MILK"], ["COFFEE", "BUTTER"], ["BREAD"]],
        [[], ["BUTTER", "MILK"]],
        [["BUTTER", "MILK", "COFFEE"], []],
    )
    assert shown == [home, product, cart]


def test_the_settings_file_of_the_pages_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
