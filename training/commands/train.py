"""`reprise train`: purchases in, a published version out."""

from datetime import UTC, datetime

import click

from recommender.progress import Progress
from recommender.settings import load_settings
from training import job
from training.commands.options import Source, parse_moment, source_options
from training.commands.summary import publish_and_tell, read_live, show


@click.command()
@source_options
@click.option("--as-of", callback=parse_moment, help="Learn only from what is before this date.")
@click.option("--publish/--no-publish", default=True, show_default=True, help="Whether to make the version current.")
@click.option("--force", is_flag=True, help="Overrule the gate; recorded in the manifest.")
@click.option("--json", "as_json", is_flag=True, help="Print the manifest as JSON.")
def command(
    *,
    source: Source,
    as_of: datetime | None,
    publish: bool,
    force: bool,
    as_json: bool,
) -> None:
    """Train on purchases, evaluate, and publish if the gate allows.

    The version is saved under REPRISE_HOME in any case. Exit code 3: bad data; 4: the gate refused.

    \b
    Example:
      reprise train purchases.csv --products products.csv
      reprise train 'orders/*.parquet' --format online-retail --no-publish
    """
    edge = job.Edge(datetime.now(UTC), load_settings(), Progress(show=not as_json))
    ingested = source.ingest(edge.settings, edge.now, edge.progress)
    publication = job.train(ingested, edge, as_of=as_of, live=read_live(edge.settings), force=force)
    show(publication.manifest, as_json=as_json)
    if publish:
        publish_and_tell(publication, edge, as_json=as_json)
