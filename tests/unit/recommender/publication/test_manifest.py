from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.publication.lists import (
    LIST_NAMES,
    OWN,
    RANKED,
    RECORDS,
    Basis,
    ListTable,
    Own,
    PublishedList,
    Ranked,
    fold,
    unfold,
)
from recommender.publication.manifest import Manifest, name_version, version_as_of
from recommender.publication.product import Product, Rhythm
from recommender.redis.keys import Keys

HALF = st.floats(width=16)
RANKED_RECORDS = st.tuples(st.integers(0, 2**31 - 1), HALF)
OWN_RECORDS = st.tuples(
    st.integers(0, 2**31 - 1), HALF, st.integers(0, 2**16 - 1), st.integers(0, 2**16 - 1), HALF, HALF, HALF
)


def _table(records: np.ndarray, lengths: list[int], basis: list[int] | None = None) -> ListTable:
    return ListTable(
        owner_ids=[f"c{i}" for i in range(len(lengths))],
        starts=np.cumsum([0, *lengths], dtype=np.int64),
        records=records,
        basis=np.array(basis or [0] * len(lengths), np.uint8),
    )


def test_a_ranked_record_takes_6_bytes_and_one_of_the_customers_own_16():
    assert (RANKED.itemsize, OWN.itemsize) == (6, 16)
    assert {name: RECORDS[name] for name in LIST_NAMES} == {
        name: OWN if name == "buy_again" else RANKED for name in LIST_NAMES
    }


def test_the_wire_form_is_fixed():
    table = _table(np.array([(258, 0.5)], RANKED), [1], [2])
    assert list(table.encode(0, 1)) == [("c0", b"\x02\x02\x01\x00\x00\x00\x38")]


@given(st.lists(RANKED_RECORDS), st.sampled_from(Basis))
def test_what_numpy_writes_is_what_struct_reads(records, basis):
    table = _table(np.array(records, RANKED), [len(records)], [basis])
    ((_, wire),) = table.encode(0, 1)
    found = PublishedList("discover", wire)
    assert found.basis is basis
    assert [tuple(map(repr, record)) for record in found.records] == [
        tuple(map(repr, (int(index), float(score)))) for index, score in table.records.tolist()
    ]
    assert all(isinstance(record, Ranked) for record in found.records)


@given(st.lists(OWN_RECORDS))
def test_what_numpy_writes_of_a_customers_own_is_what_struct_reads(records):
    table = _table(np.array(records, OWN), [len(records)])
    ((_, wire),) = table.encode(0, 1)
    found = PublishedList("buy_again", wire).records
    assert [tuple(map(repr, record)) for record in found] == [
        tuple(map(repr, record)) for record in table.records.tolist()
    ]
    assert all(isinstance(record, Own) for record in found)


def test_an_empty_list_is_one_byte():
    table = _table(np.zeros(0, RANKED), [0], [1])
    assert list(table.encode(0, 1)) == [("c0", b"\x01")]
    empty = PublishedList("discover", b"\x01")
    assert (empty.basis, empty.records, len(empty)) == (Basis.CATEGORY, [], 0)


def test_a_part_of_a_table_is_encoded():
    table = _table(np.array([(i, 0) for i in range(6)], RANKED), [1, 2, 3])
    assert [owner_id for owner_id, _ in table.encode(1, 3)] == ["c1", "c2"]
    assert [owner_id for owner_id, _ in table.encode(2, 99)] == ["c2"]
    assert list(table.encode(3, 9)) == []
    ((_, wire),) = table.encode(1, 2)
    assert [record.product_index for record in PublishedList("similar", wire).records] == [1, 2]


def test_a_table_may_have_no_owner():
    table = _table(np.zeros(0, RANKED), [])
    assert len(table) == 0
    assert list(table.encode(0, 10)) == []


@pytest.mark.parametrize(
    "broken",
    [
        {"owner_ids": ["a"]},
        {"starts": np.array([0, 1])},
        {"basis": np.zeros(3, np.uint8)},
        {"records": np.zeros(9, RANKED)},
    ],
)
def test_a_table_whose_parts_do_not_fit_is_refused(broken):
    with pytest.raises(ValueError, match=r"a table of \d owners has starts"):
        replace(_table(np.zeros(3, RANKED), [1, 2]), **broken)


SECONDS = st.integers(0, 2**32)
"""Since 1970."""
TEXT = st.none() | st.text(st.characters(exclude_categories=["Cs"]))


_ADDRESS = st.sampled_from((None, "/p/käse", "https://shop.example/käse?q=ü"))


_CURRENCY = st.sampled_from((None, "EUR", "JPY"))


