"""Answers as bytes."""

import json
import tracemalloc

import pytest

from api.json import dump


@pytest.mark.parametrize("document", [{"a": [1, 2.5, None, True]}, {"é": "茶"}, [], "half a pair \ud800"])
def test_says_what_it_was_given(document):
    assert json.loads(dump(document).decode("utf-8", "surrogatepass")) == document


def test_is_compact_and_not_escaped():
    assert dump({"a": ["é", 1]}) == '{"a":["é",1]}'.encode()


def test_a_number_that_json_cannot_say_is_null():
    assert dump([float("nan"), float("inf")]) == b"[null,null]"


def test_holds_no_more_memory_than_its_length():
    document = {"items": [{"title": "x" * 20, "rank": rank} for rank in range(60)]}
    length = len(dump(document))
    tracemalloc.start()
    try:
        kept = [dump(document) for _ in range(100)]
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 1.2 * length * len(kept)
