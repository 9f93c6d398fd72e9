import json

import pytest

from recommender.person import digest_of_person
from recommender.publication.erasure import leave_out
from recommender.publication.insights import (
    DueLine,
    Insights,
    pack_document,
    pack_lines,
    unpack_document,
    unpack_lines,
)
from tests.support.console import INSIGHTS, publication


def test_what_is_saved_comes_back_and_is_the_same_text_each_time():
    again = Insights.from_json(INSIGHTS.to_json())
    assert again == INSIGHTS
    assert again.to_json() == INSIGHTS.to_json()
    odd = Insights({"a": [None, 0.5]}, {"\ud800": [DueLine('"<', 3, 0.1)]})
    assert Insights.from_json(odd.to_json()) == odd


def test_what_redis_keeps_comes_back():
    assert unpack_document(pack_document(INSIGHTS.document)) == json.loads(json.dumps(INSIGHTS.document))
    lines = INSIGHTS.due["ANNA"]
    assert unpack_lines(pack_lines(lines)) == lines


@pytest.mark.parametrize("wire", [b"", b"nonsense", pack_document({})[:-3]])
def test_nonsense_is_a_value_error(wire: bytes):
    with pytest.raises(ValueError):  # noqa: PT011 - what was read is nobody's business
        unpack_document(wire)


def test_a_large_board_stays_within_the_size_that_is_stated():
    due = {f"customer-{i:08}": [DueLine(f"PRODUCT-{i:06}-{j}", j, 0.1234) for j in range(3)] for i in range(10_000)}
    packed = sum(len(one) + len(pack_lines(lines)) for one, lines in due.items())
    assert packed < 1_500_000


def test_an_erased_customer_is_left_off_the_board():
    left = leave_out(publication(), {digest_of_person("ANNA", None)})
    assert left.insights is not None
    assert set(left.insights.due) == {"x/y"}
