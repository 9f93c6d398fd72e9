"""Reference tables of the pages, made from the code: `make docs` writes them, and `tests/test_readme.py` compares.

A table stands between two comments, `<!-- settings: made by make docs -->` and `<!-- end -->`.
"""

import ast
import importlib
import inspect
import itertools
import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from prometheus_client import REGISTRY
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from api import create_app
from api.schemas.events import event_table
from api.security.permissions import Permission, access_of
from api.web.problems import STATUS
from recommender import errors, retention
from recommender.cli.main import COMMANDS
from recommender.days import SECONDS_PER_DAY
from recommender.events.event import Event
from recommender.reading import ReadingOptions
from recommender.redis.keys import Keys
from recommender.settings import ENV_PREFIX, AlsSettings, MailSettings, Settings
from recommender.slate.placements import DEFAULT_PLACEMENTS, Placement
from recommender.storage.api_keys import SCOPES
from tests.fakes.shops import MemoryShopStorage
from tests.fakes.versions import MemoryVersionStore

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / name
    for name in (
        "README.md",
        "training/README.md",
        "training/campaigns/README.md",
        "api/README.md",
        "api/deploy/README.md",
        "recommender/README.md",
        "tests/README.md",
    )
]
_SECTION = re.compile(r"(<!-- ([a-z_]+): made by make docs -->\n).*?(<!-- end -->)", re.DOTALL)
_NESTED: dict[str, type[BaseModel]] = {"als": AlsSettings, "mail": MailSettings, "reading": ReadingOptions}
"""Settings that are tables of their own."""


def refresh(text: str) -> str:
    """A page with its tables as the code says now."""
    return _SECTION.sub(lambda found: f"{found[1]}{SECTIONS[found[2]]()}\n{found[3]}", text)


def settings() -> str:
    """Every setting: its variable, default and meaning."""
    rows = []
    for name, field in Settings.model_fields.items():
        if name in _NESTED:
            inner = _NESTED[name]
            rows += [(f"{name}__{key}", one.default, _meanings(inner)[key]) for key, one in inner.model_fields.items()]
        else:
            rows.append((name, field.default, _meanings(Settings)[name]))
    shown = [(f"`{ENV_PREFIX}{name.upper()}`", _default(value), meaning) for name, value, meaning in rows]
    return _table(("environment", "default", "meaning"), shown)


def commands() -> str:
    """Every command: what it does, and the first example of its `--help`."""
    rows = []
    for name, (module, does) in sorted(COMMANDS.items()):
        text = inspect.cleandoc(importlib.import_module(module).command.help or "")
        example = re.search(r"Example:\n\s*(reprise [^\n\\]*)", text)
        rows.append((f"`reprise {name}`", does.rstrip("."), f"`{example[1].strip()}`" if example else ""))
    return _table(("command", "does", "for example"), rows)


def routes() -> str:
    """Every route: what it does, and who may call it."""
    rows = [(name, _first_line(view), _callers(access_of(view))) for name, view in _views()]
    return _table(("route", "does", "opened by"), rows)


def scopes() -> str:
    """Every scope of secret keys: the routes that it opens."""
    opened: dict[str, list[str]] = {scope: [] for scope in SCOPES}
    for name, view in _views():
        access = access_of(view)
        for scope in access.scopes if access is not None and not access.keyless else ():
            opened[scope].append(name)
    return _table(("scope", "opens"), [(f"`{scope}`", ", ".join(names)) for scope, names in opened.items()])


def _views() -> list[tuple[str, Callable[..., Any]]]:
    """Method, path and view of every route."""
    app = create_app(Settings(), MemoryShopStorage({"default": MemoryVersionStore()}))
    found = []
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: (rule.rule.split("/")[1] != "v1", rule.rule)):
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        methods = " ".join(sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}))
        found.append((f"{methods} `{path}`", app.view_functions[rule.endpoint]))
    return found


def problems() -> str:
    """Every error that has a status of its own, by status."""
    rows = []
    for kind in vars(errors).values():
        if inspect.isclass(kind) and issubclass(kind, errors.RepriseError):
            status = next((STATUS[each] for each in kind.__mro__ if each in STATUS), None)
            if status is not None:
                rows.append((str(status), f"`{kind.code}`", _first_line(kind)))
    return _table(("status", "`code`", "when"), sorted(rows))


def event_types() -> str:
    """Every event type: what it tells, what it must name, and what else is made use of."""
    return event_table()


def event_fields() -> str:
    """Every field of an event: what it holds, and whether it must be there."""
    rows = []
    for name, field in Event.model_fields.items():
        needed = "always" if field.is_required() else ""
        rows.append((f"`{name}`", _values(Event, name), needed, _meanings(Event)[name]))
    return _table(("field", "holds", "needed", "meaning"), rows)


def placement_fields() -> str:
    """Every field of a placement: its default and meaning."""
    rows = [
        (f"`{name}`", "required" if field.is_required() else _default(field.default), _meanings(Placement)[name])
        for name, field in Placement.model_fields.items()
    ]
    return _table(("field", "default", "meaning"), rows)


def placements() -> str:
    """The default placements."""
    columns = ("cap", "default_limit", "max_per_category", "min_probability", "rotate")
    rows = [
        (f"`{name}`", *(_default(getattr(one, column)) for column in columns))
        for name, one in DEFAULT_PLACEMENTS.items()
    ]
    return _table(("placement", *(f"`{column}`" for column in columns)), rows)


