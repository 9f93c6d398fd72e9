import polars as pl
import pytest

from training.cells.event_codes import find_event_codes
from training.cells.source_column import SAMPLE_ROWS


def asked(name, cells):
    return find_event_codes(pl.LazyFrame({name: cells}), [name])


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("behavior_type", ["1"] * 8 + ["2", "3", "4", "4"]),
        ("behavior_type", [1] * 8 + [2, 3, 4, 4]),
        ("event", ["0", "0", "1"]),
        ("Action", ["p", "p", "c", "b"]),
        ("Ereignis", ["gezeigt", "gezeigt", "gemerkt", "fertig"]),
        ("userAction", ["open", "put", "done"]),
        ("событие", ["1", "2"]),
        ("行为", ["1", "2"]),
        ("type", ["1"] * 9 + ["2"]),
        ("typ", ["A", "A", "A", "B"]),
        ("type", [1.0, 1.0, 1.0, 4.0]),
    ],
)
def test_codes_of_a_column_of_events_are_asked_for(name, cells):
    [question] = asked(name, cells)
    values = dict.fromkeys(map(str, cells))
    assert (question.code, question.column) == ("event_codes", name)
    every = "|".join(sorted(values, key=lambda value: (-list(map(str, cells)).count(value), value)))
    assert set(question.choices) == {f"--purchases-where '{name}={value}'" for value in (*values, every)}


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("payment_type", ["1", "1", "1", "2"]),
        ("product_type", ["A", "A", "A", "B"]),
        ("type", ["1", "2", "3", "4"]),
        ("type", ["tea", "tea", "tea", "mug"]),
        ("event", ["sale", "sale", "return"]),
        ("event", ["1", "1"]),
        ("event_id", [str(number) for number in range(40)]),
        ("event", [None, "", None]),
        ("type", ["", "1", "1", "1"]),
        ("colour", ["1", "1", "1", "2"]),
        ("Belegart", ["Rechnung", "Rechnung", "Gutschrift"]),
        ("Beleg", ["RE1", "RE2", "RE3"]),
        ("document_date", ["2026-09-13", "2026-09-14"]),
    ],
)
def test_other_columns_are_not(name, cells):
    assert asked(name, cells) == []


def test_rows_whose_event_is_empty_are_no_purchases_without_being_asked_for():
    [question] = asked("event", ["buy", None, "", None])
    assert list(question.choices) == ["--purchases-where 'event=buy'", "--purchases-where 'event=buy|'"]


def test_a_head_of_one_code_is_no_proof():
    [question] = asked("event", ["1"] * SAMPLE_ROWS + ["2"])
    assert question.cell == "1"


@pytest.mark.parametrize(
    ("name", "quote", "invoice"),
    [
        ("Belegart", "Angebot", "Rechnung"),
        ("Vorgangsart", "Lieferschein", "Rechnung"),
        ("Document Type", "Sales Order", "Invoice"),
        ("type de document", "Devis", "Facture"),
        ("Tipo documento", "Preventivo", "Fattura"),
        ("Тип документа", "Счёт", "Накладная"),
    ],
)
def test_documents_of_several_kinds_are_asked_for_as_one_purchase_may_have_all_of_them(name, quote, invoice):
    [question] = asked(name, [quote, invoice])
    assert set(question.choices) == {
        f"--purchases-where '{name}={quote}'",
        f"--purchases-where '{name}={invoice}'",
        f"--purchases-where '{name}={'|'.join(sorted([quote, invoice]))}'",
    }


def test_documents_that_give_back_are_named_beside_each_that_buys():
    [question] = asked("Belegart", ["Angebot", "Angebot", "Rechnung", "Gutschrift"])
    assert list(question.choices)[:2] == [
        "--purchases-where 'Belegart=Angebot|Gutschrift' --columns status='Belegart'",
        "--purchases-where 'Belegart=Rechnung|Gutschrift' --columns status='Belegart'",
    ]
