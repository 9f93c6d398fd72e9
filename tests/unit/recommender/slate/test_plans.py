from datetime import UTC, datetime

import numpy as np

from api.schemas.requests import RecommendationBody
from recommender.catalogue.catalogue import Catalogue
from recommender.publication.lists import RANKED, ListKey, PublishedList
from recommender.publication.product import Product
from recommender.slate.placements import DEFAULT_PLACEMENTS
from recommender.slate.reading import FetchedLists

NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)


def test_a_session_does_without_a_product_that_redis_lost():
    plan = RecommendationBody(placement="home", cart=["BREAD"]).plan()
    together = PublishedList("together", b"\0" + np.array([(0, 0.9), (1, 0.5)], RANKED).tobytes())
    lists = dict.fromkeys(plan.keys) | {ListKey("together", "BREAD"): together}
    reading = FetchedLists("20261120T020000Z-0000", lists, Catalogue({1: Product("MILK").to_json()}))
    choice = plan.choose(reading, DEFAULT_PLACEMENTS["home"], NOW)
    assert [candidate.product.product_id for candidate in choice.candidates] == ["MILK"]
