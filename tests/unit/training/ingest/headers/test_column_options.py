import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.ingest.headers.column_options import parse_columns, write_columns
from training.ingest.schema import PURCHASE_COLUMNS

names = st.one_of(
    st.text(min_size=1).filter(str.strip).filter(lambda name: "\0" not in name),
    st.text(alphabet=' "=,_abc', min_size=1).filter(str.strip),
)


@given(st.dictionaries(st.sampled_from(PURCHASE_COLUMNS), names))
def test_every_name_comes_through_a_shell_as_it_is(columns):
    words = shlex.split(write_columns(columns))
    assert words[::2] == ["--columns"] * len(columns)
    assert parse_columns(words[1::2]) == columns


@pytest.mark.parametrize(
    ("option", "named"),
    [
        ("customer_id=Customer ID,product_id=SKU", {"customer_id": "Customer ID", "product_id": "SKU"}),
        ("customer_id = Last, First, product_id = SKU", {"customer_id": "Last, First", "product_id": "SKU"}),
        ("ordered_at=date=x", {"ordered_at": "date=x"}),
        ('customer_id=" who ",product_id="a,b=c"', {"customer_id": " who ", "product_id": "a,b=c"}),
        ('customer_id="say ""who"""', {"customer_id": 'say "who"'}),
        ("customer_id=Email|Phone", {"customer_id": "Email|Phone"}),
    ],
)
def test_names_may_hold_commas_equals_signs_blanks_and_quotes(option, named):
    assert parse_columns([option]) == named


@pytest.mark.parametrize("option", ["customer_id", "customer_id=", "customer_id= ,product_id=x", ""])
def test_what_names_nothing_is_refused(option):
    with pytest.raises(ValueError, match="is not OURS=THEIRS"):
        parse_columns([option])
