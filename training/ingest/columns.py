"""The columns of a purchase or product file: which of its names stands for which of ours.

A name counts as it stands, or where it differs in case, blanks, punctuation or accents alone and no other does. What is
only a synonym, in any language, is proposed and never taken.
"""

import re
import shlex
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from recommender.errors import MissingColumnError, UsageError
from recommender.reading import FormatSettings
from training.cells.findings import Note
from training.ingest.formats.format import make_format
from training.ingest.formats.known import FORMATS
from training.ingest.headers.column_options import write_columns
from training.ingest.headers.folding import fold
from training.ingest.headers.proposals import Proposal, first_filled, propose_columns
from training.ingest.headers.siblings import find_sibling
from training.ingest.products.product_formats import OUR_OWN, product_format
from training.ingest.schema import CATALOGUE, PURCHASE_COLUMNS, REQUIRED

_SHOWN = 30
_DATA = re.compile(r"[\d.,:/ T+-]*\d[\d.,:/ T+-]*Z?$|[^@\s]+@[^@\s]+\.\w+$")
"""What is no name of a column: a number, a date, an e-mail address."""
_Names = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Kind:
    """What kind of file a header belongs to.

    Attributes:
        names: our columns.
        required: those that must be there.
        option: of the command line, by which columns are named.
        setting: the same in `[reading]`.
        synonyms: names of the files of synonyms (`training.ingest.headers.synonyms`).
    """

    names: Sequence[str]
    required: Sequence[str]
    option: str
    setting: str
    synonyms: str


PURCHASES = Kind(PURCHASE_COLUMNS, REQUIRED, "--columns", "columns", "synonyms")
PRODUCTS = Kind(CATALOGUE.names(), ("product_id",), "--product-columns", "product_columns", "products")


def side_kind(names: Sequence[str], required: Sequence[str], option: str) -> Kind:
    """A list of customers, addresses, assignments or events, whose columns an option names."""
    return Kind(names, required, option, "columns", "side")


def take_own_columns(seen: Sequence[str], named: Mapping[str, str], file: str, kind: Kind) -> dict[str, str]:
    """`take_columns` of a file that has only our own names."""
    return take_columns(seen, {name: (name,) for name in kind.names}, named, file, kind)


def take_columns(
    seen: Sequence[str],
    known: _Names,
    named: Mapping[str, str],
    file: str,
    kind: Kind = PURCHASES,
    *,
    formats: Mapping[str, FormatSettings] = FORMATS,
) -> dict[str, str]:
    """The file's column for each of ours.

    Args:
        seen: the file's columns.
        known: our name → names that the format may use, best first.
        named: our name → the file's name, as the caller says; wins over `known`.
        file: for messages.
        kind: of the file.
        formats: those that may fit the header better.

    Raises:
        UsageError: `named` has a name that is not ours.
        MissingColumnError: a required or named column is not in the file, or two are called so; its `proposed` says
            what could be meant.
    """
    for ours in named:
        if ours not in kind.names:
            raise UsageError(f"{ours!r} is not a column of ours; name one of {', '.join(kind.names)}")
    wanted = {ours: (named[ours],) if ours in named else tuple(known.get(ours, ())) for ours in kind.names}
    found = {ours: find_column(names, seen) for ours, names in wanted.items()}
    taken = {ours: theirs for ours, theirs in found.items() if theirs is not None}
    needed = {*kind.required, *named}
    if needed <= taken.keys():
        return taken
    guess = kind is PURCHASES and named.keys() <= taken.keys()
    fitting = fitting_formats(seen, file, known, formats) if guess else {}
    raise _refusal(seen, wanted, needed, file, kind=kind, fitting=fitting)


def find_column(names: Sequence[str], seen: Sequence[str]) -> str | None:
    """The first of these names that is there, else the only column that differs in no letter or digit; else None."""
    exact = next((name for name in names if name in seen), None)
    if exact is not None:
        return exact
    alike = (_alike(name, seen) for name in names)
    return next((columns[0] for columns in alike if len(columns) == 1), None)


def _alike(name: str, seen: Sequence[str]) -> list[str]:
    folded = fold(name)
    return [column for column in seen if folded and fold(column) == folded]


def header_notes(
    taken: Mapping[str, str], seen: Sequence[str], known: _Names, named: Mapping[str, str], kind: Kind = PURCHASES
) -> list[Note]:
    """What was taken although it is written otherwise, and what is not read although it could be meant."""
    notes = [
        Note("column_taken", f"{ours}: column {theirs!r} is taken for it")
        for ours, theirs in taken.items()
        if theirs not in (*known.get(ours, ()), named.get(ours))
    ]
    free = [column for column in seen if column not in taken.values()]
    wanted = {ours: known.get(ours, ()) for ours in kind.names if ours not in taken}
    synonyms = {ours: each for ours, each in propose_columns(free, wanted, kind.synonyms).items() if each.plain}
    return notes + [
        Note(
            "column_not_read",
            f"column {each.column!r} is not read; where it holds {ours} ({each.why}), "
            f"add {write_columns({ours: each.column}, kind.option)}",
        )
        for ours, each in synonyms.items()
    ]


