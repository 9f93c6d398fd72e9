"""The option --columns, read and written: OURS=THEIRS, several parted by commas or given one by one."""

import itertools
import re
import shlex
from collections.abc import Iterable, Mapping

_NEXT = re.compile(r",(?=\s*[A-Za-z_]+\s*=)")
"""A comma that begins another OURS=THEIRS: any other is part of a name."""


def parse_columns(options: Iterable[str]) -> dict[str, str]:
    """`("customer_id=Customer ID,product_id=SKU",)` as a dict; the last of several counts.

    A name may hold commas and equals signs. One in double quotes is taken as it stands, blanks and all; a double quote
    in it is written twice.

    Raises:
        ValueError: a part is no OURS=THEIRS; the message names it.
    """
    named = {}
    for part in (part for option in options for part in _parts(option)):
        ours, separator, theirs = part.partition("=")
        if not separator or not theirs.strip():
            raise ValueError(f"{part!r} is not OURS=THEIRS")
        named[ours.strip()] = _unquote(theirs.strip())
    return named


def write_columns(columns: Mapping[str, str], option: str = "--columns") -> str:
    """The options that name these columns, as they are typed in a shell; empty for none."""
    return " ".join(f"{option} {ours}={shlex.quote(_quote(theirs))}" for ours, theirs in columns.items())


def _parts(option: str) -> list[str]:
    """An option split at the commas that begin another part, which no quoted name does."""
    quoted = re.compile(r'=\s*"(?:[^"]|"")*"')
    hidden = quoted.sub(lambda found: "=" + "\0" * (len(found[0]) - 1), option)
    cuts = [0, *(found.end() for found in _NEXT.finditer(hidden)), len(option) + 1]
    return [option[begin : end - 1] for begin, end in itertools.pairwise(cuts)]


def _unquote(name: str) -> str:
    if len(name) > 2 and name[0] == name[-1] == '"':
        return name[1:-1].replace('""', '"')
    return name


def _quote(name: str) -> str:
    """A name as `_unquote` and `_parts` read it back."""
    plain = name == name.strip() and not name.startswith('"') and not _NEXT.search(name)
    return name if plain else '"' + name.replace('"', '""') + '"'
