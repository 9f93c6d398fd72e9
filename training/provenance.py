"""Provenance of a version: the settings and the packages that decide what a training learns."""

from collections.abc import Iterator, Mapping
from importlib.metadata import version
from typing import Any

from recommender import DISTRIBUTION

TRAINING_SETTINGS = {"als", "gate_tolerance", "horizon_days", "list_length", "own_half_life_days", "seed"}
"""Fields of `Settings`; the others change no list."""
_LIBRARIES = ("implicit", "numpy", "polars", "scikit-learn", "scipy")


def package_versions() -> dict[str, str]:
    """Installed version by package; our own is called `reprise`, whatever it is distributed as."""
    return {"reprise": version(DISTRIBUTION)} | {name: version(name) for name in _LIBRARIES}


def flatten(nested: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Names and texts of what is nested, sorted: `als.factors`, `64`."""
    for name, value in sorted(nested.items()):
        if isinstance(value, Mapping):
            yield from flatten(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", str(value)
