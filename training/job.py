"""The offline job: `train` makes and saves a version from ingested purchases, `publish` makes it the live one."""

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import polars as pl

from recommender.cli.progress import Progress
from recommender.data_dir import DataDirectory, training_lock
from recommender.errors import GateRefusedError
from recommender.publication.lists import LIST_NAMES
from recommender.publication.manifest import Manifest, Publication, name_version
from recommender.publication.profile_blocks import ProfileTable
from recommender.settings import Settings
from recommender.storage.versions import VersionStore
from training.analytics.customer_value.describe import CustomerDescriptions, describe_customers
from training.analytics.insights.build import build_insights
from training.artifacts import save
from training.dataset.freed import give_back
from training.dataset.split import end_of
from training.evaluation.last_window import Evaluation, evaluate_last_window
from training.ingest.ingest import Ingested
from training.parts.checkpoints import Checkpoints, hash_frame
from training.parts.plan import plan_job, size_of
from training.provenance import TRAINING_SETTINGS, package_versions
from training.ranking.examples.example_cache import ExampleCache, open_kept
from training.ranking.model import Engine, Model, train_model
from training.selection.gate import check_lists, judge
from training.selection.input_drift import InputProfile, find_drift, record_drift


@dataclass(frozen=True)
class JobContext:
    """The moment, the settings and the progress display of one run.

    Attributes:
        now: aware; a version's `created_at`.
        settings: of the shop and of the training.
        progress: shows the steps and times them.
    """

    now: datetime
    settings: Settings
    progress: Progress

    @property
    def home(self) -> DataDirectory:
        """The data directory of the settings."""
        return DataDirectory(self.settings.home)


def train(
    ingested: Ingested,
    context: JobContext,
    *,
    as_of: datetime | None = None,
    live: Manifest | None = None,
    profile: InputProfile | None = None,
    force: bool = False,
    engine: Engine | None = None,
) -> Publication:
    """The saved version: evaluated on the last window, trained on everything, judged by the gate.

    Args:
        ingested: the ledger, best with coded ids, with its catalogue and report.
        context: clock, settings, progress.
        as_of: purchases from then on are left out; None: a second after the last one.
        live: manifest of the live version, for the gate to compare with.
        profile: of the input, to compare with that of `live`; None: the input's drift is not judged.
        force: record a refusal as overruled.
        engine: ranks everybody; None: this process, which ranks the customers of the evaluation in any case.

    Returns:
        The version, with its verdict in the manifest; a refused one is saved, too.

    Raises:
        TooLittleDataError: there is no purchase before `as_of`.
        SettingsError: it does not fit into the memory that it may use.
        BusyError: another training is at work in the same home.
        HomeError: the version cannot be saved.
    """
    known = ingested.before(as_of) if as_of else ingested
    as_of = as_of or end_of(known.ledger)
    settings, progress = context.settings, context.progress
    progress.note(str(plan_job(size_of(known.ledger, known.catalogue), settings)))
    with training_lock(context.home):
        data = {"ledger": hash_frame(known.ledger), "catalogue": hash_frame(known.catalogue)}
        checkpoints = Checkpoints(context.home.training, _key(data, as_of, settings))
        kept = open_kept(context.home.examples(settings.shop), settings)
        cache = ExampleCache(known.ledger, known.catalogue, settings, kept)
        ledger = cache.ledger
        evaluation = _evaluate(cache, known.catalogue, context, checkpoints)
        model = train_model(
            ledger,
            known.catalogue,
            as_of,
            settings,
            progress,
            example_cache=cache,
            checkpoints=checkpoints,
            engine=engine,
        )
        if model.factors.drawn:
            drawn, pairs = model.factors.drawn
            progress.note(f"ALS learned from {drawn:,} of {pairs:,} pairs of a customer and a product, drawn by lot")
        cache.forget_others()
        del cache
        give_back()  # what the lists were made from
        with progress.step("Describe customers"):
            description = describe_customers(ledger, as_of)
        with progress.step("Describe the shop"):
            insights = build_insights(as_of, model, description)
        publication = build_publication(model, description, evaluation, ingested, context, data=data)
        publication = replace(publication, insights=insights)
        publication = _pass_gate(publication, evaluation, settings, live)
        if force:
            publication = force_gate(publication)
        if profile:
            drift = find_drift(profile, live.metrics if live else None)
            publication = record_drift(publication, profile, drift, force=force)
        with progress.step("Save the version"):
            save(publication, context.home)
        checkpoints.clear()
    return publication


def _key(data: Mapping[str, str], as_of: datetime, settings: Settings) -> str:
    """Of all that a training depends on: what was made for another key is of no use for it."""
    plain = settings.model_dump_json(include=TRAINING_SETTINGS)
    return json.dumps([as_of.isoformat(), plain, package_versions(), *data.values()])


