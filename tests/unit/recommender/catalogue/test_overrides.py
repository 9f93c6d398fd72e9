"""What was said of products, over lists solved by eye."""

import json
import math
from datetime import UTC, datetime

import numpy as np
import pytest

from recommender.catalogue.catalogue import Catalogue
from recommender.catalogue.new_products import MOST_NEW
from recommender.catalogue.overrides import (
    NO_OVERRIDES,
    OVERRIDE_FIELDS,
    OverriddenCatalogue,
    OverriddenProduct,
    ProductChange,
    Record,
    read_record,
)
from recommender.publication.lists import RANKED, WHOLE_SHOP, Basis, ListKey, PublishedList
from recommender.publication.product import Product
from tests.fakes.catalogue import apply

MILK = Product("MILK", "Whole milk", "Dairy", "1.20", "/p/milk", "/i/milk.jpg")
POPULAR, DAIRY = ListKey("popular", WHOLE_SHOP), ListKey("popular", "Dairy")
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp()


def say(*records, trained=True, live=NO_OVERRIDES):
    """`records` are a product id and what is said of it each; None takes it back."""
    texts = [(product_id, None if said is None else json.dumps(said).encode()) for product_id, said in records]
    return live.change(Record(one, number, text, trained) for number, (one, text) in enumerate(texts, start=1))


def published(name, *indices, basis=Basis.MODEL):
    return PublishedList(name, bytes((basis,)) + np.array([(i, 1.0) for i in indices], dtype=RANKED).tobytes())


def names(live, found, trained=("MILK", "BREAD")):
    """The product ids on a list."""
    products = OverriddenCatalogue(Catalogue({i: Product(one).to_json() for i, one in enumerate(trained)}), live)
    return [products[record.product_index].product_id for record in found]


class TestAmend:
    def test_what_is_said_wins_and_the_rest_stays(self):
        found = say(("MILK", {"price": "1.50", "title": "Milk"})).apply_to(MILK)
        assert (found.price, found.title, found.category, found.url) == ("1.50", "Milk", "Dairy", "/p/milk")

    def test_nothing_said_is_the_very_same_product(self):
        assert say(("BREAD", {"price": "1.50"})).apply_to(MILK) is MILK

    def test_taken_back_the_version_counts_again(self):
        live = say(("MILK", {"price": "1.50"}))
        assert say(("MILK", None), live=live).apply_to(MILK) is MILK
        assert live.apply_to(MILK).price == "1.50"

    @pytest.mark.parametrize("text", [b"", b"nonsense", b"[1]", b"5", b'{"colour":"red"}'])
    def test_nonsense_says_nothing(self, text):
        found = NO_OVERRIDES.change([Record("MILK", 1, text, trained=True)]).apply_to(MILK)
        assert (found.title, found.in_stock, found.objection(NOW)) == ("Whole milk", True, None)


class TestObjection:
    @pytest.mark.parametrize(
        ("said", "reason"),
        [
            ({"in_stock": True}, None),
            ({"in_stock": False}, "out_of_stock"),
            ({"blocked": True}, "blocked"),
            ({"blocked": False}, None),
            ({"valid_from": "2026-11-20T12:00:00Z"}, None),
            ({"valid_from": "2026-11-20T12:00:01Z"}, "not_valid"),
            ({"valid_until": "2026-11-20T12:00:00Z"}, "not_valid"),
            ({"valid_until": "2026-11-20T13:00:01+01:00"}, None),
            ({"valid_until": "1970-01-01T00:00:00Z"}, "not_valid"),
            ({"valid_from": "2027-01-01T00:00:00Z", "blocked": True, "in_stock": False}, "blocked"),
            ({"valid_from": "2026-01-01T00:00:00Z", "in_stock": False}, "out_of_stock"),
            ({"valid_from": "some day"}, None),
        ],
    )
    def test_why_a_product_is_not_shown(self, said, reason):
        found = say(("MILK", said)).apply_to(MILK)
        assert isinstance(found, OverriddenProduct)
        assert found.objection(NOW) == reason
        assert not found.in_stock or reason is None  # the short way never lets pass what the long one would not

    def test_a_version_that_is_sold_out_is_back_once_the_shop_says_so(self):
        sold_out = Product("OLD", in_stock=False)
        assert say(("OLD", {"title": "Old"})).apply_to(sold_out).objection(NOW) == "out_of_stock"
        assert say(("OLD", {"in_stock": True})).apply_to(sold_out).in_stock


