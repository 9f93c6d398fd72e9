from dataclasses import replace

import numpy as np
import pytest

from recommender.publication.manifest import Publication

LISTS = {
    "similar": {"p0": [1, 2], "p1": [0], "p2": []},
    "buy_again": {"ann": [0, 1], "ben": [1], "cleo": []},
    "discover": {"ann": [2], "ben": [0, 2], "cleo": [0]},
    "popular": {"": [0, 1]},
    "trending": {"": [2]},
}
AS_OF_DAY = 20777
"""2026-11-20."""
METRICS = {
    "cut": "2026-10-20T00:00:00+00:00",
    "horizon_days": 30,
    "n_customers": 900,
    "scores": {"reprise": {"recall@10": 0.2, "orders_1_recall@10": 0.1}, "popular": {"recall@10": 0.1}},
}


@pytest.fixture
def make_version(make_publication):
    """Builds a version whose owners bought everything three times, once in 25 days, the last time 20 days ago."""

    def build(version: str = "v1", **changes) -> Publication:
        publication = make_publication(version, LISTS, n_products=3)
        table = publication.tables["buy_again"]
        rhythm = {"last_day": AS_OF_DAY - 20, "purchases": 3, "log_gap": np.log(25), "log_gap_sd": 0.5}
        for name, value in {**rhythm, "return_share": 0.9}.items():
            table.records[name] = value
        fields = {"metrics": METRICS, "gate": {"verdict": "passed", "reasons": []}, "seconds": {"Fit": 2.0}}
        return replace(publication, manifest=replace(publication.manifest, **{**fields, **changes}))

    return build
