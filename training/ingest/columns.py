"""The columns of a purchase file: which of its names stands for which of ours."""

import difflib
from collections.abc import Mapping, Sequence

from recommender.errors import MissingColumnError, UsageError
from training.ingest.schema import PURCHASE_COLUMNS, REQUIRED


def take_columns(
    seen: Sequence[str], known: Mapping[str, Sequence[str]], named: Mapping[str, str], file: str
) -> dict[str, str]:
    """The file's column for each of ours.

    Args:
        seen: the file's columns.
        known: our name → names that the format may use, best first.
        named: our name → the file's name, as the caller says; wins over `known`.
        file: for messages.

    Raises:
        UsageError: `named` has a name that is not ours.
        MissingColumnError: a required or named column is not in the file.
    """
    for ours in named:
        if ours not in PURCHASE_COLUMNS:
            raise UsageError(f"{ours!r} is not a column of ours; name one of {', '.join(PURCHASE_COLUMNS)}")
    taken: dict[str, str] = {}
    for ours in PURCHASE_COLUMNS:
        wanted = (named[ours],) if ours in named else tuple(known.get(ours, ()))
        theirs = next((name for name in wanted if name in seen), None)
        if theirs is not None:
            taken[ours] = theirs
        elif ours in REQUIRED or ours in named:
            raise MissingColumnError(_missing(ours, wanted, seen, file))
    return taken


def _missing(ours: str, wanted: Sequence[str], seen: Sequence[str], file: str) -> str:
    shown = ", ".join(repr(name[:60]) for name in seen[:30]) or "none"
    near = _nearest([*wanted, ours], seen)
    hint = f"nearest is {near!r}: try --columns {ours}={near!r}" if near else f"name it with --columns {ours}=…"
    expected = " or ".join(repr(name) for name in wanted) or repr(ours)
    return f"{file} has no column {expected} for {ours}; its columns are {shown}; {hint}, or choose another --format"


def _nearest(wanted: Sequence[str], seen: Sequence[str]) -> str | None:
    plain = {name.lower().replace(" ", "_"): name for name in reversed(seen)}
    for name in wanted:
        if close := difflib.get_close_matches(name.lower().replace(" ", "_"), plain, n=1, cutoff=0.5):
            return plain[close[0]]
    return None