class TestNewProducts:
    def test_they_stand_behind_the_best_sellers_of_their_category_and_the_shop_last_said_first(self):
        live = say(("A", {"category": "Dairy"}), ("B", {"title": "B"}), ("C", {"category": "Dairy"}), trained=False)
        found = live.new_products.complete({POPULAR: published("popular", 1, 0), DAIRY: published("popular", 0)})
        assert names(live, found[POPULAR]) == ["BREAD", "MILK", "C", "B", "A"]
        assert names(live, found[DAIRY]) == ["MILK", "C", "A"]
        assert all(math.isnan(record.score) for record in list(found[DAIRY])[1:])

    def test_a_category_of_new_products_alone_has_a_list(self):
        live = say(("A", {"category": "Dairy"}), trained=False)
        assert names(live, live.new_products.complete({DAIRY: None})[DAIRY]) == ["A"]

    @pytest.mark.parametrize(
        "said", [{}, {"price": "1"}, {"title": "A", "in_stock": False}, {"category": "Dairy", "blocked": True}]
    )
    def test_without_anything_to_show_or_to_buy_they_are_known_and_not_listed(self, said):
        live = say(("A", said), trained=False)
        lists = {POPULAR: published("popular", 0), ListKey("similar", "A"): None}
        found = live.new_products.complete(lists)
        assert names(live, found[POPULAR]) == ["MILK"]
        assert names(live, found[ListKey("similar", "A")]) == ["MILK"]
        assert live.new_product("A").product_id == "A"

    @pytest.mark.parametrize("name", ["similar", "together"])
    def test_their_neighbours_are_those_of_the_category_without_themselves(self, name):
        live = say(("A", {"category": "Dairy"}), ("B", {"category": "Dairy"}), trained=False)
        key = ListKey(name, "A")
        assert live.new_products.keys_behind([key]) == [DAIRY, POPULAR]
        found = live.new_products.complete(
            {key: None, DAIRY: published("popular", 0), POPULAR: published("popular", 1)}
        )[key]
        assert (found.name, found.basis) == (name, Basis.CATEGORY)
        assert names(live, found) == ["MILK", "B"]

    def test_without_others_in_the_category_those_of_the_shop(self):
        live = say(("A", {"category": "Tea"}), trained=False)
        key = ListKey("similar", "A")
        found = live.new_products.complete(
            {key: None, ListKey("popular", "Tea"): None, POPULAR: published("popular", 1)}
        )[key]
        assert (found.basis, names(live, found)) == (Basis.POPULAR, ["BREAD"])

    def test_in_an_empty_shop_there_are_none(self):
        live = say(("A", {}), trained=False)
        assert (
            list(live.new_products.complete({ListKey("similar", "A"): None, POPULAR: None})[ListKey("similar", "A")])
            == []
        )

    def test_other_lists_and_unknown_products_stay_as_they_are(self):
        live = say(("A", {"category": "Dairy"}), trained=False)
        lists = {ListKey("similar", "MILK"): published("similar", 1), ListKey("similar", "nope"): None}
        lists |= {ListKey("discover", "ANN"): None, ListKey("trending", "Dairy"): None}
        assert live.new_products.complete(lists) == lists
        assert live.new_products.keys_behind(lists) == []

    def test_so_many_are_listed_and_no_more(self):
        live = say(*((f"p{i}", {"category": "Dairy"}) for i in range(MOST_NEW + 1)), trained=False)
        assert len(live.new_products.complete({DAIRY: None})[DAIRY]) == MOST_NEW

    def test_once_trained_they_are_new_no_more(self):
        live = say(("A", {"category": "Dairy"}), live=say(("A", {"category": "Dairy"}), trained=False))
        assert live.new_products.complete({DAIRY: None}) == {DAIRY: None}
        assert live.new_product("A") is None

    @pytest.mark.parametrize("product_id", ["a/b", "🧀", "{}", "\n", "\udc80", '"'])
    def test_an_id_is_any_text(self, product_id):
        live = say((product_id, {"category": "Dairy"}), trained=False)
        assert names(live, live.new_products.complete({DAIRY: None})[DAIRY]) == [product_id]


class TestProductChange:
    @pytest.mark.parametrize("before", [None, b'{"price":"1","title":"A"}'])
    def test_put_replaces_all(self, before):
        after = apply(ProductChange("A", "put", {"in_stock": False, "title": None}), before)
        assert after == b'{"in_stock":false}'

    def test_patch_changes_what_it_names_and_none_takes_back(self):
        after = apply(ProductChange("A", "patch", {"in_stock": False, "title": None}), b'{"price":"1","title":"A"}')
        assert read_record(after) == {"price": "1", "in_stock": False}
        assert apply(ProductChange("A", "patch", {"title": None}), None) == b"{}"

    def test_delete_leaves_nothing(self):
        assert apply(ProductChange("A", "delete"), b"{}") is None

    def test_what_changes_nothing_gives_the_very_same(self):
        before = b'{"title":"A","price":"1"}'
        assert apply(ProductChange("A", "patch", {"price": "1"}), before) is before
        assert apply(ProductChange("A", "put", {"price": "1", "title": "A"}), before) is before

    def test_its_json_has_every_field(self):
        fields = dict.fromkeys(OVERRIDE_FIELDS, "/x")
        assert read_record(ProductChange("A", "put", fields).to_json()) == fields


@pytest.mark.parametrize("address", ["javascript:alert(1)", "//evil.example", "https://shop@evil.example", "data:x"])
def test_an_address_that_0_1_0_took_unchecked_counts_for_nothing(address):
    assert read_record(ProductChange("A", "put", {"url": address, "price": "1"}).to_json()) == {"price": "1"}
