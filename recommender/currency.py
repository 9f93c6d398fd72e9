"""Currency codes of ISO 4217, today's and those of the past."""

from functools import cache
from typing import Annotated, Any

from pydantic import AfterValidator, Field

_NONE = {"XTS", "XXX"}
"""Codes for tests, and for no currency."""


@cache
def currencies() -> frozenset[str]:
    """Every code: three capital letters each."""
    from babel.core import get_global  # noqa: PLC0415 - read only where somebody names a currency

    return frozenset(get_global("all_currencies")) - _NONE


def not_a_currency(code: str) -> str:
    """What is wrong with a code that is none, and the remedy."""
    return f"{code[:20]!r} is no currency code of ISO 4217; write three capital letters, such as EUR"


def check_currency(code: str) -> str:
    """The same code. Raises ValueError where it is none."""
    if code not in currencies():
        raise ValueError(not_a_currency(code))
    return code


def _name_codes(schema: dict[str, Any]) -> None:
    schema["enum"] = sorted(currencies())


CurrencyCode = Annotated[str, Field(json_schema_extra=_name_codes), AfterValidator(check_currency)]
"""The type of a field that holds a code."""
