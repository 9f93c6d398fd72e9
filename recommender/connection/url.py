"""Parser of REPRISE_REDIS_URL: one server, a primary that sentinels watch, or a cluster.

    redis://user:password@host:6379/0      rediss:// for TLS
    unix:///path/to/socket
    redis+sentinel://user:password@host:26379,host:26379/primary-name/0
    redis+cluster://user:password@host:6379,host:6379

`rediss+sentinel` and `rediss+cluster` mean TLS. Options of redis-py may follow after `?`, such as `ssl_ca_certs`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast
from urllib.parse import unquote

import redis
from redis import connection, exceptions

from recommender.errors import SettingsError

Deployment = Literal["server", "sentinel", "cluster"]
Address = tuple[str, int]
"""Host and port."""

_GROUP = re.compile(r"(rediss?)\+(sentinel|cluster)://(?:(.*)@)?([^/?#]*)/?([^?#]*)(?:\?(.*))?", re.DOTALL)
"""Scheme, kind, user and password, hosts, path, options."""
_FORMS = (
    "redis://host:6379/0, rediss://host:6379/0, unix:///path/to/socket, redis+cluster://host:6379,host:6379 or "
    "redis+sentinel://host:26379,host:26379/primary-name/0"
)


@dataclass(frozen=True)
class RedisUrl:
    """Parsed REPRISE_REDIS_URL.

    Attributes:
        kind: of the deployment.
        nodes: the sentinels, or some nodes of the cluster; empty for one server.
        options: arguments of a redis-py connection to a server that holds data. For one server they hold its host and
            port or path; for the others the nodes know these.
        primary: its name at the sentinels; "" without sentinels.
        address: the URL without user, password and options, for messages.
    """

    kind: Deployment
    nodes: tuple[Address, ...]
    options: Mapping[str, Any]
    primary: str
    address: str


def parse_redis_url(url: str) -> RedisUrl:
    """Parsed form of `url`. Raises SettingsError where it is not an address of Redis."""
    address = _without_secrets(url)
    try:
        group = _GROUP.fullmatch(url)
        if group is None:
            return RedisUrl("server", (), _options(url), "", address)
        return _parse_group(group, address)
    except (ValueError, TypeError, KeyError, exceptions.RedisError):
        raise SettingsError(f"redis_url {address!r} is not an address of Redis; write {_FORMS}") from None


def _parse_group(group: re.Match[str], address: str) -> RedisUrl:
    """Parsed form of a URL of several hosts, which share user, password and options."""
    scheme, kind, user, hosts, path, query = group.groups(default="")
    primary, _, database = path.partition("/") if kind == "sentinel" else ("", "", path)
    if (kind == "sentinel" and not primary) or (kind == "cluster" and database not in ("", "0")):
        raise ValueError(path)
    each = [
        _options(f"{scheme}://{user + '@' if user else ''}{host}/{int(database or 0)}?{query}")
        for host in hosts.split(",")
    ]
    default_port = 26_379 if kind == "sentinel" else 6_379
    nodes = tuple((options.pop("host"), options.pop("port", default_port)) for options in each)
    return RedisUrl(cast(Deployment, kind), nodes, each[0], unquote(primary), address)


def _options(url: str) -> dict[str, Any]:
    options = cast(dict[str, Any], connection.parse_url(url))  # type: ignore[no-untyped-call]
    # making a connection, which does not connect yet, finds a mistyped option after `?`
    chosen = {key: value for key, value in options.items() if key != "connection_class"}
    options.get("connection_class", redis.Connection)(**chosen)
    if url.startswith("unix://"):
        _ = options["path"]
    return options


def _without_secrets(url: str) -> str:
    """Scheme, hosts and path of `url`. A password may hold any character, so nothing before the last `@` is shown."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        return "…"
    shown, *hidden = re.split(r"[?#]", rest, maxsplit=1)
    if any("@" in part for part in hidden):
        return f"{scheme}://…"
    return f"{scheme}://{shown.rpartition('@')[2]}"
