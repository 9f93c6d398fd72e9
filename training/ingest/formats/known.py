"""Known formats: those that come with Reprise and those of the settings."""

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from importlib.resources import files

from recommender.errors import UsageError
from recommender.reading import FormatSettings
from training.ingest.formats.format import Format, make_format


def _built_in() -> dict[str, FormatSettings]:
    texts = {
        file.name.removesuffix(".toml"): file for file in files(__package__).iterdir() if file.name.endswith(".toml")
    }
    found = {
        name: FormatSettings.model_validate(tomllib.loads(file.read_text("utf-8"))) for name, file in texts.items()
    }
    return dict(sorted(found.items(), key=lambda each: (each[1].data_set, each[0])))


FORMATS: Mapping[str, FormatSettings] = _built_in()
"""Those that come with Reprise, by name; those of public data sets last."""


def find_format(name: str, own: Mapping[str, FormatSettings] | None = None) -> Format:
    """The format of a name.

    Args:
        name: of a format of the settings, or else of one that comes with Reprise.
        own: those of the settings.

    Raises:
        UsageError: there is none, or it is wrong.
    """
    known = {**(own or {}), **{each: FORMATS[each] for each in FORMATS if each not in (own or {})}}
    if name not in known:
        raise UsageError(f"no format {name!r}; there are: {', '.join(known)}")
    return replace(make_format(name, known[name]), known=known)
