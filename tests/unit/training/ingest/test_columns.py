import pytest

from recommender.errors import MissingColumnError, UsageError
from training.ingest.columns import header_notes, take_columns
from training.ingest.formats.known import find_format

KNOWN = find_format("reprise").columns


def refusal(seen, named=None, known=KNOWN, file="f.csv"):
    with pytest.raises(MissingColumnError) as caught:
        take_columns(seen, known, named or {}, str(file))
    return caught.value


def test_the_callers_names_win_over_the_formats():
    known = {"customer_id": ("customer_id",), "product_id": ("product_id",), "ordered_at": ("ordered_at",)}
    seen = ["customer_id", "buyer", "product_id", "ordered_at"]
    assert take_columns(seen, known, {"customer_id": "buyer"}, "f.csv")["customer_id"] == "buyer"


def test_a_missing_column_names_those_seen_and_the_nearest():
    with pytest.raises(MissingColumnError) as caught:
        take_columns(["Customer ID", "sku"], {"customer_id": ("customer_id",)}, {}, "f.csv")
    assert "'Customer ID', 'sku'" in str(caught.value)
    assert "f.csv has no column 'customer_id', 'product_id', 'ordered_at'" in str(caught.value)
    assert "--columns customer_id='Customer ID' --columns product_id=sku --columns ordered_at=…" in str(caught.value)


def test_a_named_column_that_is_not_there_is_missing_even_if_optional():
    known = {name: (name,) for name in ("customer_id", "product_id", "ordered_at")}
    with pytest.raises(MissingColumnError, match="nearest is 'qty'"):
        take_columns([*known, "qty"], known, {"quantity": "qtty"}, "f.csv")


def test_a_name_that_is_not_ours_is_a_usage_error():
    with pytest.raises(UsageError, match="'user_id' is not a column of ours"):
        take_columns(["a"], {}, {"user_id": "a"}, "f.csv")


@pytest.mark.parametrize(
    "seen",
    [
        [" customer_id ", "product_id", "ordered_at"],
        ["CUSTOMER_ID", "Product-ID", "orderedAt"],
        ["Customer Id", "product.id", "ordered at\t"],
        ["customer_id\u200b", "\ufeffproduct_id", "ordered\u00a0at"],
    ],
)
def test_a_name_that_differs_in_no_letter_is_taken_and_said(seen):
    taken = take_columns(seen, KNOWN, {}, "f.csv")
    assert taken == dict(zip(("customer_id", "product_id", "ordered_at"), seen, strict=True))
    notes = header_notes(taken, seen, KNOWN, {})
    assert {note.code for note in notes} == {"column_taken"}
    assert len(notes) == sum(name not in KNOWN for name in seen)


def test_of_two_such_names_none_is_taken():
    error = refusal(["Customer ID", "customer-id", "product_id", "ordered_at"])
    assert "'Customer ID', 'customer-id' differ in no letter, so say which is meant" in str(error)
    assert (
        take_columns(["Customer ID", "customer_id", "product_id", "ordered_at"], KNOWN, {}, "f.csv")["customer_id"]
        == "customer_id"
    )


def test_all_that_is_missing_is_named_at_once_with_a_proposal_for_each():
    error = refusal(["Клиент", "Товар", "Дата", "Номер заказа", "Количество", "Цена", "Склад"])
    assert error.proposed["columns"] == {
        "customer_id": "Клиент",
        "product_id": "Товар",
        "ordered_at": "Дата",
        "order_id": "Номер заказа",
        "quantity": "Количество",
        "unit_price": "Цена",
    }
    assert "has no column 'customer_id', 'product_id', 'ordered_at'" in str(error)
    assert str(error).endswith("--columns quantity='Количество' --columns unit_price='Цена'")


def test_what_cannot_be_proposed_is_left_to_be_said():
    error = refusal(["a", "sku", "when"])
    assert str(error).endswith(
        "say which they are, add --columns product_id=sku --columns customer_id=… --columns ordered_at=…"
    )
    assert error.proposed == {}


def test_a_header_of_a_known_format_is_named(tmp_path):
    error = refusal(["timestamp", "visitorid", "event", "itemid", "transactionid"])
    assert "Retailrocket" in str(error)
    assert error.proposed == {"format": "retailrocket"}
    for name in ("olist_orders_dataset.csv", "olist_order_items_dataset.csv", "olist_customers_dataset.csv"):
        (tmp_path / name).touch()
    error = refusal(["order_id", "product_id", "price"], file=tmp_path / "olist_order_items_dataset.csv")
    assert error.proposed == {"format": "olist"}
    assert refusal(list(KNOWN), known=find_format("shopify").columns).proposed == {"format": "reprise"}


def test_an_optional_column_under_another_name_is_said_and_not_read():
    seen = ["customer_id", "product_id", "ordered_at", "QTY", "Total"]
    taken = take_columns(seen, KNOWN, {}, "f.csv")
    assert "quantity" not in taken
    (note,) = header_notes(taken, seen, KNOWN, {})
    assert note.text == "column 'QTY' is not read; where it holds quantity (English), add --columns quantity=QTY"


def test_thousands_of_columns_are_counted():
    assert "'c29' and 2,970 more;" in str(refusal([f"c{n}" for n in range(3_000)]))


def test_a_product_feed_is_no_purchase_file():
    error = refusal(["id", "title", "link", "price"])
    assert "a header of a Google product feed, which --products reads beside the purchases" in str(error)


def test_a_key_of_an_object_is_proposed_and_not_the_object():
    proposed = refusal(["customer", "customer.id", "sku", "created_at"]).proposed
    assert proposed["columns"]["customer_id"] == "customer.id"


def test_a_phone_number_is_proposed_behind_the_e_mail_address():
    proposed = refusal(["Email", "Phone", "sku", "created_at"]).proposed
    assert proposed["columns"]["customer_id"] == "Email|Phone"
