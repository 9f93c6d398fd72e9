"""`reprise keys`: the API keys of the server, of every shop on it."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import click

from recommender.cli.console import echo, print_json, print_table
from recommender.errors import UsageError
from recommender.redis.open import open_storage
from recommender.settings import load_settings
from recommender.storage.api_keys import SCOPES, ApiKey, Scope, make_api_key

COLUMNS = ("key id", "kind", "shop", "scopes", "origins", "requests/s", "label", "created", "revoked")


@click.group()
def command() -> None:
    """Create, list and revoke API keys. Each subcommand takes --json.

    From the first key on the server answers nobody without one. A key opens one shop.

    \b
    Example:
      reprise keys create --scope read --label "shop back end"
      reprise keys create --publishable --origin https://shop.example
      reprise keys list
      reprise keys revoke 4f1c08d2a96b7e35
    """


@command.command()
@click.option("--scope", "scopes", multiple=True, type=click.Choice(SCOPES), help="What it may do; repeatable.")
@click.option("--publishable", is_flag=True, help="For browsers and apps: lists, and events of visitors.")
@click.option("--origin", "origins", multiple=True, help="Web site that may use a publishable key; repeatable.")
@click.option("--shop", help="The shop that it opens.  [default: the settings' shop]")
@click.option("--label", default="", help="What you call it.")
@click.option("--rate-per-s", type=click.FloatRange(min=0, min_open=True), help="Requests a second, for long.")
@click.option("--json", "as_json", is_flag=True, help="Print the key and what is kept of it as JSON.")
def create(
    *,
    scopes: tuple[Scope, ...],
    publishable: bool,
    origins: tuple[str, ...],
    shop: str | None,
    label: str,
    rate_per_s: float | None,
    as_json: bool,
) -> None:
    """Create a key and print it, once: only its digest is kept. It works within a second.

    \b
    Example:
      reprise keys create --scope read --scope events
    """
    settings = load_settings(**({} if shop is None else {"shop": shop}))
    key, record = make_api_key(
        shop=settings.shop,
        kind="publishable" if publishable else "secret",
        scopes=scopes,
        origins=origins,
        created_at=datetime.now(UTC),
        label=label,
        rate_per_s=rate_per_s,
    )
    with open_storage(settings) as storage:
        storage.add_api_key(record)
    if as_json:
        print_json({"key": key, **_document(record)})
    else:
        echo(key)
        echo("This is shown once: only a digest of it is kept.", err=True)


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print the keys as JSON.")
def list_keys(as_json: bool) -> None:
    """List the keys of every shop, oldest first, without what would open anything.

    \b
    Example:
      reprise keys list
    """
    with open_storage(load_settings()) as storage:
        keys = sorted(storage.api_keys().values(), key=lambda key: (key.created_at, key.key_id))
    if as_json:
        print_json({"keys": [_document(key) for key in keys]})
    elif keys:
        print_table(COLUMNS, [_row(key) for key in keys])
    else:
        echo("There are no keys yet, so only this machine is answered; `reprise keys create` makes one.")


@command.command()
@click.argument("key_id")
@click.option("--json", "as_json", is_flag=True, help="Print what is kept of it as JSON.")
def revoke(key_id: str, as_json: bool) -> None:
    """Revoke a key, and with a secret one the customer tokens it signed. It stops working within a second.

    \b
    Example:
      reprise keys revoke 4f1c08d2a96b7e35
    """
    with open_storage(load_settings()) as storage:
        key = storage.api_keys().get(key_id)
        if key is None or key.revoked_at:
            raise UsageError(f"there is no key {key_id!r} that works; `reprise keys list` shows those there are")
        revoked = key.revoke(datetime.now(UTC))
        storage.add_api_key(revoked)
    if as_json:
        print_json(_document(revoked))
    else:
        echo(f"{key_id} opens nothing any more")


def _document(key: ApiKey) -> dict[str, Any]:
    return {name: value for name, value in asdict(key).items() if name != "digest"}


def _row(key: ApiKey) -> tuple[str, ...]:
    return (
        key.key_id,
        key.kind,
        key.shop,
        " ".join(key.scopes),
        " ".join(key.origins),
        "-" if key.rate_per_s is None else f"{key.rate_per_s:g}",
        key.label,
        key.created_at,
        key.revoked_at or "",
    )
