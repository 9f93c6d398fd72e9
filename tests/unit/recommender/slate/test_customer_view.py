from datetime import UTC, datetime

import numpy as np

from recommender.catalogue.catalogue import Catalogue
from recommender.publication.lists import RANKED, ListKey, PublishedList
from recommender.publication.product import Product
from recommender.slate.customer_view import Identity
from recommender.slate.reading import FetchedLists

NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)


def test_a_product_that_redis_lost_leaves_the_others_of_a_list_with_their_scores():
    bread, jam = ListKey("together", "BREAD"), ListKey("together", "JAM")
    lists = {
        bread: PublishedList("together", b"\0" + np.array([(0, 0.9), (1, 0.5)], RANKED).tobytes()),
        jam: PublishedList("together", b"\0" + np.array([(2, 0.7)], RANKED).tobytes()),
    }
    products = Catalogue({1: Product("MILK").to_json(), 2: Product("TEA").to_json()})
    look = Identity(None).look(FetchedLists("20261120T020000Z-0000", lists, products), NOW)
    found = list(look.related("together", "complement", ["BREAD", "JAM"], {"JAM": "Plum jam", "BREAD": None}.get))
    assert [candidate.product.product_id for candidate in found] == ["TEA", "MILK"]
    assert [candidate.because for candidate in found] == ["Plum jam", "BREAD"]
