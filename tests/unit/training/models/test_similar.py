from datetime import date

import numpy as np
import polars as pl
import pytest

from recommender.publication.lists import Basis
from recommender.settings import AlsSettings, Settings
from tests.support.evidence import evidence_of
from tests.support.worlds import AS_OF, empty_shop, ledger_of, two_tastes
from training.demo.assortment import make_products, pick_needs
from training.demo.shop import make_shop
from training.models.popularity import best_sellers
from training.models.similar import build_similar

ALS = AlsSettings(factors=4, regularization=0.1, alpha=5, weighting="binary")


def similar_of(ledger, categories=None, *, k=10, catalogue_ids=(), titles=None, als=ALS):
    """Product → (basis, ids of its list)."""
    ids = sorted({*ledger["product_id"], *catalogue_ids})
    words, kinds = titles or {}, categories or {}
    columns = {"product_id": ids, "title": [words.get(one) for one in ids], "category": [kinds.get(one) for one in ids]}
    catalogue = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))
    evidence = evidence_of(ledger, catalogue, AS_OF, Settings(als=als))
    snapshot = evidence.snapshot
    table = build_similar(evidence.shop.tastes, snapshot, evidence.shop.categories, best_sellers(snapshot, 30), k)
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


def test_what_replaces_a_product_comes_before_what_goes_with_it():
    """Everybody buys pasta of either brand every week, and always sauce along with it."""
    weeks = range(12)
    ledger = ledger_of(
        (f"C{customer}", product, 7.5 * week + 0.5)
        for customer in range(20)
        for week in weeks
        for product in ("PASTA" if (customer + week) % 2 else "SPAGHETTI", "SAUCE", *("SOAP" if week % 4 else ""))
    )
    lists = similar_of(ledger)
    assert lists["PASTA"][1][0] == "SPAGHETTI"
    assert lists["SPAGHETTI"][1][0] == "PASTA"


def test_two_that_were_never_sold_in_the_same_quarter_are_no_substitutes_for_that():
    """Tea and filters go together today; the kite was gone before either came."""
    times = {"TEA": range(0, 60, 7), "FILTER": range(0, 60, 7), "KITE": range(200, 260, 7)}
    ledger = ledger_of(
        (f"C{customer}", product, day + 0.5)
        for customer in range(20)
        for product, days in times.items()
        for day in days
    )
    apart = similar_of(ledger)["KITE"][1]
    assert apart == ["FILTER", "TEA"]  # alike as far as their buyers go, and no more than that
    assert similar_of(ledger)["TEA"][1] == ["FILTER", "KITE"]


def test_of_two_that_the_same_customers_buy_the_one_of_like_title_comes_first():
    titles = {
        "A0": "Blue lunch bag",
        "A3": "Red lunch bag",
        "A1": "Candle",
        "A2": "Mirror",
        "A4": "Clock",
        "B0": "Clock",
    }
    assert similar_of(two_tastes(), titles=titles)["A0"][1][0] == "A3"


def test_a_like_title_alone_brings_no_cold_product_onto_a_list():
    lists = similar_of(two_tastes(), titles={"A0": "Blue lunch bag", "NEW": "Blue lunch bag"}, catalogue_ids=["NEW"])
    assert all("NEW" not in others for _, others in lists.values())


@pytest.mark.parametrize(
    ("named", "least", "most_companions"),
    [(True, 0.99, 0.01), (False, 0.80, 0.03)],
)
def test_similar_products_of_the_made_up_shop_meet_the_same_need(named, least, most_companions, tmp_path):
    """Of the six places (or as many as the need has other products), with titles and categories, and without any."""
    needs, end = pick_needs(300), date(2026, 11, 20)
    by_id = {product.product_id: product for product in make_products(needs, 300)}
    sold = pl.read_csv(make_shop(tmp_path, products=300, end=end, seed=21).purchases, infer_schema=False)
    ledger = sold.filter(status="completed").select(
        "customer_id",
        "product_id",
        pl.col("ordered_at").str.to_datetime(time_zone="UTC").dt.cast_time_unit("us"),
        "order_id",
        quantity=pl.col("quantity").cast(pl.Float64),
        unit_price=pl.col("unit_price").cast(pl.Float64),
    )
    texts = {"titles": {one: product.title for one, product in by_id.items()}} if named else {}
    kinds = {one: product.category for one, product in by_id.items()} if named else None
    lists = {
        owner: others
        for owner, (basis, others) in similar_of(ledger, kinds, k=6, als=Settings().als, **texts).items()
        if basis == Basis.MODEL
    }
    learned = np.bincount([by_id[owner].need for owner in lists])
    same = possible = companions = 0
    for owner, others in lists.items():
        need = by_id[owner].need
        same += sum(by_id[other].need == need for other in others)
        possible += min(6, learned[need] - 1)
        companion = needs[need].companion
        companions += sum(companion is not None and needs[by_id[other].need].key == companion[0] for other in others)
    assert len(lists) > 250
    assert same / possible >= least
    assert companions / sum(map(len, lists.values())) <= most_companions


def test_among_many_products_that_hardly_anybody_bought_those_alike_are_found():
    rare = ledger_of((f"CA{n % 4}", f"{letter}{n}", n + 0.5) for n in range(40) for letter in "0Z")
    lists = similar_of(two_tastes().vstack(rare))
    for product, (basis, others) in lists.items():
        if product[0] in "AB":
            assert basis == Basis.MODEL
            assert {other[0] for other in others[:5]} == {product[0]}
            assert not {other[0] for other in others} & {"0", "Z"}
        else:
            assert basis == Basis.POPULAR
