"""A cache of examples: trainings on one ledger share them, and the next training finds those of today."""

import hashlib
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl

import training
from recommender.settings import Settings
from training.dataset.coded_ids import code_ids
from training.dataset.freed import give_back
from training.dataset.snapshot import Snapshot, build_snapshot
from training.parts.checkpoints import Checkpoints
from training.provenance import package_versions
from training.ranking.examples.fingerprints import Fingerprints
from training.ranking.examples.training_examples import Examples, collect_examples
from training.ranking.examples.windows import learning_cuts
from training.ranking.shop_evidence import ShopEvidence, learn_shop

_FRAMES = ("customers", "features")
_SETTINGS = {"als", "horizon_days", "seed"}


class ExampleCache:
    """The examples of a ledger's past windows, each collected once.

    Attributes:
        ledger: with coded ids.
    """

    def __init__(
        self, ledger: pl.DataFrame, catalogue: pl.DataFrame, settings: Settings, kept: Checkpoints | None = None
    ) -> None:
        """With `kept`, as `open_kept` opens it, examples are looked for there first, and kept there."""
        self.ledger, self._catalogue, self._settings = code_ids(ledger), catalogue, settings
        self._fingerprints, self._kept = Fingerprints(self.ledger, catalogue), kept
        self._known: dict[datetime, Examples] = {}
        self._names: set[str] = set()

    def cuts(self, as_of: datetime) -> list[datetime]:
        """The cuts that a training as of this moment learns from, newest first."""
        first = self.ledger["ordered_at"].min()
        if not isinstance(first, datetime):
            return []
        return learning_cuts(first, as_of, self._settings.horizon_days, len(self.ledger))

    def examples(self, cut: datetime) -> Examples:
        """The examples of a cut, collected once; see `collect_examples`. Raises HomeError: they cannot be kept."""
        if cut not in self._known:
            self._known[cut] = self._read_or_collect(cut)
        return self._known[cut]

    def shop(self, as_of: datetime) -> tuple[Snapshot, ShopEvidence]:
        """The snapshot at a moment, with all products of the catalogue, and its shop evidence."""
        snapshot = build_snapshot(self.ledger, as_of, self._catalogue["product_id"])
        return snapshot, self._learn(snapshot)

    def forget_others(self) -> None:
        """Delete what is kept of windows that this cache was not asked for."""
        if self._kept:
            self._kept.keep_only(self._names)

    def _learn(self, snapshot: Snapshot) -> ShopEvidence:
        return learn_shop(snapshot, self.ledger, self._catalogue, self._settings)

    def _read_or_collect(self, cut: datetime) -> Examples:
        if self._kept is None:
            return self._collect(cut)
        window = self._fingerprints.of(cut, cut + timedelta(days=self._settings.horizon_days))
        names = [f"{cut:%Y%m%d}-{window}-{frame}" for frame in _FRAMES]
        self._names.update(names)
        customers, features = (self._kept.find(name) for name in names)
        if customers is not None and features is not None:
            return Examples.from_frames(customers, features)
        examples = self._collect(cut)
        for name, frame in zip(names, examples.to_frames(), strict=True):
            self._kept.keep(name, frame)
        return examples

    def _collect(self, cut: datetime) -> Examples:
        # products that were not sold yet are left out: what is learned of a window stays when more of them come
        examples = collect_examples(self.ledger, self._learn(build_snapshot(self.ledger, cut)))
        give_back()  # the evidence of a window is many times what is kept of it
        return examples


def open_kept(folder: Path, settings: Settings) -> Checkpoints:
    """The folder of examples that trainings with the same code, libraries and settings keep for each other.

    Examples of others are deleted. Raises HomeError.
    """
    code = hashlib.sha256()
    for file in sorted(Path(training.__file__).parent.rglob("*.py")):
        code.update(file.read_bytes())
    return Checkpoints(
        folder, repr((settings.model_dump_json(include=_SETTINGS), package_versions(), code.hexdigest()))
    )
