"""Words of cells such as statuses and events, folded: case, accents and ways of writing a letter do not count."""

# ruff: noqa: RUF001 - letters of other scripts are meant

import re
import unicodedata

_LETTERS = str.maketrans("łøıيىكة", "loiییکه", "\u0640")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_BETWEEN = re.compile(r"[\W_\u200c\u200d]+")


def fold_words(text: str) -> tuple[str, ...]:
    """The words of a text in lower case, without accents and marks: `Order_Canceled` gives `order`, `canceled`.

    Letters that Arabic and Persian write in two ways become one. An empty text has no words.
    """
    plain = unicodedata.normalize("NFKD", _CAMEL.sub(" ", text).casefold())
    letters = "".join(letter for letter in plain if not unicodedata.combining(letter)).translate(_LETTERS)
    return tuple(word for word in _BETWEEN.split(letters) if word)
