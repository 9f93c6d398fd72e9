"""Changes of a placement as a form asks for them: limits, a new pin, boost or block, or one that goes."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from api.console.refusals import RefusedError
from recommender.events.values import MAX_ID_LENGTH
from recommender.slate.placements import ABSOLUTE_CAP, MOST_RULES, Placement

RULES = ("pins", "boosts", "blocks")
FIELDS = (
    "op", "placement", "cap", "default_limit", "max_per_category", "min_probability", "mix", "of", "target", "position",
    "factor", "from", "until", "index",
)  # fmt: skip
"""What such a form may hold."""
_UP_TO_THE_CAP = {"least": 1, "most": ABSOLUTE_CAP}
ALLOWED: Mapping[str, tuple[str, Mapping[str, int]]] = {
    "cap": ("between", _UP_TO_THE_CAP),
    "default_limit": ("between", _UP_TO_THE_CAP),
    "position": ("between", _UP_TO_THE_CAP),
    "max_per_category": ("at_least", {"least": 1}),
    "min_probability": ("share", {"least": 0, "most": 100}),
    "factor": ("over_nothing", {"most": 100}),
    "mix": ("choice", {}),
    "from": ("moment", {}),
    "until": ("moment", {}),
    "target": ("id", {"most": MAX_ID_LENGTH}),
}
"""Of each field, the word of what it may hold, and its values."""
_NAMES = {"product_id": "target", "category": "target"}
_OF_THE_OTHER_KIND = ("missing", "extra_forbidden")
"""What pydantic says of a rule of a product that is read as one of a category, and the other way round."""


def changed(placement: Placement, form: Mapping[str, str]) -> Placement:
    """The placement after the change that `form` asks for.

    Raises RefusedError: it asks for nothing that can be, and says what.
    """
    op, document = form.get("op", ""), placement.model_dump(mode="json")
    if op == "limits":
        document |= _limits(form)
    elif op in RULES:
        document[op] = [*document[op], _rule(op, form)]
    elif op.removeprefix("remove-") in RULES:
        document[op.removeprefix("remove-")].pop(_index(form, op, document))
    else:
        raise RefusedError("op")
    try:
        after = Placement.model_validate(document)
    except ValidationError as error:
        raise _refusal(error) from None
    if op in RULES and not getattr(after, op)[-1].may_hold:
        raise RefusedError("never")
    return after


def _refusal(error: ValidationError) -> RefusedError:
    found = [one for one in error.errors() if one["type"] not in _OF_THE_OTHER_KIND]
    for one in found:
        for part in reversed(one["loc"]):
            name = _NAMES.get(str(part), str(part))
            if name in ALLOWED:
                return _wrong(name)
    too_many = any(one["type"] == "too_long" for one in found)
    return RefusedError("too_many_rules", n=MOST_RULES) if too_many else RefusedError("over_the_cap")


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
        raise _wrong("target")
    by_category = op != "pins" and form.get("of") == "category"
    rule: dict[str, Any] = {"category" if by_category else "product_id": target}
    rule |= {name: f"{form[name]}Z" for name in ("from", "until") if form.get(name)}
    if op == "pins":
        rule["position"] = _whole(form, "position")
    if op == "boosts":
        rule["factor"] = _number(form, "factor")
    return rule


def _index(form: Mapping[str, str], op: str, document: Mapping[str, Any]) -> int:
    text, n = form.get("index", ""), len(document[op.removeprefix("remove-")])
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) < n):
        raise RefusedError("rule_gone")
    return int(text)


def _whole(form: Mapping[str, str], name: str) -> int | None:
    text = form.get(name, "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise _wrong(name)
    return int(text)


def _number(form: Mapping[str, str], name: str) -> float | None:
    text = form.get(name, "").strip().replace(",", ".")
    try:
        return float(text) if text else None
    except ValueError:
        raise _wrong(name) from None


def _wrong(field: str) -> RefusedError:
    word, values = ALLOWED[field]
    return RefusedError(word, field=field, **values)
