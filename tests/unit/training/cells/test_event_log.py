import polars as pl
import pytest

from recommender.errors import MissingColumnError, UsageError
from training.cells.event_log import PURCHASE, find_event_logs, is_purchase, note_statuses, words_of_columns
from training.cells.source_column import SAMPLE_ROWS

LOGS = {
    "retailrocket": (["view", "addtocart", "transaction"], "transaction"),
    "rees46": (["view", "cart", "remove_from_cart", "purchase"], "purchase"),
    "taobao": (["pv", "buy", "cart", "fav"], "buy"),
    "ga4": (["page_view", "view_item", "add_to_cart", "begin_checkout", "purchase"], "purchase"),
    "segment": (["Product Viewed", "Product Added", "Checkout Started", "Order Completed"], "Order Completed"),
    "klaviyo": (["Viewed Product", "Added to Cart", "Placed Order"], "Placed Order"),
    "pixel": (["ViewContent", "AddToCart", "Purchase"], "Purchase"),
    "german": (["Ansicht", "Warenkorb", "Kauf"], "Kauf"),
    "german_page": (["Seitenaufruf", "Angesehen", "In den Warenkorb gelegt", "Gekauft"], "Gekauft"),
    "french": (["page vue", "ajout au panier", "commande"], "commande"),
    "spanish": (["Ver producto", "Añadir al carrito", "Compra"], "Compra"),
    "italian": (["visualizzazione", "aggiunto al carrello", "ordine"], "ordine"),
    "portuguese": (["Visualização de produto", "Adicionar ao carrinho", "Compra"], "Compra"),
    "dutch": (["bekeken", "toegevoegd aan winkelwagen", "gekocht"], "gekocht"),
    "polish": (["Wyświetlenie produktu", "Dodanie do koszyka", "Zakup"], "Zakup"),
    "turkish": (["Görüntüleme", "Sepete ekle", "Satın alma"], "Satın alma"),
    "russian_phrases": (["просмотр товара", "добавление в корзину", "покупка"], "покупка"),
    "persian": (["مشاهده محصول", "افزودن به سبد خرید", "خرید"], "خرید"),
    "arabic": (["مشاهدة المنتج", "إضافة إلى السلة", "شراء"], "شراء"),
    "chinese": (["浏览", "加购", "购买"], "购买"),
    "russian": (["просмотр", "корзина", "покупка"], "покупка"),
    "carts": (["cart", "order"], "order"),
}


@pytest.mark.parametrize("log", LOGS)
def test_a_column_of_events_is_asked_for_with_what_buys(log):
    values, buys = LOGS[log]
    (question,) = find_event_logs({"what": values})
    assert question.column == "what"
    assert list(question.choices) == [f"--purchases-where 'what={buys}'"]
    assert "of which only the named ones are purchases" in str(question)


def test_what_takes_back_is_proposed_as_a_status_too():
    (question,) = find_event_logs({"event": ["view", "purchase", "refund"]})
    assert list(question.choices) == ["--purchases-where 'event=purchase|refund' --columns status='event'"]


@pytest.mark.parametrize(
    "values",
    [
        ["paid", "refunded"],
        ["order", "return"],
        ["Lake View", "Sea View"],
        ["Basket", "Watch", "Tea"],
        ["purchase"],
        ["search", "email", "direct"],
        [f"view {number}" for number in range(60)],
        [],
    ],
)
def test_other_columns_are_not(values):
    assert find_event_logs({"what": values}) == []


def test_views_that_come_after_a_head_of_purchases_are_found():
    kinds = ["purchase"] * SAMPLE_ROWS + ["view"]
    table = pl.LazyFrame({"kind": kinds, "customer": ["7001"] * len(kinds)})
    (question,) = find_event_logs(words_of_columns(table, ["kind", "customer"]))
    assert list(question.choices) == ["--purchases-where 'kind=purchase'"]
    assert find_event_logs(words_of_columns(table.head(SAMPLE_ROWS), ["kind", "customer"])) == []
    assert words_of_columns(table, ["customer"]) == {"customer": ["7001"]}
    assert words_of_columns(table, []) == {}


def test_a_column_of_statuses_that_nobody_named_is_pointed_out():
    (note,) = note_statuses({"type": ["sale", "Return"], "colour": ["red", "void"], "paid": ["paid", "open"]})
    assert note.text == (
        "column 'type' is not used; where 'Return' says that a row went back, read it by --columns status='type'"
    )


@pytest.mark.parametrize(
    ("name", "values", "told"),
    [("is_refund", ["true", "false"], 1), ("Returned", ["0", "1"], 1), ("is_refund", ["false"], 0), ("gift", ["1"], 0)],
)
def test_so_is_a_column_whose_name_speaks_of_returns(name, values, told):
    notes = note_statuses({name: values})
    assert [note.code for note in notes] == ["status_not_used"] * told
    endings = tuple(f"--columns status={name!r} --returned {value}" for value in ("true", "1"))
    assert all(note.text.endswith(endings) for note in notes)


@pytest.mark.parametrize(
    ("rule", "bought"),
    [
        (None, [True] * 4),
        ("kind=buy", [False, True, False, False]),
        (" kind = Buy | view ", [True, True, False, False]),
        ("kind=buy|", [False, True, False, True]),
    ],
)
def test_which_rows_are_purchases(rule, bought):
    table = pl.LazyFrame({"kind": ["view", " BUY ", "cart", None]})
    assert table.with_columns(is_purchase(rule, ["kind"], "p.csv")).collect()[PURCHASE].to_list() == bought


@pytest.mark.parametrize("rule", ["kind", "kind=", ""])
def test_what_is_no_rule(rule):
    with pytest.raises(UsageError, match=r"is not COLUMN=VALUE, such as event=transaction"):
        is_purchase(rule, ["kind"], "p.csv")


def test_a_rule_on_a_column_that_is_not_there():
    with pytest.raises(MissingColumnError, match=r"p\.csv has no column 'event' .*'kind'"):
        is_purchase("event=buy", ["kind"], "p.csv")


@pytest.mark.parametrize(("name", "values"), [("is_view", ["1", "0"]), ("Pageview", ["false", "true"])])
def test_a_column_that_says_whether_a_row_is_a_view_is_asked_for(name, values):
    (question,) = find_event_logs({name: values})
    no, yes = sorted(values)
    assert list(question.choices) == [f"--purchases-where '{name}={no}'", f"--purchases-where '{name}={no}|{yes}'"]


@pytest.mark.parametrize(
    ("name", "values", "buys"),
    [("is_purchase", ["0", "1"], ["1"]), ("Purchased", ["True", "False"], ["True"]), ("bought", ["1"], [])],
)
def test_a_column_that_says_whether_a_row_is_a_purchase_is_asked_for(name, values, buys):
    questions = find_event_logs({name: values, "first_purchase": ["0", "1"], "flag": ["0", "1"]})
    assert [list(one.choices) for one in questions] == [[f"--purchases-where '{name}={value}'"] for value in buys]
