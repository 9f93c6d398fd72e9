"""The evidence of all customers of a small shop, as one part."""

from datetime import datetime

import polars as pl

from recommender.settings import Settings
from training.dataset.snapshot import build_snapshot
from training.ranking.features import Evidence, find_evidence
from training.ranking.shop_evidence import learn_shop


def evidence_of(ledger: pl.DataFrame, catalogue: pl.DataFrame, as_of: datetime, settings: Settings) -> Evidence:
    snapshot = build_snapshot(ledger, as_of, catalogue["product_id"])
    return find_evidence(ledger, learn_shop(snapshot, ledger, catalogue, settings))
