"""`reprise publish`: make a saved version current."""

from datetime import UTC, datetime

import click

from recommender.cli.progress import Progress
from recommender.data_dir import DataDirectory, training_lock
from recommender.errors import VersionNotFoundError
from recommender.settings import load_settings
from training import job
from training.artifacts import load, save, saved_versions
from training.commands.model.version_summary import publish_and_tell, show


@click.command()
@click.argument("version", required=False)
@click.option("--force", is_flag=True, help="Overrule the gate; recorded in the manifest.")
@click.option("--json", "as_json", is_flag=True, help="Print the manifest as JSON.")
def command(version: str | None, force: bool, as_json: bool) -> None:
    """Publish VERSION, or the newest one that was trained.

    Exit code 4: the gate refused it and --force is not given.

    \b
    Example:
      reprise train purchases.csv --no-publish && reprise publish
    """
    context = job.JobContext(datetime.now(UTC), load_settings(), Progress(show=not as_json))
    publication = load(version or _newest(context.home), context.home)
    if force:
        publication = job.force_gate(publication)
        with training_lock(context.home):
            save(publication, context.home)
    show(publication.manifest, as_json=as_json)
    publish_and_tell(publication, context, as_json=as_json)


def _newest(home: DataDirectory) -> str:
    versions = saved_versions(home)
    if not versions:
        raise VersionNotFoundError(f"nothing was trained in {home.root} yet; run `reprise train FILE` first")
    return versions[-1]
