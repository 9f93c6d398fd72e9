import math
import struct
from dataclasses import astuple, fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.person import digest_of_person, encode_id
from recommender.publication import profile_blocks
from recommender.publication.profile import Profile
from recommender.publication.profile_blocks import (
    PER_BLOCK,
    PROFILE,
    ProfileTable,
    block_of,
    decode_block,
    drop_profile,
    find_profile,
)
from tests.support.profiles import make_newcomer, make_profile, make_table, same

IDS = st.lists(st.text(st.characters(), max_size=8), unique=True, max_size=2 * PER_BLOCK)
"""Half surrogates included."""


def test_a_record_has_every_field_of_a_profile_but_the_id():
    assert ("customer_id", *(PROFILE.names or ())) == tuple(field.name for field in fields(Profile))
    assert PROFILE.itemsize == 41


def test_every_field_comes_back():
    extreme = make_profile(
        "é",
        first_day=0,
        last_day=65_535,
        orders=65_535,
        spent=-1.5,
        average_order_value=3e38,
        expected_orders_365d=65_504.0,
        predicted_clv=math.inf,
        rfm_recency=0,
    )
    (_, wire) = next(make_table(extreme).encode())
    (found,) = decode_block(wire)
    assert astuple(found)[:5] == ("é", 0, 65_535, 65_535, -1.5)
    assert found.average_order_value == np.float32(3e38)
    assert (found.expected_orders_365d, found.predicted_clv, found.rfm_recency) == (65_504, math.inf, 0)


def test_what_is_not_known_comes_back_so():
    (_, wire) = next(make_table(make_newcomer("new")).encode())
    assert same(find_profile(wire, "new"), make_newcomer("new"))


@given(ids=IDS)
def test_any_customers_come_back_from_their_blocks(ids):
    table = make_table(*(make_profile(one, orders=i + 1) for i, one in enumerate(ids)))
    blocks = dict(table.encode())
    assert list(blocks) == list(range(table.n_blocks)) == list(range(max(1, math.ceil(len(ids) / PER_BLOCK))))
    assert sum(map(len, blocks.values())) == table.n_bytes
    for i, one in enumerate(ids):
        found = find_profile(blocks[block_of(digest_of_person(one, None), len(blocks))], one)
        assert found == make_profile(one, orders=i + 1)
    assert sorted(one.customer_id for wire in blocks.values() for one in decode_block(wire)) == sorted(ids)


@given(ids=IDS.filter(bool), data=st.data())
def test_one_is_dropped_and_the_others_stay(ids, data):
    gone = data.draw(st.sampled_from(ids))
    left = ids.copy()
    left.remove(gone)
    wires = [drop_profile(wire, gone) for _, wire in make_table(*map(make_profile, ids)).encode()]
    assert sorted(one.customer_id for wire in wires for one in decode_block(wire)) == sorted(left)
    assert [drop_profile(wire, gone) for wire in wires] == wires


def test_the_same_customers_in_another_order_give_the_same_blocks():
    people = [make_profile(f"c{i}") for i in range(200)]
    assert list(make_table(*people).encode()) == list(make_table(*reversed(people)).encode())


def test_a_block_is_made_when_it_is_asked_for(monkeypatch):
    """A publisher holds a lock that it renews with what it sends, and no more of a version than that in memory."""
    table = make_table(*(make_profile(f"C{number}") for number in range(20 * PER_BLOCK)))
    made = []
    monkeypatch.setattr(profile_blocks, "encode_id", lambda one: made.append(one) or encode_id(one))
    _, first = next(table.encode())
    assert len(made) == len(decode_block(first)) < 2 * PER_BLOCK


def test_nobody():
    table = make_table()
    assert (len(table), table.n_blocks, table.n_bytes, list(table.encode())) == (0, 1, 0, [(0, b"")])
    assert decode_block(b"") == []
    assert find_profile(b"", "ann") is None


def test_a_table_without_some():
    left = make_table(*map(make_profile, "abc")).without({"b", "x"})
    assert list(left.customer_ids) == ["a", "c"]
    assert len(left.records) == 2


def test_a_table_without_some_knows_the_digests_of_the_others():
    table = make_table(*(make_profile(f"C{number}") for number in range(9)))
    left = table.without({"C3"})
    assert left.digests.tolist() == make_table(*(make_profile(f"C{n}") for n in range(9) if n != 3)).digests.tolist()


def test_a_table_that_does_not_fit_its_ids_is_refused():
    for records in (np.zeros(1, PROFILE), np.zeros(2, np.float32)):
        with pytest.raises(ValueError, match="2 customers have"):
            ProfileTable(["a", "b"], records)


@pytest.mark.parametrize("wire", [b"\x00", b"\x05\x00ann", b"\x03\x00ann" + bytes(40)])
def test_half_a_block_is_an_error(wire):
    with pytest.raises(struct.error):
        decode_block(wire)
