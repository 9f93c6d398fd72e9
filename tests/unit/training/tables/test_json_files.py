"""JSON-lines and documents as tables."""

import json

import pytest

from recommender.errors import UnreadableFileError

ROWS = [{"id": "1", "n": 1.5, "city": "Köln"}, {"id": "2", "n": None, "city": "a\nb"}, {"id": "3", "n": 3, "city": ""}]
CELLS = [("1", "1.5", "Köln"), ("2", None, "a\nb"), ("3", "3", "")]


@pytest.mark.parametrize(
    "content",
    [
        "\n".join(map(json.dumps, ROWS)),
        "\ufeff" + "\r\n\r\n".join(map(json.dumps, ROWS)),
        json.dumps(ROWS),
        json.dumps(ROWS, indent=2),
        ",\n".join(map(json.dumps, ROWS)),
        "\n".join(json.dumps(row, indent=1) for row in ROWS),
        json.dumps({"count": 3, "orders": ROWS}),
        json.dumps({"meta": {"filters": [{"x": 1}]}, "data": {"orders": ROWS}}, indent=1),
    ],
    ids=["lines", "BOM", "array", "pretty array", "commas", "pretty objects", "held", "held deep"],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_every_form_says_the_same(scan, content, encoding):
    found = scan(content.encode(encoding), "p.json")
    assert (found.names, found.rows, found.broken) == (["id", "n", "city"], CELLS, {})


def test_where_the_rows_were_is_said(scan):
    assert "under 'orders' are read" in scan(json.dumps({"count": 3, "orders": ROWS})).remarks["json_array"]


def test_one_object_that_is_a_row_stays_one(scan):
    row = {"event": "purchase", "user": "7", "at": "2026-09-01", "items": [{"item_id": "a"}]}
    assert scan(json.dumps(row)).rows == [("purchase", "7", "2026-09-01", '[{"item_id":"a"}]')]


def test_a_key_that_only_a_late_line_has(scan):
    lines = [json.dumps({"id": str(n)}) for n in range(5_000)]
    lines[4_321] = json.dumps({"id": "4321", "status": "refunded", "deep": {"er": {"est": 1}}})
    found = scan("\n".join(lines))
    assert found.names == ["id", "status", "deep", "deep.er", "deep.er.est"]
    assert [row for row in found.rows if row[1]] == [("4321", "refunded", '{"er":{"est":1}}', '{"est":1}', "1")]


def test_text_that_looks_like_a_key_is_none(scan):
    lines = [json.dumps({"id": "1"})] * 1_500 + [json.dumps({"id": 'say "x": y', "it's": "2"})]
    assert scan("\n".join(lines)).names == ["id", "it's"]


def test_nested_keys_have_names(scan):
    found = scan(json.dumps({"customer": {"id": 7001}, "tags": ["a"]}) + "\n" + json.dumps({"customer": {"id": 7002}}))
    assert found.names == ["customer", "customer.id", "tags"]
    assert [row[1] for row in found.rows] == ["7001", "7002"]


def test_lines_that_are_no_object_are_broken(scan):
    found = scan('{"id": 1}\n{"id": \n[1]\n\n{"id": 2}')
    assert (found.lines, sorted(found.broken)) == ([1, 5], [2, 3])


@pytest.mark.parametrize("content", ['[{"id": 1}, {"i', '{"orders": [{"id": 1}', '{"a": 1'])
def test_a_document_that_breaks_off(scan, content):
    with pytest.raises(UnreadableFileError, match=r"p\.json breaks off or is no JSON"):
        scan(content, "p.json")


@pytest.mark.parametrize("content", ["[]", "{}", "[1, 2]"])
def test_a_document_without_rows(scan, content):
    with pytest.raises(UnreadableFileError, match=r"p\.json is empty: it holds no JSON object with keys"):
        scan(content, "p.json")


def test_a_long_array_is_read_block_by_block(scan):
    rows = [{"id": str(n), "text": "x" * 100} for n in range(30_000)]
    assert len(scan(json.dumps({"orders": rows})).rows) == 30_000
