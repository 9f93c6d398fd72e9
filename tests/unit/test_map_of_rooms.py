"""The pages know the code: every room and file that they name is there, and every room and Redis key is named."""

import re
import tomllib
from collections import Counter
from pathlib import Path

import pytest

from recommender.redis.keys import API_KEYS, REQUESTS, Keys
from tests.support.reference import PAGES, ROOT
from training.commands.model.demo import CUSTOMER, PRODUCT

README = (ROOT / "README.md").read_text()
LIBRARY = (ROOT / "recommender/README.md").read_text()
TEXT = "\n".join(page.read_text() for page in PAGES)
package = pytest.mark.parametrize("package", ["recommender", "training", "api"])


def rooms(folder: Path) -> list[str]:
    """Folders of Python modules right inside another."""
    return sorted(one.parent.name for one in folder.glob("*/__init__.py") if one.parent.name != "static")


def table(page: str, heading: str) -> list[list[str]]:
    """The cells of the table whose first column is called this."""
    _, _, lines = page.partition(f"\n| {heading} |")
    return [line.strip("| ").split(" | ") for line in lines.partition("\n\n")[0].splitlines()[2:]]


@package
def test_the_map_has_every_room_and_no_other(package: str) -> None:
    named = [cell.strip("`") for cell, _ in table(README, "room")]
    assert sorted(one for one in named if one.startswith(f"{package}/")) == [
        f"{package}/{room}" for room in rooms(ROOT / package)
    ]


def test_the_map_names_the_rooms_of_a_room_beside_it() -> None:
    inner = {cell: rooms(ROOT / cell.strip("`")) for cell, _ in table(README, "room") if cell.startswith("`")}
    assert sum(map(len, inner.values())) > 4
    for cell, holds in table(README, "room"):
        assert {room for room in inner.get(cell, ()) if f"`{room}`" not in holds} == set(), cell


def test_the_page_of_the_library_has_its_rooms() -> None:
    assert sorted(cell.strip("`") for cell, _ in table(LIBRARY, "room")) == rooms(ROOT / "recommender")


def test_what_a_reader_looks_for_leads_to_files() -> None:
    found = {what: re.findall(r"`([\w./]+\.[a-z]+)`", where) for what, where in table(LIBRARY, "to find or change")}
    assert len(found) > 20
    assert {what: files for what, files in found.items() if not files} == {}
    assert [one for files in found.values() for one in files if not (ROOT / "recommender" / one).is_file()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_that_a_page_names_is_there(page: Path) -> None:
    named = re.findall(r"`((?:\.\./|[a-z])[\w./-]*/[\w.-]+\.(?:py|lua|toml|yml|yaml|json|ipynb))`", page.read_text())
    assert [one for one in named if not ((page.parent / one).is_file() or (ROOT / one).is_file())] == []


def test_the_layers_are_those_that_are_checked() -> None:
    said = " ".join((ROOT / "tests/README.md").read_text().split())
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = {one["containers"][0]: " > ".join(one["layers"]) for one in contracts if "containers" in one}
    assert len(layers) == 4
    assert [package for package, order in layers.items() if f"{package} {order} " not in said] == []
    assert layers["recommender"] in " ".join(LIBRARY.split())


def test_every_redis_key_is_named() -> None:
    fixed = [name for name, value in vars(Keys).items() if isinstance(value, property) and not name.startswith("_")]
    names = [API_KEYS, REQUESTS, *(getattr(Keys(""), name).replace("reprise:{}", "…") for name in fixed)]
    assert [name for name in names if f"`{name}`" not in LIBRARY] == []


def test_the_pages_ask_for_the_ids_of_the_demo() -> None:
    assert f"/v1/customers/{CUSTOMER}/recommendations" in README
    assert f"/v1/products/{PRODUCT}/bought-together" in TEXT
    assert set(re.findall(r"/v1/customers/(C\d+)", TEXT)) == {CUSTOMER}


@package
def test_no_room_holds_more_than_twelve_modules(package: str) -> None:
    modules = [path for path in (ROOT / package).rglob("*.py") if path.name != "__init__.py"]
    assert modules
    sizes = Counter(str(path.parent.relative_to(ROOT)) for path in modules)
    assert {room: n for room, n in sizes.items() if n > 12} == {}
