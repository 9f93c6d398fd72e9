"""The recommender as an estimator, for notebooks.

    model = RepeatRecommender(horizon_days=30).fit(purchases)
    model.rank(k=10)
    model.explain("C-1042")
    model.publish()

Frames may be of pandas, polars or Arrow; what comes back is of the kind that was given. Purchases are read as files
are: the same columns, the same cleaning, the same refusals.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import polars as pl
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from recommender.cli.progress import Progress
from recommender.errors import TooLittleDataError, UsageError
from recommender.publication.manifest import Manifest
from recommender.reading import ReadingOptions
from recommender.redis.open import open_version_store
from recommender.settings import Settings, load_settings
from recommender.slate.placements import Mix
from recommender.storage.versions import current_manifest
from training import job
from training.dataset.split import check_cuts, end_of, last_cuts
from training.estimator.explanation import explain_customer
from training.estimator.native_frames import in_kind, to_polars
from training.evaluation.compare import Comparison, compare
from training.frame_files import write_frame
from training.ingest.ingest import Ingested, PurchaseSource, ingest
from training.ranking.model import Model, train_model
from training.ranking.rankings import rank_customers
from training.tables.workspace import Workspace

_COMPARED = 200
"""Customers whose candidates tell what is usual."""


class RepeatRecommender(BaseEstimator):  # type: ignore[misc]
    """The recommender of repeat purchases.

    Args:
        horizon_days: a probability is that of a purchase within so many days.
        list_length: longest list of a customer.
        seed: of all that is drawn; the same purchases and seed give the same lists.
        as_of: aware; only purchases before it are learned from. None: all.
        reading: how columns, dates and numbers are to be understood, by the names of `[reading]`; None: as the
            settings say.
        home: folder of versions and quarantined rows; None: as the settings say.
        show: whether progress is shown on standard error.

    Attributes:
        ingested_: the cleaned ledger, the catalogue and the report of how they were read.
        model_: what was trained.
    """

    def __init__(
        self,
        *,
        horizon_days: int = 30,
        list_length: int = 50,
        seed: int = 0,
        as_of: datetime | None = None,
        reading: Mapping[str, Any] | None = None,
        home: str | Path | None = None,
        show: bool = False,
    ) -> None:
        self.horizon_days = horizon_days
        self.list_length = list_length
        self.seed = seed
        self.as_of = as_of
        self.reading = reading
        self.home = home
        self.show = show

    def fit(self, purchases: Any, y: None = None, *, products: Any = None) -> Self:  # noqa: ARG002 - scikit-learn's way
        """Train on a frame of purchases; nothing is published.

        Args:
            purchases: a frame of customer_id, product_id, ordered_at, and what else a purchase file may have.
            y: ignored.
            products: a frame as a product file is, or None.

        Raises:
            UsageError: this is no frame, or a parameter cannot be.
            DataError: see `training.ingest.ingest`.
        """
        settings = self._settings()
        self.ingested_ = self._ingest(to_polars(purchases), None if products is None else to_polars(products))
        known = self.ingested_.before(self.as_of) if self.as_of else self.ingested_
        as_of = self.as_of or end_of(known.ledger)
        self._like = purchases[:0]  # of its kind, and empty
        self.model_ = train_model(known.ledger, known.catalogue, as_of, settings, self._progress())
        return self

    def rank(self, k: int = 10, *, mix: Mix = "auto", customers: Sequence[str] | None = None) -> Any:
        """The first `k` products of each customer, or of those named: see `training.ranking.rankings.rank_customers`.

        Raises:
            UsageError: k is not from 1 to `list_length`, or the mix unknown.
        """
        model = self._fitted()
        if k > self.list_length:
            raise UsageError(f"k is {k}, and lists have {self.list_length} products; fit with a longer list_length")
        return in_kind(rank_customers(model, k=k, mix=mix, customers=customers), self._like)

    def explain(self, customer_id: str, k: int = 5, *, features: int = 5) -> Any:
        """The first `k` products of a customer with the features that pull most: see `explain_customer`.

        Raises:
            UnknownCustomerError: who is no customer.
            TooLittleDataError: there was too little to learn from, so that nothing was weighed.
        """
        model = self._fitted()
        if model.ranker is None:
            raise TooLittleDataError("too few purchases to learn from: lists go by rhythm and taste, and nothing pulls")
        customers = model.snapshot.customers.ids
        some = {customer_id, *customers[:: -(-len(customers) // _COMPARED)]}
        part = self.ingested_.ledger.filter(pl.col("customer_id").cast(pl.String).is_in(some))
        told = explain_customer(customer_id, part, model.shop, model.ranker, k=k, n_features=features)
        return in_kind(told, self._like)

    def evaluate(
        self,
        *,
        windows: int = 3,
        cuts: Sequence[datetime] | None = None,
        also: Mapping[str, Any] | None = None,
    ) -> Comparison:
        """The comparison with the baselines on the last windows, or at some cuts, as `reprise evaluate` makes it.

        Args:
            windows: how many, where no cuts are given.
            cuts: aware; the beginning of each window.
            also: frames of other models' lists by name: customer_id, product_id, rank; made for the one cut.

        Raises:
            UsageError: a cut has no purchases before or after it, or see `training.evaluation.compare.compare`.
        """
        self._fitted()
        settings, ledger = self._settings(), self.ingested_.ledger
        cuts = cuts or last_cuts(ledger, windows, settings.horizon_days)
        check_cuts(ledger, cuts)
        others = {name: to_polars(frame) for name, frame in (also or {}).items()}
        return compare(ledger, self.ingested_.catalogue, cuts, settings, self._progress(), also=others)

    def publish(self, *, force: bool = False) -> Manifest:
        """The manifest of the version that is live now: evaluated, judged by the gate, saved, published.

        It is trained anew, as the gate asks how well the past would have been foreseen.

        Args:
            force: overrule the gate.

        Raises:
            GateRefusedError: the gate refused it; it is saved, and the live version keeps serving.
            StoreError, HomeError, BusyError: see `training.job`.
        """
        self._fitted()
        context = job.JobContext(datetime.now(UTC), self._settings(), self._progress())
        with open_version_store(context.settings) as store:
            live = current_manifest(store)
            publication = job.train(self.ingested_, context, as_of=self.as_of, live=live, force=force)
            job.publish(publication, store, context)
        return publication.manifest

    def _fitted(self) -> Model:
        check_is_fitted(self, "model_")
        return self.model_

    def _settings(self) -> Settings:
        given = {"home": Path(self.home)} if self.home is not None else {}
        read = {"reading": ReadingOptions(**self.reading)} if self.reading is not None else {}
        return load_settings(
            horizon_days=self.horizon_days, list_length=self.list_length, seed=self.seed, **given, **read
        )

    def _progress(self) -> Progress:
        return Progress(show=self.show)

    def _ingest(self, purchases: pl.DataFrame, products: pl.DataFrame | None) -> Ingested:
        settings = self._settings()
        with Workspace(settings.home) as work:
            listed = None if products is None else _write(products, work)
            source = PurchaseSource([_write(purchases, work)], settings.reading, listed)
            read = ingest(source, settings, datetime.now(UTC), self._progress())
        return replace(read, report=replace(read.report, sources=["a frame"]))


def _write(frame: pl.DataFrame, work: Workspace) -> Path:
    path = work.new_file(".parquet")
    with write_frame(path) as file:
        frame.write_parquet(file)
    return path
