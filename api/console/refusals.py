"""Refusals: errors in the words of the console, whichever language these are of."""

from typing import Any

from api.console.words import Words
from recommender.errors import ForbiddenError, InvalidRequestError, RepriseError, RequestError, StoreError


class WordedError(RequestError):
    """An error whose sentence is the word `refused.WORD`, filled with `values`; a `field` by its own word."""

    def __init__(self, word: str, **values: Any) -> None:
        self.word = word
        self.values = values
        Exception.__init__(self, self.told(Words("en")))

    def told(self, words: Words) -> str:
        """The sentence."""
        field = self.values.get("field")
        more = {} if field is None else {"field": words(f"fields.{field}")}
        return words(f"refused.{self.word}", **{**self.values, **more})


class RefusedError(WordedError, InvalidRequestError):
    """What a form asks for cannot be."""

    errors = ()  # type: ignore[assignment]


class BarredError(WordedError, ForbiddenError):
    """Whoever asks may not do this."""


class UnnotedError(WordedError, StoreError):
    """What was asked for is done, but the log of actions lacks it."""


def tell(error: RepriseError, words: Words) -> str:
    """An error as people read it. The library's own message is English, and may name servers: it is for the log."""
    if isinstance(error, WordedError):
        return error.told(words)
    return words(f"errors.{error.code}" if words.find(f"errors.{error.code}") else "errors.other")
