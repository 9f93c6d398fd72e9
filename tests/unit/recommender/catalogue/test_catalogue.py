"""Products by index: decoded when they are looked at, packed where they are all of a version's."""

import sys
from dataclasses import replace

import pytest

from recommender.catalogue.catalogue import Catalogue, PackedTexts, decode_product, entry_bytes
from recommender.publication.product import Product

MILK, TEA = Product("MILK", "Milk"), Product("TEA", "Thé 茶")


@pytest.fixture
def packed() -> PackedTexts:
    texts = PackedTexts()
    texts.extend([MILK.to_json(), b""])
    texts.extend([TEA.to_json()])
    return texts


class TestPackedTexts:
    def test_is_the_mapping_of_what_was_added(self, packed):
        assert dict(packed) == {0: MILK.to_json(), 1: b"", 2: TEA.to_json()}

    @pytest.mark.parametrize("place", [-1, 3, 1_000_000])
    def test_knows_no_other_place(self, packed, place):
        assert place not in packed
        with pytest.raises(KeyError):
            packed[place]

    def test_of_nothing_is_empty(self):
        assert dict(PackedTexts()) == {}

    def test_states_what_it_takes(self, packed):
        packed.extend(replace(MILK, title=f"Milk {i}").to_json() for i in range(10_000))
        real = sum(sys.getsizeof(getattr(packed, name)) for name in packed.__slots__)
        assert real / 1.3 < packed.n_bytes < real

    def test_takes_less_than_half_of_a_dictionary_of_short_texts(self, packed):
        packed.extend(replace(MILK, title=f"Milk {i}").to_json() for i in range(10_000))
        assert packed.n_bytes < sum(map(entry_bytes, packed.values())) / 2


class TestCatalogue:
    def test_decodes_from_a_pack_as_from_a_dictionary(self, packed):
        assert [Catalogue(packed).find(i) for i in (0, 2)] == [MILK, TEA]

    @pytest.mark.parametrize("index", [1, 3, -1])
    def test_finds_nothing_where_there_is_no_product(self, packed, index):
        assert Catalogue(packed).find(index) is None


def test_an_address_that_0_1_0_published_unchecked_is_not_shown():
    published = b'{"product_id":"A","url":"javascript:alert(1)","image_url":"//evil.example/a.png","title":"A"}'
    assert decode_product(published) == Product("A", title="A")
    assert decode_product(b'{"product_id":"A","url":"/p/a"}') == Product("A", url="/p/a")
