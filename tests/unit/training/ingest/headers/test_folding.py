import pytest

from training.ingest.headers.folding import fold, spellings


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (" customer_id ", "customer_id"),
        ("customerId", "Customer-ID"),
        ("\ufeffCustomer\u00a0ID\u200b", "customer id"),
        ("QUANTITÉ", "quantite"),
        ("Straße", "STRASSE"),
        ("کد مشتري", "کد مشتری"),
        ("كد كالا", "کد کالا"),
        ("دسته‌بندی", "دسته بندی"),  # with a zero-width non-joiner, and with a blank
        ("الفئة", "الفئه"),
        ("МЁД", "мед"),
        ("ÜRÜN ADI", "ürün ad\u0131"),
        ("\uff2f\uff52\uff44\uff45\uff52", "order"),  # full-width letters
    ],
)
def test_names_that_differ_in_no_letter_fold_alike(one, other):
    assert fold(one) == fold(other) != ""


def test_names_of_other_letters_do_not():
    assert len({fold(name) for name in ("customer", "customers", "custom", "клиент", "مشتری")}) == 5
    assert fold(" -_/ ") == ""


def test_umlauts_are_written_in_two_ways():
    assert spellings("Stückzahl") == {"stuckzahl", "stueckzahl"}
