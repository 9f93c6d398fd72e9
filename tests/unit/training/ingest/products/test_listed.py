import polars as pl
import pytest

from training.ingest.products.listed import several_in_one


def noted(*ids):
    """Rows of products that are several, of ids with two rows each; 0 without a note."""
    products = pl.DataFrame({"product_id": ids, "len": [2] * len(ids)}, {"product_id": pl.String, "len": pl.UInt32})
    notes = several_in_one(products)
    assert [note.code for note in notes] in ([], ["several_products"])
    return sum(note.rows for note in notes)


@pytest.mark.parametrize(
    ("ids", "rows"),
    [
        (["TEA, MUG", "TEA", "MUG"], 2),
        (["TEA;MUG", "MUG;TEA", "CUP"], 4),
        (["TEA|MUG|CUP", "TEA", "MUG", "CUP"], 2),
        (["2x TEA | 1 x MUG", "1x TEA", "MUG x3"], 2),
        (["TEA (2), MUG (1)", "MUG (1)", "TEA (1)"], 2),
        (["TEA\nMUG", "TEA", "MUG"], 2),
        (['["TEA", "MUG"]', '["MUG"]', '["TEA"]'], 2),
        (["TEA, MUG", "MUG, CUP", "CUP, TEA"], 6),
        (["چای, لیوان", "چای", "لیوان"], 2),
    ],
)
def test_ids_of_which_every_part_is_a_product_are_said(ids, rows):
    assert noted(*ids) == rows


@pytest.mark.parametrize(
    "ids",
    [
        [],
        ["TEA", "MUG"],
        ["Tea, green", "Tea, black", "Mug"],
        ["Shirt | S", "Shirt | M", "Shirt"],
        ["TEA,", "TEA"],
        [",", ";"],
        ["TEA, NEW", "TEA"],
    ],
)
def test_other_ids_are_not(ids):
    assert noted(*ids) == 0
