"""`reprise publish`: make a saved version current."""

from datetime import UTC, datetime
from pathlib import Path

import click

from recommender.cli.console import echo
from recommender.cli.progress import Progress
from recommender.data_dir import DataDirectory, training_lock
from recommender.errors import VersionNotFoundError
from recommender.settings import load_settings
from training import job
from training.artifacts import load, save, saved_versions
from training.commands.model.version_summary import publish_and_tell, show
from training.own_lists import describe_own_lists, read_own_lists, with_own_lists
from training.tables.workspace import Workspace


@click.command()
@click.argument("version", required=False)
@click.option("--lists", type=click.Path(path_type=Path), help="File of lists that another model ranked, to be served.")
@click.option("--force", is_flag=True, help="Overrule the gate; recorded in the manifest.")
@click.option("--json", "as_json", is_flag=True, help="Print the manifest as JSON.")
def command(version: str | None, lists: Path | None, force: bool, as_json: bool) -> None:
    """Publish VERSION, or the newest one that was trained.

    With --lists, a new version is made of it, in which the lists of the file stand in place of its own: columns
    customer_id (or for_product_id and kind, `similar` or `together`), product_id, rank and, where known, score, the
    probability of a purchase within the horizon. Caps, due dates, stock and blocks hold for them as for our own.

    Exit code 4: the gate refused it and --force is not given.

    \b
    Example:
      reprise train purchases.csv --no-publish && reprise publish
      reprise publish --lists mine.parquet
    """
    context = job.JobContext(datetime.now(UTC), load_settings(), Progress(show=not as_json))
    publication = load(version or _newest(context.home), context.home)
    if lists:
        with Workspace(context.home.root) as work:
            publication = with_own_lists(publication, read_own_lists(lists, work), context.now)
        echo(describe_own_lists(publication.manifest), err=as_json)
    if force:
        publication = job.force_gate(publication)
    if force or lists:
        with training_lock(context.home):
            save(publication, context.home)
    show(publication.manifest, as_json=as_json)
    publish_and_tell(publication, context, as_json=as_json)


def _newest(home: DataDirectory) -> str:
    versions = saved_versions(home)
    if not versions:
        raise VersionNotFoundError(f"nothing was trained in {home.root} yet; run `reprise train FILE` first")
    return versions[-1]
