"""Folding of names: what is left where case, blanks, punctuation, accents and twofold letters do not count."""

import unicodedata
from functools import lru_cache

_ONE_LETTER = str.maketrans(
    {
        **dict.fromkeys("يىۍ", "ی"),
        "ك": "ک",
        "\u0629": "\u0647",  # te marbuta, he
        "ؤ": "و",
        "\u0131": "i",  # without its dot, as in Turkish
        "ł": "l",
        "ø": "o",
        "æ": "ae",
        "œ": "oe",
        "đ": "d",
        "№": "n",
    }
)
"""Letters that are no composition and are written in two ways, as they come out of the decomposition."""


@lru_cache(maxsize=16_384)
def fold(name: str) -> str:
    """The letters and digits of a name, in lower case and without accents; empty where there are none."""
    plain = unicodedata.normalize("NFKD", name.translate(_ONE_LETTER).casefold()).translate(_ONE_LETTER)
    return "".join(sign for sign in plain if sign.isalnum())


def spellings(name: str) -> set[str]:
    """A name folded, and as it is where umlauts are written with an e."""
    written_out = name.casefold()
    for umlaut, letters in (("ä", "ae"), ("ö", "oe"), ("ü", "ue")):
        written_out = written_out.replace(umlaut, letters)
    return {fold(name), fold(written_out)}
