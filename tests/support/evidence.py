"""The evidence of a small shop, and of all its customers as one part."""

from datetime import datetime

import polars as pl

from recommender.settings import Settings
from training.dataset.snapshot import build_snapshot
from training.ranking.features import Evidence, find_evidence
from training.ranking.shop_evidence import ShopEvidence, learn_shop


def shop_of(ledger: pl.DataFrame, catalogue: pl.DataFrame, as_of: datetime, settings: Settings) -> ShopEvidence:
    return learn_shop(build_snapshot(ledger, as_of, catalogue["product_id"]), ledger, catalogue, settings)


def evidence_of(ledger: pl.DataFrame, catalogue: pl.DataFrame, as_of: datetime, settings: Settings) -> Evidence:
    return find_evidence(ledger, shop_of(ledger, catalogue, as_of, settings))
