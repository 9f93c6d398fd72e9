import numpy as np

from recommender.publication.lists import Basis
from recommender.settings import AlsSettings
from tests.support.worlds import AS_OF, empty_shop, ledger_of, two_tastes
from training.dataset.interactions import build_interactions
from training.dataset.snapshot import build_snapshot
from training.models.als import fit_factors
from training.models.popularity import best_sellers
from training.models.similar import build_similar

ALS = AlsSettings(factors=4, regularization=0.1, alpha=5, weighting="binary")


def similar_of(ledger, categories=None, *, k=10, catalogue_ids=()):
    """Product → (basis, ids of its list)."""
    snapshot = build_snapshot(ledger, AS_OF, catalogue_ids)
    categories = [(categories or {}).get(product_id) for product_id in snapshot.products]
    factors = fit_factors(build_interactions(snapshot, ALS), ALS, 0)
    table = build_similar(factors, snapshot, categories, best_sellers(snapshot, 30), k)
    ids = np.array(snapshot.products.ids, dtype=object)
    return {
        owner: (
            Basis(table.basis[i]),
            ids[table.records["product_index"][table.starts[i] : table.starts[i + 1]]].tolist(),
        )
        for i, owner in enumerate(table.owner_ids)
    }


def test_products_are_alike_that_the_same_customers_buy():
    lists = similar_of(two_tastes())
    for product, (basis, others) in lists.items():
        assert basis == Basis.MODEL
        assert {other[0] for other in others[:5]} == {product[0]}
        assert product not in others


def test_a_product_with_four_buyers_gets_the_best_sellers_and_is_in_no_learned_list():
    cold = ledger_of((f"CA{i}", "RARE", 1.5) for i in range(4))
    lists = similar_of(two_tastes().vstack(cold))
    basis, others = lists.pop("RARE")
    assert (basis, others[0], len(others)) == (Basis.POPULAR, "A0", 10)
    assert all("RARE" not in others for _, others in lists.values())


def test_the_category_comes_before_the_shop():
    categories = {"NEW": "b", **{f"B{i}": "b" for i in range(6)}}
    lists = similar_of(two_tastes(), categories, k=3, catalogue_ids=["NEW"])
    assert lists["NEW"] == (Basis.CATEGORY, ["B0", "B1", "B2"])


def test_a_category_of_two_other_sellers_is_too_small():
    categories = {"NEW": "b", "B0": "b", "B1": "b", "ALSO NEW": "b"}
    basis, others = similar_of(two_tastes(), categories, catalogue_ids=["NEW", "ALSO NEW"])["NEW"]
    assert basis == Basis.POPULAR
    assert not {"NEW", "ALSO NEW"} & set(others)


def test_a_cold_best_seller_is_not_similar_to_itself():
    lists = similar_of(ledger_of([("A", "MILK", 0.5), ("A", "TEA", 0.5), ("B", "MILK", 0.5)]), k=1)
    assert lists == {"MILK": (Basis.POPULAR, ["TEA"]), "TEA": (Basis.POPULAR, ["MILK"])}


def test_one_product_has_an_empty_list():
    assert similar_of(ledger_of([("A", "MILK", 0.5)])) == {"MILK": (Basis.POPULAR, [])}


def test_an_empty_shop_has_no_lists():
    assert similar_of(empty_shop()) == {}
    assert similar_of(empty_shop(), catalogue_ids=["TEA"]) == {"TEA": (Basis.POPULAR, [])}
