"""Letters, digits and blanks that are written in more than one way, and one way to write each."""

import re
import unicodedata

import polars as pl

_ZEROS = (
    *(0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6, 0x0D66),
    *(0x0E50, 0x0ED0, 0x0F20, 0x1040, 0x17E0, 0x1810, 0xFF10),
)
"""Digit 0 of each script that writes numbers in tens; 1 to 9 follow it."""
_DIGITS = {chr(zero + digit): str(digit) for zero in _ZEROS for digit in range(10)}
_INVISIBLE = (0x00AD, 0x061C, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0xFEFF)
_BLANKS = (0x09, 0xA0, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000)
_DASHES = (0x2010, 0x2011, 0x2012, 0x2013, 0x2014, 0x2212, 0xFE63, 0xFF0D)
_SIGNS = {"\uff0f": "/", "\uff0e": ".", "\uff1a": ":", "\uff0c": ",", "\u060c": ",", "\u2044": "/", "\u2019": "'"}
_SIGNS |= dict.fromkeys("\u066c\u00b4`", "'")
"""Signs of other scripts and keyboards; three of them stand between thousands."""
_PLAIN = (
    _DIGITS
    | dict.fromkeys(map(chr, _INVISIBLE), "")
    | dict.fromkeys(map(chr, _BLANKS), " ")
    | dict.fromkeys(map(chr, _DASHES), "-")
    | _SIGNS
)
_LETTERS = str.maketrans("يىكةۀأإآٱ", "ییکههاااا", "ـ" + "".join(map(chr, _INVISIBLE)))
_NOT_ASCII = r"[^ -~]"
_EXAMPLES = 3


def plain_text(cell: pl.Expr) -> pl.Expr:
    """Text of digits and signs as ASCII has them: ۱۲ as 12, a dash as -, any blank as a blank; trimmed."""
    return cell.cast(pl.String).str.replace_many(_PLAIN).str.strip_chars()


def plain_series(cells: pl.Series) -> pl.Series:
    """`plain_text` of a column of text, at little cost where it is ASCII."""
    if not cells.str.contains(_NOT_ASCII).any():
        return cells.str.strip_chars()
    return cells.to_frame("cell").select(plain_text(pl.col("cell")))["cell"]


def fold_letters(text: str) -> str:
    """Text in which letters that are written in two ways are one: Arabic and Persian ي and ك, and no joiners."""
    return unicodedata.normalize("NFKC", text).casefold().translate(_LETTERS)


def fold_marks(text: str) -> str:
    """Text of small letters without marks, as names of months are looked up: `Août` is `aout`."""
    apart = unicodedata.normalize("NFKD", fold_letters(text))
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


def look_alikes(ids: pl.Series) -> list[tuple[str, ...]]:
    """Ids that differ only in letters or digits that are written in two ways, as groups; [] where there are none.

    Args:
        ids: distinct text.
    """
    odd = ids.filter(ids.str.contains(_NOT_ASCII))
    if odd.is_empty():
        return []
    folded = {one: _fold_id(one) for one in odd}
    plain = ids.filter(ids.is_in(list(set(folded.values())))).to_list()
    groups: dict[str, set[str]] = {}
    for one in (*folded, *plain):
        groups.setdefault(folded.get(one, one), set()).add(one)
    return sorted(tuple(sorted(group)) for group in groups.values() if len(group) > 1)


def describe_look_alikes(groups: list[tuple[str, ...]]) -> str:
    """Some groups of ids in words, each id with the code points of its letters that are not ASCII."""
    shown = "; ".join(" and ".join(map(_spelled, group)) for group in groups[:_EXAMPLES])
    return shown + ("; …" if len(groups) > _EXAMPLES else "")


def _fold_id(one: str) -> str:
    # case tells ids apart, so it stays
    folded = unicodedata.normalize("NFKC", one).translate(_LETTERS)
    return "".join(_DIGITS.get(letter, letter) for letter in folded)


def _spelled(one: str) -> str:
    return repr(re.sub(r"[^ -~]", lambda letter: f"{letter[0]}(U+{ord(letter[0]):04X})", one))
