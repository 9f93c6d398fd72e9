import polars as pl
import pytest

from recommender.errors import MissingColumnError
from training.cells.findings import READ
from training.cells.ids import NOTHING, ZERO, add_first_filled, hash_customers, read_ids, used_columns
from training.cells.source_column import SourceColumn


def read(cells, dtype=pl.String):
    """What the cells mean, and code → rows of what was counted."""
    frame = pl.LazyFrame({"cell": pl.Series(cells, dtype=dtype)})
    found = read_ids("customer_id", SourceColumn(frame, "cell"))
    read_too = pl.col("cell").cast(pl.String).alias(READ + "customer_id")
    rows = frame.select(found.value.alias("customer_id"), read_too)
    flags = rows.select(note.where.fill_null(value=False).sum().alias(note.code) for note in found.counted).collect()
    counts = {code: rows for code, rows in flags.row(0, named=True).items() if rows}
    return rows.collect()["customer_id"].to_list(), counts


@pytest.mark.parametrize(
    "word",
    [
        *("(not set)", "guest", "GUEST", "Guest", "N/A", "n/a", "undefined", "-", "null", "NULL", "None", "NaN", "nan"),
        *("0", "0.0", "-1", "(none)", "Unknown", "anonymous", "not_set", "#N/A", "\\N", "<NA>", "Gast", "مهمان", " — "),
        *("n.v.t.", "k.A.", "keine Angabe", "anonymous user", "не указан", "ندارد"),
        *("Barverkauf", "Barkunde"),
        *(
            "00000000-0000-0000-0000-000000000000",
            "0000",
            "Walk-in",
            "(other)",
            "[object Object]",
            "#REF!",
            "???",
            "{}",
        ),
    ],
)
def test_a_word_for_nothing_is_nothing_and_counted(word):
    assert read(["7001", word, "7002"]) == (["7001", None, "7002"], {"nothing": 1})


def test_an_empty_cell_is_nothing_and_no_word():
    assert read(["7001", "", None, "  "]) == (["7001", None, None, None], {})


@pytest.mark.parametrize(
    "id_", ["00123", "a b", "a'b", 'a"b', "日本-ü", "1.0.0", "v1.0", "NULL-7", "guest-17", "0x0", "10"]
)
def test_an_id_stays_as_it_is_written(id_):
    assert read(["7001", f" {id_} "]) == (["7001", id_], {})


@pytest.mark.parametrize("word", sorted([*NOTHING, *ZERO]))
def test_no_word_for_nothing_passes_for_an_id_that_needs_no_look(word):
    assert read([word, "7001", "7003"])[0] == [None, "7001", "7003"]


@pytest.mark.parametrize("id_", ["9.23E+11", "9,23e+11", "'9.23E+11", '="9.23E+11"', " 1E+12 ", "-9.23E11"])
def test_a_number_that_was_cut_is_no_id_and_no_word_for_nothing(id_):
    assert read(["7001", id_]) == (["7001", None], {})


@pytest.mark.parametrize("guarded", ["'7001", "'7001'", '="7001"', ' ="7001"'])
def test_guards_of_spreadsheets_are_taken_off(guarded):
    assert read([guarded, "7002"]) == (["7001", "7002"], {"guarded_ids": 1} if guarded[0] != " " else {})


def test_an_inch_mark_is_no_guard():
    assert read(['5"', '="', "x'"]) == (['5"', None, "x'"], {"nothing": 1})


def test_whole_decimals_are_joined_with_the_numbers_they_were():
    assert read(["7001.0", "7001", "-3.0"]) == (["7001", "7001", "-3"], {"decimal_ids": 2})
    assert read(["7001,0", "7002.00"]) == (["7001", "7002"], {"decimal_ids": 2})


def test_decimals_stay_where_the_column_has_others():
    assert read(["7001.0", "7001.17"]) == (["7001.0", "7001.17"], {})


def test_zero_is_an_id_where_ids_are_numbered_from_it():
    numbered = [str(number) for number in range(12)]
    assert read(numbered) == (numbered, {})
    assert read(["0"]) == (["0"], {})
    assert read([*numbered, "99"])[0][0] is None


def test_ids_of_other_types_are_text():
    assert read([13085.0, None, 7.0], pl.Float64)[0] == ["13085", None, "7"]
    assert read([13085, 0, 7], pl.Int64)[0] == ["13085", None, "7"]


@pytest.mark.parametrize(
    ("ids", "what"),
    [
        (["ann@shop.example", "ben@shop.example"], "e-mail addresses"),
        (["+44794607001", "0044 7946 07002"], "phone numbers"),
        (["ann@shop.example", "+44 7946 07001"], "e-mail addresses or phone numbers"),
    ],
)
def test_ids_that_are_personal_data_are_noticed(ids, what):
    column = SourceColumn(pl.LazyFrame({"cell": ids}), "cell")
    (note,) = read_ids("customer_id", column).notes
    assert note.code == "personal_ids"
    assert what in note.text
    assert "--hash-customers" in note.text
    assert not any(one in note.text for one in ids)
    assert list(read_ids("product_id", column).notes) == []


@pytest.mark.parametrize("ids", [["4479460700", "7001"], ["00417", "00418"], ["C-1042", "ann"], []])
def test_other_ids_are_not(ids):
    assert (
        list(
            read_ids("customer_id", SourceColumn(pl.LazyFrame({"cell": pl.Series(ids, dtype=pl.String)}), "cell")).notes
        )
        == []
    )


def test_the_first_filled_of_several_columns():
    table = pl.LazyFrame({"Email": ["a@x.example", "", "guest"], "Phone": ["1", "+442", None], "Name": ["A", "B", "C"]})
    found = add_first_filled(table, {"customer_id": "Email|Phone | Name", "product_id": "Name"}, "orders.csv").collect()
    assert found["Email|Phone | Name"].to_list() == ["a@x.example", "+442", "C"]
    assert used_columns(["Email|Phone", "Name"]) == {"Email|Phone", "Email", "Phone", "Name"}


def test_a_column_that_is_not_there_is_named():
    with pytest.raises(
        MissingColumnError, match=r"orders\.csv has no column 'Tel' of 'Email\|Tel'; its columns are 'Email'"
    ):
        add_first_filled(pl.LazyFrame({"Email": ["a"]}), {"customer_id": "Email|Tel"}, "orders.csv")


def test_digests_are_the_same_for_the_same_id_and_salt_alone():
    rows = pl.DataFrame({"customer_id": ["ann", "ben", "ann"], "quantity": [1.0, 2.0, 3.0]})
    one, other = hash_customers(rows, b"one"), hash_customers(rows, b"other")
    assert one["quantity"].to_list() == [1.0, 2.0, 3.0]
    ann, ben, again = one["customer_id"]
    assert ann == again != ben
    assert set(one["customer_id"]).isdisjoint(other["customer_id"])
    assert hash_customers(rows, None) is rows
