"""`reprise train`: purchases in, a published version out."""

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime

import click

from recommender.campaigns.suppressions import restore
from recommender.cli.console import echo
from recommender.cli.progress import Progress
from recommender.data_dir import DataDirectory
from recommender.errors import StoreUnavailableError
from recommender.publication.manifest import Manifest
from recommender.redis.open import open_storage
from recommender.settings import Settings, load_settings
from recommender.storage.versions import current_manifest
from training import job
from training.commands.engine_options import engine_options
from training.commands.model.version_summary import publish_and_tell, show
from training.commands.options import parse_moment, source_or_ledger_options
from training.commands.source import read_source
from training.dataset.coded_ids import code_ids
from training.dataset.split import end_of
from training.ingest.ingest import PurchaseSource
from training.ranking.model import Engine
from training.selection.input_drift import profile_input
from training.tracking import check_tracking, track


@click.command()
@source_or_ledger_options
@click.option("--as-of", callback=parse_moment, help="Learn only from what is before this date.")
@click.option("--publish/--no-publish", default=True, show_default=True, help="Whether to make the version current.")
@click.option("--force", is_flag=True, help="Overrule the gate; recorded in the manifest.")
@engine_options
@click.option("--json", "as_json", is_flag=True, help="Print the manifest as JSON.")
def command(
    *,
    source: PurchaseSource,
    as_of: datetime | None,
    publish: bool,
    force: bool,
    engine: Engine | None,
    as_json: bool,
) -> None:
    """Train on purchases, evaluate, and publish if the gate allows.

    With --ledger, what `reprise worker` archived counts too; a purchase that is also in a file counts once. Customers
    who were erased are left out. The version is saved under REPRISE_HOME in any case. The gate also refuses input that
    is odd beside that of the live version: half as many purchases, a missing day, a new currency, unknown products, or
    many more rows without a price, a known status or a customer. Where MLFLOW_TRACKING_URI is set, MLflow is told.

    Exit code 1: another training is at work, among others; 3: bad data; 4: the gate refused.

    \b
    Example:
      reprise train purchases.csv --products products.csv
      reprise train 'orders/*.parquet' --format online-retail --no-publish
      reprise train purchases.csv --ledger .reprise/ledger
      reprise train purchases.csv --engine spark --master spark://cluster:7077
    """
    context = job.JobContext(datetime.now(UTC), load_settings(), Progress(show=not as_json))
    check_tracking()
    live, erased = _read_shop(context.settings)
    ingested = read_source(source, context.settings, context.now, context.progress, as_json=as_json, erased=erased)
    until = as_of or (context.now if source.ledger else end_of(ingested.ledger))
    profile = profile_input(ingested.ledger, until, ingested.currencies, ingested.named, ingested.report)
    # the texts of millions of lines are not held beside what is learned
    ingested = replace(ingested, ledger=code_ids(ingested.ledger))
    publication = job.train(ingested, context, as_of=as_of, live=live, profile=profile, force=force, engine=engine)
    if trouble := track(publication):
        echo(trouble, err=True)
    show(publication.manifest, as_json=as_json)
    if publish:
        publish_and_tell(publication, context, as_json=as_json)


def _read_shop(settings: Settings) -> tuple[Manifest | None, Collection[str]]:
    """The version that answers now, and who was erased; neither where the store is out of reach.

    That is no reason not to train: what is trained is saved, and erased customers are left out when it is published.
    """
    try:
        with open_storage(settings) as storage:
            restore(storage, settings.shop, DataDirectory(settings.home))
            return current_manifest(storage.store(settings.shop)), storage.event_log(settings.shop).erased()
    except StoreUnavailableError:
        return None, frozenset()