def first_cells(frame: pl.LazyFrame, taken: Mapping[str, str]) -> dict[str, str]:
    """Our column → the first filled cell of the one it was taken for, in the head of the source; none where empty."""
    head = frame.select(pl.col(theirs).cast(pl.String).alias(ours) for ours, theirs in taken.items()).head(1_000)
    firsts = head.collect(engine="streaming").select(pl.all().drop_nulls().first())
    return {ours: cell for ours, cell in firsts.row(0, named=True).items() if cell is not None}


def _refusal(
    seen: Sequence[str], wanted: _Names, needed: Collection[str], file: str, *, kind: Kind, fitting: Mapping[str, str]
) -> MissingColumnError:
    """The error that names all that is not there as it is written, and proposes for all of it."""
    exact = {name for ours in wanted for name in seen if name in wanted[ours]}
    absent = [ours for ours in wanted if not exact & set(wanted[ours])]
    missing = [ours for ours in absent if ours in needed]
    named = (" or ".join(map(repr, wanted[ours] or (ours,))) + _meant(ours, wanted[ours]) for ours in missing)
    more = f" and {len(seen) - _SHOWN:,} more" if len(seen) > _SHOWN else ""
    problem = f"{file} has no column {', '.join(named)}; its columns are {_list(seen[:_SHOWN]) or 'none'}{more}"
    for columns in (_alike(name, seen) for ours in missing for name in wanted[ours]):
        problem += f"; {_list(columns)} differ in no letter, so say which is meant" if len(columns) > 1 else ""
    if any(_DATA.match(name.strip()) for name in seen):
        problem += "; its first line looks like a purchase, so write a header line above it"
    if kind is PURCHASES and (feed := product_format(seen)) is not OUR_OWN:
        problem += f"; this is a header of {feed.about}, which --products reads beside the purchases"
    if fitting:
        about = ", or ".join(f"{what or 'your own format'} (--format {name})" for name, what in fitting.items())
        problem += f"; this is a header of {about}"
        first = next(iter(fitting))
        return MissingColumnError(problem, f"--format {first}", {"format": first})
    objects = {name.rpartition(".")[0] for name in seen}
    free = [name for name in seen if name not in exact | objects]
    found = propose_columns(free, {ours: wanted[ours] for ours in (*missing, *absent)}, kind.synonyms)
    proposals = {ours: each for ours, each in found.items() if ours in missing or each.plain}
    taken = {ours: first_filled(each) if ours == "customer_id" else each.column for ours, each in proposals.items()}
    lacking = [ours for ours in missing if ours not in taken]
    blanks = [f"{kind.option} {ours}=…" for ours in lacking]
    if kind is PURCHASES and lacking and (sibling := find_sibling(Path(file), seen, wanted, lacking)):
        folder = shlex.quote(str(Path(file).parent))
        return MissingColumnError(
            f"{problem}; {sibling.file!r} beside it has the rest under the same {sibling.key!r}: to join both, begin "
            f"reprise.toml with the line {sibling.format} and run: reprise doctor {folder} --format shop"
        )
    hints = "".join(f"; {_hint(ours, each)}" for ours, each in proposals.items())
    options = " ".join([write_columns(taken, kind.option), *blanks]).strip()
    reasons = {ours: each.why for ours, each in proposals.items()}
    proposed: dict[str, object] = {} if blanks else {kind.setting: taken}
    return MissingColumnError(problem + hints, options, proposed, reasons)


def _hint(ours: str, proposal: Proposal) -> str:
    others = f", or {_list(proposal.others[:3])}" if proposal.others else ""
    return f"for {ours} nearest is {proposal.column!r} ({proposal.why}){others}"


def _list(names: Iterable[str]) -> str:
    return ", ".join(repr(name[:60]) for name in names)


def _meant(ours: str, names: Sequence[str]) -> str:
    return "" if tuple(names) in {(), (ours,)} else f" for {ours}"


def fitting_formats(
    seen: Sequence[str], file: str, known: Mapping[str, Sequence[str]], formats: Mapping[str, FormatSettings] = FORMATS
) -> dict[str, str]:
    """Formats whose header this is, or to whose files the file belongs with those beside it: name → what it is.

    Args:
        seen: the file's columns.
        file: its path.
        known: the names that were tried; a format that has the same is not named again.
        formats: to choose from, the likeliest first.
    """
    path = Path(file)
    beside = {each.name.split(".")[0] for each in path.parent.iterdir()} if path.is_file() else set()
    tried = known.items()
    others = [make_format(name, each) for name, each in formats.items() if not each.columns.items() <= tried]
    fitting = [each for each in others if each.fits(seen) or (not each.alone and each.has_files(beside))]
    return {each.name: each.about for each in fitting}
