"""Values as shops write them in JSON: ids that are whole numbers, decimals that are text."""

import re
from typing import Annotated

from pydantic import BeforeValidator, Field

MAX_ID_LENGTH = 512
_EXACT = 2**53
"""Whole numbers under it are exact as floats."""
_DECIMAL = re.compile(r"[0-9]{1,13}(\.[0-9]{1,9})?")


def id_text(value: object) -> object:
    """A whole number as the text of an id: many shops number their products and customers."""
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:  # 42.0; a larger one may be another id
        value = int(value)
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _decimal(value: object) -> object:
    """A decimal in text as its number: many shops write prices so, to keep their cents."""
    if not isinstance(value, str):
        return value
    if not _DECIMAL.fullmatch(value):
        raise ValueError("should be a number, such as 4.50")
    return float(value)


_Text = Annotated[str, Field(min_length=1, max_length=MAX_ID_LENGTH)]
_DecimalText = Annotated[str, Field(pattern=f"^{_DECIMAL.pattern}$")]
_Quantity = Annotated[float, Field(strict=True, gt=0, le=1e9)]
_Price = Annotated[float, Field(strict=True, ge=0, le=1e12)]
ShopsId = Annotated[_Text, BeforeValidator(id_text, json_schema_input_type=_Text | int)]
"""An id of the shop's own, as text; a whole number is read as its digits."""
Quantity = Annotated[_Quantity, BeforeValidator(_decimal, json_schema_input_type=_Quantity | _DecimalText)]
"""How many or how much, over 0; a decimal may be text."""
Price = Annotated[_Price, BeforeValidator(_decimal, json_schema_input_type=_Price | _DecimalText)]
"""A price, not under 0; a decimal may be text."""
