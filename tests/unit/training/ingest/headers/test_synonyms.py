from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.ingest.headers.folding import fold
from training.ingest.headers.proposals import propose_columns
from training.ingest.headers.synonyms import LANGUAGES, synonyms
from training.ingest.schema import PURCHASE_COLUMNS, REQUIRED

WORDS = {ours: {word: language for word, (_, language) in words.items()} for ours, words in synonyms().items()}


def test_there_are_words_for_every_column_and_for_the_required_ones_in_every_language():
    assert WORDS.keys() == set(PURCHASE_COLUMNS)
    assert [(ours, name) for ours in REQUIRED for name in LANGUAGES.values() if name not in WORDS[ours].values()] == []


def test_no_word_stands_for_two_of_our_columns():
    counts = Counter(word for words in WORDS.values() for word in words)
    assert [word for word, n in counts.items() if n > 1] == []
    assert {ours: fold(ours) for ours in PURCHASE_COLUMNS if fold(ours) in counts} == {}


@given(st.data())
def test_a_header_of_synonyms_is_proposed_as_it_is_meant(data):
    wanted = data.draw(st.lists(st.sampled_from(PURCHASE_COLUMNS), unique=True, min_size=1))
    header = {ours: data.draw(st.sampled_from(sorted(WORDS[ours]))) for ours in wanted}
    shuffled = data.draw(st.permutations([*header.values(), "x1", "zzz"]))
    forms = (str, str.upper, " {} ".format, "{} (EUR)".format)
    meant = {data.draw(st.sampled_from(forms))(name): name for name in shuffled}
    found = propose_columns(list(meant), {ours: (ours,) for ours in wanted})
    assert {ours: meant[each.column] for ours, each in found.items()} == header


@pytest.mark.parametrize(
    ("column", "ours"),
    [
        ("Bestelldatum UTC", "ordered_at"),
        ("Billing Email", "customer_id"),
        ("costumer_id", "customer_id"),
        ("produkt_id", "product_id"),
        ("order_date_time_stamp", "ordered_at"),
    ],
)
def test_a_name_near_one_is_proposed(column, ours):
    assert propose_columns(["x", column, "y"], {ours: (ours,)})[ours].column == column


def test_the_plainer_of_two_is_proposed_and_the_other_named():
    found = propose_columns(["E-Mail-Adresse", "Kundennummer"], {"customer_id": ("customer_id",)})["customer_id"]
    assert (found.column, found.others) == ("Kundennummer", ("E-Mail-Adresse",))


def test_nothing_is_proposed_where_nothing_is_like_it():
    assert propose_columns(["a", "b", "??", ""], {"customer_id": ("customer_id",)}) == {}
