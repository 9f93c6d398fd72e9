"""The search space of tuning: ranges, and points as settings, as parameters and as a settings file."""

import json
from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any, TypeVar

from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from pydantic import BaseModel

from recommender.settings import Settings

Range = IntDistribution | FloatDistribution | CategoricalDistribution
SearchPoint = tuple[Any, ...]
"""The values of the settings in SPACE, in its order."""

SPACE: Mapping[str, Range] = {
    "als.factors": IntDistribution(16, 256, log=True),
    "als.regularization": FloatDistribution(0.1, 100, log=True),
    "als.alpha": FloatDistribution(0.3, 30, log=True),
    "als.weighting": CategoricalDistribution(("binary", "log")),
    "als.half_life_days": FloatDistribution(5, 365, log=True),
    "own_half_life_days": FloatDistribution(30, 730, log=True),
}
"""Setting → range. Today's values may lie outside."""

_Model = TypeVar("_Model", bound=BaseModel)


def point_of(settings: Settings) -> SearchPoint:
    """The point of the values of `settings`."""
    return tuple(reduce(getattr, path.split("."), settings) for path in SPACE)


def with_point(settings: Settings, point: SearchPoint) -> Settings:
    """`settings` with the values of `point`."""
    for path, value in named(point).items():
        settings = _replaced(settings, path.split("."), value)
    return settings


def named(point: SearchPoint) -> dict[str, Any]:
    """Value by setting."""
    return dict(zip(SPACE, point, strict=True))


def params_of(point: SearchPoint) -> dict[str, Any]:
    """Parameters of the sampler: by setting the value in the range that is nearest to the point's."""
    return {path: _nearest(SPACE[path], value) for path, value in named(point).items()}


def rounded(params: Mapping[str, Any]) -> SearchPoint:
    """The point of the sampler's parameters, rounded to three digits, so that the file stays readable."""
    values = (params[path] for path in SPACE)
    return tuple(float(f"{value:.3g}") if isinstance(value, float) else value for value in values)


def to_toml(point: SearchPoint, comment: Sequence[str] = ()) -> str:
    """A settings file with what differs from the defaults; only the lines of `comment` where nothing does."""
    defaults = named(point_of(Settings.model_construct()))
    tables: dict[str, list[str]] = {"": []}
    for path, value in named(point).items():
        table, _, key = path.rpartition(".")
        if value != defaults[path]:
            tables.setdefault(table, []).append(f"{key} = {json.dumps(value)}")
    lines = [f"# {line}" for line in comment] + tables.pop("")
    for table, entries in tables.items():
        lines += ["", f"[{table}]", *entries]
    return "\n".join(lines) + "\n"


def _replaced(model: _Model, keys: Sequence[str], value: Any) -> _Model:
    key, *deeper = keys
    return model.model_copy(update={key: _replaced(getattr(model, key), deeper, value) if deeper else value})


def _nearest(among: Range, value: Any) -> Any:
    if isinstance(among, CategoricalDistribution):
        return value
    return min(max(value, among.low), among.high)