def kept() -> str:
    """What Redis keeps of one person, event or campaign: its key, and for how long after the last change."""
    keys = Keys("")
    parts = _docstrings(ast.parse(inspect.getsource(retention)).body)["PersonalPart"]
    holds = dict(re.findall(r"(\w+): ([^.]+)\.", " ".join(parts.split())))
    rows = [(keys.of(part, "PERSON"), holds[part], retention.KEPT_S.get(part)) for part in retention.PERSONAL_PARTS]
    rows += [
        (keys.of("seen", "EVENT"), "that an event was accepted", retention.EVENT_ID_KEPT_S),
        (keys.campaign("CAMPAIGN"), "a campaign as it began", retention.KEPT_S["mails"]),
        (
            keys.decided("blocks", "CAMPAIGN"),
            "what a campaign decided about blocks of customers",
            retention.KEPT_S["mails"],
        ),
        (keys.decided("sums", "CAMPAIGN"), "the sums of it", retention.KEPT_S["mails"]),
        (keys.of_job("job", "CAMPAIGN"), "how far picks are that were asked for over HTTP", retention.JOB_KEPT_S),
        (keys.of_job("rows", "CAMPAIGN"), "these picks", retention.JOB_KEPT_S),
    ]
    shown = [(f"`{key.replace('reprise:{}', '…')}`", what, _time(seconds)) for key, what, seconds in rows]
    return _table(("key", "holds", "kept"), shown)


def metrics() -> str:
    """Every metric of Prometheus: its labels and what it counts."""
    rows = []
    for collector in dict.fromkeys(REGISTRY._names_to_collectors.values()):
        (metric, *_) = collector.describe() if hasattr(collector, "describe") else [None]
        if metric is not None and metric.name.startswith("reprise_"):
            name = f"{metric.name}_total" if metric.type == "counter" else metric.name
            labels = ", ".join(f"`{label}`" for label in collector._labelnames)  # type: ignore[attr-defined]
            rows.append((f"`{name}`", metric.type, labels, metric.documentation.rstrip(".")))
    return _table(("metric", "kind", "labels", "tells"), sorted(rows))


SECTIONS: dict[str, Callable[[], str]] = {
    one.__name__: one
    for one in (
        settings, commands, routes, scopes, problems, event_types, event_fields, kept, placement_fields, placements,
        metrics,
    )
}  # fmt: skip


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def _meanings(model: type[BaseModel]) -> dict[str, str]:
    """The first paragraph under each field of a model; "" where there is none."""
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(model))).body
    assert isinstance(tree, ast.ClassDef)
    texts = _docstrings(tree.body)
    return {name: _sentence(texts.get(name, "")) for name in model.model_fields}


def _docstrings(body: Sequence[ast.stmt]) -> dict[str, str]:
    """The text under each assignment that has one, by the name assigned to."""
    found = {}
    for line, after in itertools.pairwise(body):
        if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            target = line.targets[0] if isinstance(line, ast.Assign) else getattr(line, "target", None)
            if target is not None:
                found[ast.unparse(target)] = inspect.cleandoc(str(after.value.value))
    return found


def _time(seconds: int | None) -> str:
    if seconds is None:
        days = retention.STANDING_KEPT_S // SECONDS_PER_DAY
        return f"{days} days; where mails are objected to, until the person is erased"
    return f"{seconds // SECONDS_PER_DAY} days"


def _callers(access: Permission | None) -> str:
    """Who may call a route: `sk_…` are secret keys, `pk_…` publishable ones."""
    if access is None or access.keyless:
        words = {Permission.SIGNED: "whoever has the link", Permission.CONSOLE: "whoever signed in there"}
        return words.get(access, "anyone") if access is not None else "anyone"
    browsers = {
        Permission.PRODUCTS: "; `pk_…`",
        Permission.PERSON: "; `pk_…` with the customer's token",
        Permission.EVENTS: "; `pk_…` for what visitors do, see [Events](#events)",
        Permission.SESSION: "; `pk_…`, with the token where the body names a customer",
    }
    return f"`sk_…`, scope {' or '.join(f'`{scope}`' for scope in access.scopes)}{browsers.get(access, '')}"


def _first_line(thing: object) -> str:
    return _sentence(inspect.getdoc(thing) or "")


def _sentence(text: str) -> str:
    return " ".join(text.partition("\n\n")[0].split()).rstrip(".")


def _default(value: Any) -> str:
    if value is None or value in ((), {}):
        return "none"
    if isinstance(value, dict):
        return "see below"
    if isinstance(value, tuple):
        return ", ".join(f"`{one}`" for one in value)
    return f"{value:g}" if isinstance(value, float) else f"`{value}`" if isinstance(value, str | Path) else str(value)


def _values(model: type[BaseModel], name: str) -> str:
    """What a field holds, in the words of JSON Schema."""
    schema = model.model_json_schema(mode="serialization")["properties"][name]
    choices = [one for one in schema.get("anyOf", [schema]) if one.get("type") != "null"]
    (one,) = choices
    kind = "one of those above" if "enum" in one else one["type"]
    form = {"date-time": ", ISO-8601 with its zone"}.get(one.get("format", ""), "")
    default = (
        "" if schema.get("default", PydanticUndefined) in (None, PydanticUndefined) else f", else {schema['default']:g}"
    )
    return f"{kind}{form}{default}"


def sections(text: str) -> Iterator[str]:
    """The names of a page's tables."""
    return (found[2] for found in _SECTION.finditer(text))


if __name__ == "__main__":
    for page in PAGES:
        page.write_text(refresh(page.read_text()))
