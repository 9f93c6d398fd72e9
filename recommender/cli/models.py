"""`reprise models`: the published versions, and the current one."""

import click

from recommender.cli.console import echo, print_json, print_table
from recommender.publication.manifest import Manifest
from recommender.redis.open import open_version_store
from recommender.settings import load_settings

COLUMNS = ("", "version", "as of", "created", "customers", "products", "lists", "recall@10", "ndcg@10", "gate")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the manifests as JSON.")
def command(as_json: bool) -> None:
    """List the published versions, newest first; `*` marks the one that answers.

    \b
    Example:
      reprise models
    """
    with open_version_store(load_settings()) as store:
        current, manifests = store.current(), store.manifests()
    if as_json:
        print_json({"current": current, "versions": [manifest.to_dict() for manifest in manifests]})
    elif manifests:
        print_table(COLUMNS, [_row(manifest, current) for manifest in manifests])
    else:
        echo("No version is published yet; `reprise train FILE` makes one.")


def _row(manifest: Manifest, current: str | None) -> tuple[str, ...]:
    figures = manifest.metrics.get("scores", {}).get("reprise", {})
    return (
        "*" if manifest.version == current else "",
        manifest.version,
        _minute(manifest.as_of),
        _minute(manifest.created_at),
        f"{manifest.counts.get('customers', 0):,}",
        f"{manifest.counts.get('products', 0):,}",
        f"{sum(manifest.lists.values()):,}",
        *(f"{figures[name]:.3f}" if name in figures else "-" for name in ("recall@10", "ndcg@10")),
        str(manifest.gate.get("verdict", "-")),
    )


def _minute(moment: str) -> str:
    """An ISO-8601 moment in UTC to the minute: `2026-11-20 02:00`."""
    return moment[:16].replace("T", " ")
