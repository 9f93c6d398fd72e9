"""Addresses of databases, such as `postgresql://shop@db.example/orders`; their passwords are never shown."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args
from urllib.parse import parse_qsl, quote, unquote

from pydantic import SecretStr

from recommender.errors import UsageError

Kind = Literal["postgresql", "mysql", "sqlite", "duckdb", "spark-sql"]
_OTHER_NAMES: Mapping[str, Kind] = {"postgres": "postgresql", "mariadb": "mysql"}
_FILES: Mapping[tuple[int, bytes], Kind] = {(0, b"SQLite format 3\0"): "sqlite", (8, b"DUCK"): "duckdb"}
"""Where in a file of a database its sign stands, and the sign."""
_WITHOUT_HOST: Mapping[Kind, tuple[str, str]] = {
    "sqlite": ("file", "sqlite:///shop.db, or sqlite:////data/shop.db"),
    "duckdb": ("file", "duckdb:///shop.db, or duckdb:////data/shop.db"),
    "spark-sql": ("schema", "spark-sql:///default, or spark-sql:///catalogue.schema"),
}
"""Databases without a server of their own → what their addresses name, and how these are written."""


@dataclass(frozen=True)
class DatabaseAddress:
    """The address of a database; as text it is without password and options, which may hold secrets.

    Attributes:
        kind: which database it is.
        name: of the database on its server or in Spark's catalogue, or the path of its file.
        hosts: host and port, as they are written; several are parted by commas.
        user: None: as the driver decides.
        password: None: the address has none.
        options: what stands behind the question mark.
    """

    kind: Kind
    name: str
    hosts: str = ""
    user: str | None = None
    password: SecretStr | None = None
    options: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __str__(self) -> str:
        if self.kind in _WITHOUT_HOST:
            return f"{self.kind}:///{self.name}"
        user = f"{quote(self.user, safe='')}@" if self.user else ""
        return f"{self.kind}://{user}{self.hosts}/{self.name}"


def find_address(path: str | Path) -> DatabaseAddress | None:
    """The database that a path names, by its address or by its file; None where it names something else.

    Raises:
        UsageError: it begins like an address and is none.
    """
    scheme, separator, rest = str(path).partition("://")
    kind = _kind(scheme.lower().partition("+")[0])
    if separator and kind:
        return _parse(kind, rest)
    found = None if separator else _kind_of_file(Path(path))
    return DatabaseAddress(found, str(path)) if found else None


def _kind(scheme: str) -> Kind | None:
    return next((kind for kind in get_args(Kind) if kind == scheme), _OTHER_NAMES.get(scheme))


def _kind_of_file(path: Path) -> Kind | None:
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except OSError:
        return None
    return next((kind for (at, sign), kind in _FILES.items() if head[at:].startswith(sign)), None)


def _parse(kind: Kind, rest: str) -> DatabaseAddress:
    place, _, options = rest.partition("?")
    # a password may hold a slash that should have been written %2F, but no at sign
    login, _, server = place.rpartition("@")
    hosts, _, name = server.partition("/")
    if kind in _WITHOUT_HOST:
        if hosts or not name:
            what, example = _WITHOUT_HOST[kind]
            raise UsageError(f"{kind}://{server} names no {what}; write {example}")
        return DatabaseAddress(kind, unquote(name))
    user, _, password = login.partition(":")
    if not hosts or not name:
        raise UsageError(f"{kind}://{server} names no host or no database; write {kind}://user@host/database")
    return DatabaseAddress(
        kind,
        unquote(name),
        hosts,
        unquote(user) or None,
        SecretStr(unquote(password)) if password else None,
        dict(parse_qsl(options)),
    )


def quote_name(kind: Kind, name: str) -> str:
    """The name of a table or column as it is written in a query."""
    mark = "`" if kind in {"mysql", "spark-sql"} else '"'
    return f"{mark}{name.replace(mark, mark * 2)}{mark}"