@given(st.builds(Product, TEXT.filter(bool), TEXT, TEXT, TEXT, _ADDRESS, _ADDRESS, st.booleans(), currency=_CURRENCY))
def test_a_product_comes_back_from_its_json(product):
    assert Product.from_json(product.to_json()) == product


def test_a_product_of_an_earlier_release_has_no_currency():
    product = Product.from_json(b'{"product_id":"MILK","price":"1.20","in_stock":true}')
    assert (product.price, product.currency) == ("1.20", None)
    with pytest.raises(TypeError, match="currency"):
        Product.from_json(b'{"product_id":"MILK","price":"1.20","currency":978}')


def test_a_products_json_is_compact():
    assert Product("a/b", title="Käse", in_stock=False).to_json().decode() == (
        '{"product_id":"a/b","title":"Käse","in_stock":false}'
    )


MANIFEST = Manifest(
    version="20261120T020000Z-3f2a",
    as_of="2026-11-20T02:00:00+00:00",
    created_at="2026-11-20T02:05:00+00:00",
    counts={"customers": 2},
    lists={"similar": 3},
    metrics={"scores": {"reprise": {"recall@10": 0.25}}},
    gate={"verdict": "passed", "reasons": []},
    sources=["käufe.csv"],
)


def test_a_manifest_comes_back_from_its_json():
    assert Manifest.from_json(MANIFEST.to_json()) == MANIFEST
    assert Manifest.from_json(MANIFEST.to_json().encode()) == MANIFEST


def test_the_same_manifest_gives_the_same_bytes():
    shuffled = replace(MANIFEST, gate={"reasons": [], "verdict": "passed"})
    assert shuffled.to_json() == MANIFEST.to_json()


def test_fields_of_a_later_release_are_ignored():
    later = MANIFEST.to_json().replace("{", '{"colour": "blue", ', 1)
    assert Manifest.from_json(later) == MANIFEST


def test_a_version_is_named_after_its_moment_in_utc():
    berlin = datetime(2026, 11, 20, 3, tzinfo=timezone(timedelta(hours=1)))
    assert name_version(berlin, "3f2a") == "20261120T020000Z-3f2a"
    assert version_as_of("20261120T020000Z-3f2a") == datetime(2026, 11, 20, 2, tzinfo=UTC)


@given(SECONDS, SECONDS)
def test_names_of_versions_sort_by_moment(one, other):
    one, other = datetime.fromtimestamp(one, UTC), datetime.fromtimestamp(other, UTC)
    assert (name_version(one, "0000") < name_version(other, "0000")) == (one < other)
    assert version_as_of(name_version(one, "0000")) == one


def test_keys_of_one_shop_share_a_slot_and_those_of_two_never_meet():
    keys, others = ([k.current, k.versions, k.publishing, k.version("v1", "similar")] for k in (Keys("a"), Keys("b")))
    assert all(key.startswith("reprise:{a}:") for key in keys)
    assert len({*keys, *others}) == 8


def test_a_products_rhythm_comes_back():
    product = Product("MILK", rhythm=Rhythm(1.946, 0.2, 0.95))
    assert Product.from_json(product.to_json()) == product
    assert b"rhythm" not in Product("MILK").to_json()


def test_own_products_are_listed_as_if_they_were_published():
    records = [Own(1, 0.5, 20_777, 3, 1.5, 0.25, 0.5), Own(-1, 0.25, 0, 1, 2.0, 1.0, 0.125)]
    assert PublishedList.of_own(records).records == records
    assert PublishedList.of_own([]).records == []


@pytest.mark.parametrize("name", LIST_NAMES)
def test_a_list_in_another_order_has_the_same_records(name):
    wire = b"\1" + np.arange(3 * RECORDS[name].itemsize, dtype=np.uint8).tobytes()
    published = PublishedList(name, wire)
    turned = published.reorder([2, 0, 1])
    assert turned.basis is Basis.CATEGORY
    assert list(map(repr, turned)) == [repr(published.records[place]) for place in (2, 0, 1)]


def test_what_was_folded_in_counts_for_its_version_alone_and_has_no_probabilities():
    folded = fold("v1", b"\0\x0a\0\0\0\0\x38\x07\0\0\0\0\x34")
    assert [record.product_index for record in unfold(folded, "v1")] == [10, 7]
    assert all(np.isnan(record.score) for record in unfold(folded, "v1"))
    assert unfold(folded, "v2") is None


@pytest.mark.parametrize("nonsense", [b"", b"v1", b"v1\n", b"v1\n\0\1", b"\n\0"])
def test_what_is_no_folded_list_is_none(nonsense):
    assert unfold(nonsense, "v1") is None
