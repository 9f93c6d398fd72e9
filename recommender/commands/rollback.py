"""`reprise rollback`: the version before the current one answers again."""

import click

from recommender.connect import open_store
from recommender.console import print_json
from recommender.settings import load_settings
from recommender.store import rollback


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print both versions as JSON.")
def command(as_json: bool) -> None:
    """Make the version published before the current one current.

    Nothing is deleted: `reprise publish VERSION` goes forward again.

    \b
    Example:
      reprise rollback
    """
    with open_store(load_settings()) as store:
        before = store.current()
        after = rollback(store)
    if as_json:
        print_json({"from": before, "to": after})
    else:
        click.echo(f"{before} → {after}: it answers from now on")
