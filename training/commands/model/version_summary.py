"""The version summary that `train`, `publish` and `demo` print."""

from contextlib import suppress

from recommender.campaigns.suppressions import collect, restore
from recommender.cli.console import echo, print_json, print_table
from recommender.errors import GateRefusedError, StoreError, StoreUnavailableError
from recommender.publication.manifest import Manifest, Publication
from recommender.redis.open import open_storage, open_version_store
from recommender.settings import Settings
from recommender.storage.shops import ShopStorage, TrainingVerdict
from recommender.storage.versions import current_manifest
from training import job
from training.reports.price_currency import describe_currency

FIGURES = ("recall@10", "ndcg@10", "hit_rate@10")


def show(manifest: Manifest, *, as_json: bool) -> None:
    """The manifest as JSON, or what a person wants to know of it: figures, verdict, seconds."""
    if as_json:
        print_json(manifest.to_dict())
        return
    counts = ", ".join(f"{count:,} {name}" for name, count in sorted(manifest.counts.items()))
    echo(f"\n{manifest.version}: {counts}")
    _show_figures(manifest)
    if warning := describe_currency(manifest):
        echo(warning)
    echo(f"Gate: {manifest.gate['verdict']} ({'; '.join(manifest.gate['reasons']) or 'no objection'})")


def read_live(settings: Settings) -> Manifest | None:
    """The manifest of the live version, for the gate; None where there is none or the store is out of reach.

    A store that is down is no reason not to train: what was trained is saved, and `publish` says what is wrong.
    """
    try:
        with open_version_store(settings) as store:
            return current_manifest(store)
    except StoreUnavailableError:
        return None


def publish_and_tell(publication: Publication, context: job.JobContext, *, as_json: bool) -> None:
    """Publish to the store of the settings and say what is current now.

    Before that the store and the home tell each other who unsubscribed and who was erased.
    """
    shop = context.settings.shop
    with open_storage(context.settings) as storage:
        restored = restore(storage, shop, context.home)
        collect(storage, shop, context.home)
        try:
            remarks = job.publish(publication, storage.store(shop), context)
        except GateRefusedError:
            _note(storage, shop, "refused", context)
            raise
        _note(storage, shop, "published", context)
    for remark in remarks:
        echo(remark, err=True)
    if restored:
        echo(f"Redis had lost {restored:,} unsubscriptions, erasures and the like; they are back", err=True)
    if not as_json:
        echo(f"Published {publication.manifest.version}: it answers from now on")


def _note(storage: ShopStorage, shop: str, verdict: TrainingVerdict, context: job.JobContext) -> None:
    """Have the metrics of the service show it; that they cannot is no reason to fail."""
    with suppress(StoreError):
        storage.note_training(shop, verdict, context.now)


def _show_figures(manifest: Manifest) -> None:
    scores = manifest.metrics.get("scores", {})
    if scores:
        rows = [(name, *(f"{figures[figure]:.3f}" for figure in FIGURES)) for name, figures in scores.items()]
        window = f"{manifest.metrics['horizon_days']} days from {manifest.metrics['cut'][:10]}"
        drawn_from = manifest.metrics.get("drawn_from")
        lot = f" drawn by lot from {drawn_from:,}" if drawn_from else ""
        title = f"{manifest.metrics['n_customers']:,} customers{lot}, {window}"
        print_table(("ranking", *FIGURES), rows, title=title)
