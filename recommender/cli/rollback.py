"""`reprise rollback`: the version before the current one becomes current again."""

import click

from recommender.cli.console import echo, print_json
from recommender.redis.open import open_version_store
from recommender.settings import load_settings
from recommender.storage.versions import rollback


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print both versions as JSON.")
def command(as_json: bool) -> None:
    """Make the version published before the current one current.

    Nothing is deleted: `reprise publish VERSION` goes forward again.

    \b
    Example:
      reprise rollback
    """
    with open_version_store(load_settings()) as store:
        before = store.current()
        after = rollback(store)
    if as_json:
        print_json({"from": before, "to": after})
    else:
        echo(f"{before} → {after}: it answers from now on")
