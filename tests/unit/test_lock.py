"""requirements.lock: the versions that were tested are the ones that get installed."""

import re
import tomllib
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LINES = (ROOT / "requirements.lock").read_text().splitlines()
VERSIONS = {canonicalize_name(name): version for name, _, version in (line.partition("==") for line in LINES)}
DEPENDENCIES = sorted({*PROJECT["dependencies"], *chain.from_iterable(PROJECT["optional-dependencies"].values())})


@pytest.mark.parametrize("dependency", DEPENDENCIES)
def test_every_dependency_is_locked_at_a_version_that_it_allows(dependency: str) -> None:
    requirement = Requirement(dependency)
    assert requirement.specifier.contains(VERSIONS[canonicalize_name(requirement.name)])


def test_a_line_is_a_name_and_a_version_without_an_address() -> None:
    assert [line for line in LINES if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.!]+", line)] == []


def test_reprise_itself_is_not_locked() -> None:
    assert canonicalize_name(PROJECT["name"]) not in VERSIONS
