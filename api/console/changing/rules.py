"""Changes of a placement as a form asks for them: limits, a new pin, boost or block, or one that goes."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from recommender.errors import InvalidRequestError
from recommender.slate.placements import Placement

RULES = ("pins", "boosts", "blocks")
FIELDS = (
    "op", "placement", "cap", "default_limit", "max_per_category", "min_probability", "mix", "of", "target", "position",
    "factor", "from", "until", "index",
)  # fmt: skip
"""What such a form may hold."""


def changed(placement: Placement, form: Mapping[str, str]) -> Placement:
    """The placement after the change that `form` asks for.

    Raises InvalidRequestError: it asks for nothing that can be, and the message says what.
    """
    op, document = form.get("op", ""), placement.model_dump(mode="json")
    if op == "limits":
        document |= _limits(form)
    elif op in RULES:
        document[op] = [*document[op], _rule(op, form)]
    elif op.removeprefix("remove-") in RULES:
        document[op.removeprefix("remove-")].pop(_index(form, op, document))
    else:
        raise _wrong("op", f"no change is called {op[:40]!r}")
    try:
        return Placement.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        field = str(first["loc"][-1]) if first["loc"] else "default_limit"
        raise _wrong(field, first["msg"]) from None


def _limits(form: Mapping[str, str]) -> dict[str, Any]:
    share = _number(form, "min_probability")
    return {
        "cap": _whole(form, "cap"),
        "default_limit": _whole(form, "default_limit"),
        "max_per_category": _whole(form, "max_per_category"),
        "min_probability": 0.0 if share is None else share / 100,
        "mix": form.get("mix") or "auto",
    }


def _rule(op: str, form: Mapping[str, str]) -> dict[str, Any]:
    target = form.get("target", "").strip()
    if not target:
        raise _wrong("target", "name a product or a category")
    by_category = op != "pins" and form.get("of") == "category"
    rule: dict[str, Any] = {"category" if by_category else "product_id": target}
    rule |= {name: f"{form[name]}:00Z"[:20] for name in ("from", "until") if form.get(name)}
    if op == "pins":
        rule["position"] = _whole(form, "position")
    if op == "boosts":
        rule["factor"] = _number(form, "factor")
    return rule


def _index(form: Mapping[str, str], op: str, document: Mapping[str, Any]) -> int:
    index = _whole(form, "index")
    if index is None or not 0 <= index < len(document[op.removeprefix("remove-")]):
        raise _wrong("index", "there is no such rule")
    return index


def _whole(form: Mapping[str, str], name: str) -> int | None:
    text = form.get(name, "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise _wrong(name, "should be a whole number")
    return int(text)


def _number(form: Mapping[str, str], name: str) -> float | None:
    text = form.get(name, "").strip().replace(",", ".")
    try:
        return float(text) if text else None
    except ValueError:
        raise _wrong(name, "should be a number") from None


def _wrong(field: str, message: str) -> InvalidRequestError:
    return InvalidRequestError(f"{field}: {message}", [{"field": field, "message": message}])
