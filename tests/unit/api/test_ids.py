from datetime import UTC, datetime, timedelta

from api.ids import derived_recommendation_id, fresh_recommendation_id

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def test_fresh_ids_differ_and_sort_by_time():
    moments = [NOON + timedelta(milliseconds=10 * i) for i in range(20)]
    ids = [fresh_recommendation_id(lambda moment=moment: moment) for moment in moments]
    assert ids == sorted(ids)
    assert len({fresh_recommendation_id(lambda: NOON) for _ in range(100)}) == 100
    assert {len(name) for name in ids} == {30}


def test_a_fresh_id_begins_with_its_moment_in_crockfords_base_32():
    digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    name = fresh_recommendation_id(lambda: NOON)
    assert sum(digits.index(digit) * 32**i for i, digit in enumerate(reversed(name[4:14]))) == NOON.timestamp() * 1000
    assert set(name[14:]) <= set(digits)


def test_derived_ids_depend_on_their_parts_alone():
    assert derived_recommendation_id("v", "/p", "q") == derived_recommendation_id("v", "/p", "q")
    assert derived_recommendation_id("v", "/p", "q") != derived_recommendation_id("v", "/p", "r")
    assert len(derived_recommendation_id("\ud800")) == 30
