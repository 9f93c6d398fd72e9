"""Where the header of a text is, and what parts its columns."""

import pytest

from training.tables.text.layout import find_layout


@pytest.mark.parametrize(
    ("text", "separator", "first", "names"),
    [
        ("a,b,c\n1,2,3\n", ",", 1, ["a", "b", "c"]),
        ("a;b;c\n1,5;2,5;3,5\n4,5;5,5;6,5\n", ";", 1, ["a", "b", "c"]),
        ("Shop: Tea, Mugs, Co\n\na\tb\tc\td\n1\t2,0\t3\t4\n", "\t", 3, ["a", "b", "c", "d"]),
        ("id,,when,\n1,2,3,4\n5,6,7,8\n", ",", 1, ["id", "column 2", "when", "column 4"]),
        ("customer_id\n7001\n7002\n", ",", 1, ["customer_id"]),
        ("sep=|\na|b\n1|2\n", "|", 2, ["a", "b"]),
        ('"Customer\nID",b\n1,2\n', ",", 2, ["Customer\nID", "b"]),
        ("tea,Green tea\np2,Milk 1\np3,Jam 2\n", ",", 1, ["tea", "Green tea"]),
    ],
)
def test_layouts(text, separator, first, names):
    found = find_layout(text.splitlines(keepends=True))
    assert (found.separator, found.first, found.names) == (separator, first, names)


def test_first_rows_without_digits_are_rows():
    assert find_layout(["product_id,title\n", "tea,Green tea\n", "p2,Milk\n", "p3,Jam\n", "p4,Rice\n"]).first == 1
