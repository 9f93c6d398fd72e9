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
        ("Unit Price (USD)", "unit_price"),
        ("unit_price_eur", "unit_price"),
        ("price_eur", "unit_price"),
        ("Net unit price", "unit_price"),
        ("Quantity (pcs)", "quantity"),
        ("uid", "customer_id"),
        ("ts", "ordered_at"),
        ("Retourmenge", "refunded_quantity"),
    ],
)
def test_a_name_near_one_is_proposed(column, ours):
    assert propose_columns(["x", column, "y"], {ours: (ours,)})[ours].column == column


@pytest.mark.parametrize("ours", PURCHASE_COLUMNS)
@pytest.mark.parametrize("form", ["{} (EUR)", "{} [pcs]", "{} in EUR", "{}_usd"])
def test_our_own_name_with_a_remark_behind_is_worth_naming(ours, form):
    name = form.format(ours)
    found = propose_columns(["x", name, "y"], {each: (each,) for each in PURCHASE_COLUMNS})
    assert (found[ours].column, found[ours].plain) == (name, True)


@pytest.mark.parametrize(
    "header",
    [
        "회원번호,상품코드,주문일시,주문번호,수량,판매가,상품명",
        "Κωδικός Πελάτη,Κωδικός Είδους,Ημ/νία,Αρ. Παραγγελίας,Τεμάχια,Τιμή",
        "Vevőkód,Cikkszám,Rendelés dátuma,Rendelésszám,Mennyiség,Egységár",
        "Kundenr.,Varenr.,Ordredato,Ordrenr.,Antal,Stykpris",
        "Kundenummer,Varenummer,Bestillingsdato,Ordrenummer,Antall,Enhetspris",
        "Kundnr,Artikelnr,Orderdatum,Ordernr,Antal,À-pris",
        "id_zakaznika,kod_zbozi,datum_objednavky,cislo_objednavky,pocet_kusu,cena",
        "会員ID,商品コード,注文日時,注文番号,個数,単価,商品名",
        "用户ID,商品编码,下单时间,订单编号,购买数量,单价,商品名称",
        "Müşteri No,Stok Kodu,Sipariş Tarihi,Sipariş No,Adet,Birim Fiyat",
        "Nr klienta,Symbol towaru,Data zamówienia,Nr zamówienia,Ilość,Cena brutto",
        "Klantnummer,Artikelcode,Besteldatum,Ordernummer,Aantal,Stukprijs",
        "Cód. Cliente,Cód. Produto,Data do Pedido,Nº Pedido,Qtde,Vl. Unitário",
        "asiakasnumero,tuotekoodi,tilauspvm,tilausnumero,kpl,hinta",
        "ID Pelanggan,Kode Barang,Tanggal Transaksi,No Pesanan,Jumlah,Harga Satuan",
    ],
)
def test_headers_of_shops_in_many_languages(header):
    columns = header.split(",")
    found = propose_columns(columns, {ours: (ours,) for ours in PURCHASE_COLUMNS})
    meant = ("customer_id", "product_id", "ordered_at", "order_id", "quantity", "unit_price", "title")
    assert {ours: each.column for ours, each in found.items()} == dict(zip(meant, columns, strict=False))


def test_a_header_of_taobao_and_one_of_a_japanese_market():
    wanted = {ours: (ours,) for ours in PURCHASE_COLUMNS}
    taobao = ["订单编号", "买家会员名", "买家实际支付金额", "订单状态", "订单创建时间", "宝贝标题", "宝贝总数量"]
    found = propose_columns(taobao, wanted)
    assert {ours: each.column for ours, each in found.items()} == {
        "customer_id": "买家会员名",
        "product_id": "宝贝标题",
        "ordered_at": "订单创建时间",
        "order_id": "订单编号",
        "quantity": "宝贝总数量",
        "status": "订单状态",
        "title": "宝贝标题",
    }
    market = propose_columns(["注文番号", "注文日", "注文者氏名", "商品コード", "個数", "販売単価"], wanted)
    assert (market["customer_id"].column, market["unit_price"].column) == ("注文者氏名", "販売単価")


def test_products_without_a_number_are_known_by_their_name():
    wanted = {ours: (ours,) for ours in PURCHASE_COLUMNS}
    found = propose_columns(["Member_number", "Date", "itemDescription"], wanted)
    assert {ours: each.column for ours, each in found.items()} == {
        "customer_id": "Member_number",
        "ordered_at": "Date",
        "title": "itemDescription",
        "product_id": "itemDescription",
    }
    assert "product_id" not in propose_columns(["Beschreibung"], {"product_id": (), "title": ()}, "products")
    assert propose_columns(["sku_id", "sku_name"], wanted)["product_id"].column == "sku_id"


def test_the_plainer_of_two_is_proposed_and_the_other_named():
    found = propose_columns(["E-Mail-Adresse", "Kundennummer"], {"customer_id": ("customer_id",)})["customer_id"]
    assert (found.column, found.others) == ("Kundennummer", ("E-Mail-Adresse",))


def test_nothing_is_proposed_where_nothing_is_like_it():
    assert propose_columns(["a", "b", "??", ""], {"customer_id": ("customer_id",)}) == {}


def test_words_of_product_files_stand_beside_those_of_purchases():
    wanted = {ours: (ours,) for ours in ("product_id", "title", "price")}
    found = propose_columns(["id", "sku_name", "base_price", "cogs", "Unit Cost"], wanted, "products")
    assert {ours: each.column for ours, each in found.items()} == {
        "product_id": "id",
        "title": "sku_name",
        "price": "base_price",
    }
    assert propose_columns(["Artikelnummer", "Preis", "ListPrice"], wanted, "products")["price"].column == "Preis"
    assert "product_id" not in propose_columns(["id"], wanted)