def _evaluate(
    cache: ExampleCache, catalogue: pl.DataFrame, context: JobContext, checkpoints: Checkpoints
) -> Evaluation:
    if (known := checkpoints.find("evaluation")) is not None:
        return Evaluation.from_dict(json.loads(known.item()))
    settings, progress = context.settings, context.progress
    evaluation = evaluate_last_window(cache.ledger, catalogue, settings, progress, example_cache=cache)
    checkpoints.keep("evaluation", pl.DataFrame({"evaluation": [json.dumps(evaluation.to_dict())]}))
    return evaluation


def publish(publication: Publication, store: VersionStore, context: JobContext) -> list[str]:
    """Write a saved version to the store and make it the live one; older versions than `keep_versions` are deleted.

    Returns:
        What could not be looked at on the way, in words.

    Raises:
        GateRefusedError: the gate refused it; the live version keeps serving.
        StoreError, BusyError: see `VersionStore.publish`.
    """
    version, gate = publication.manifest.version, publication.manifest.gate
    if gate["verdict"] == "refused":
        raise GateRefusedError(
            f"{version} was not published: {'; '.join(gate['reasons'])}. "
            f"The live version keeps serving; `reprise publish {version} --force` overrules the gate"
        )
    total = sum(publication.manifest.lists.values())
    with context.progress.step("Publish", total) as advance:
        return store.publish(publication, keep=context.settings.keep_versions, advance=advance)


def build_publication(
    model: Model,
    description: CustomerDescriptions,
    evaluation: Evaluation,
    ingested: Ingested,
    context: JobContext,
    *,
    data: Mapping[str, str],
) -> Publication:
    """A version that the gate has not judged yet: lists, product factors and profiles with their manifest."""
    snapshot, profiles = model.snapshot, description.profiles
    currency = _currency_of_purchases(ingested.currencies, context.settings)
    manifest = Manifest(
        version=name_version(snapshot.as_of, _fingerprint(model, profiles, context.settings)),
        as_of=snapshot.as_of.isoformat(),
        created_at=context.now.isoformat(),
        counts={
            "customers": len(snapshot.customers),
            "products": len(snapshot.products),
            "orders": snapshot.n_orders,
            "purchases": len(snapshot.customer_index),
            "profiles": len(profiles),
        },
        lists={name: len(model.tables[name]) for name in LIST_NAMES},
        metrics=evaluation.to_dict()
        | {"candidate_ceiling": model.ceiling, "customer_value": description.document, "als_drawn": model.factors.drawn}
        | {
            "data": dict(data),
            "reading": ingested.report.summary(),
            "prices": {
                "currency": context.settings.currency or currency,
                "purchases_in": sorted(ingested.currencies),
            },
        },
        settings=context.settings.model_dump(mode="json", include=TRAINING_SETTINGS),
        seconds=dict(context.progress.seconds),
        packages=package_versions(),
        sources=list(ingested.report.sources),
    )
    products = [replace(one, currency=one.currency or currency) if one.price else one for one in model.products]
    return Publication(manifest, products, model.tables, model.product_factors(context.settings.als), profiles)


def _currency_of_purchases(currencies: Collection[str], settings: Settings) -> str | None:
    """The one that all are in, for prices whose product names none; None where the setting decides, or none can."""
    if settings.currency is not None or len(currencies) != 1:
        return None
    return next(iter(currencies))


def _pass_gate(
    publication: Publication, evaluation: Evaluation, settings: Settings, live: Manifest | None
) -> Publication:
    """The same version with the gate's verdict on its figures and on its lists."""
    verdict = judge(evaluation, settings.gate_tolerance, live)
    faults = check_lists(publication)
    gate = {"verdict": "refused" if faults else verdict.verdict, "reasons": [*verdict.reasons, *faults]}
    return replace(publication, manifest=replace(publication.manifest, gate=gate))


def force_gate(publication: Publication) -> Publication:
    """The same version, its refusal recorded as overruled; any other verdict is left as it is."""
    gate = publication.manifest.gate
    if gate["verdict"] != "refused":
        return publication
    forced = {**gate, "verdict": "forced"}
    return replace(publication, manifest=replace(publication.manifest, gate=forced))


def _fingerprint(model: Model, profiles: ProfileTable, settings: Settings) -> str:
    """Four hex digits of what lists and profiles hold, so that the same input gives the same version."""
    digest = hashlib.sha256(settings.model_dump_json(include=TRAINING_SETTINGS).encode())
    for name in LIST_NAMES:
        digest.update(model.tables[name].records.view(np.uint8).data)
    digest.update(profiles.records.tobytes())
    return digest.hexdigest()[:4]
