"""Guesses of encodings by a few words of shops."""

import pytest

from training.tables.text.encodings import encoding_of_head, guess_encoding, likely_encodings

WORDS = {
    "cp1252": [
        "7002,TEA,2026-10-25,A4,1,4.50,Orléans",
        "Müller;Käse;Straße",
        "Crème brûlée 5 €;Bonn",
        "ID Cliente;Nº Pedido;Precio",
        "Cliente;N.º de pedido;1ª via",
    ],
    "mac_roman": ["Orléans", "Müller;Käse;Straße", "Crème brûlée"],
    "cp850": ["Müller;Käse;Straße", "Größe"],
    "cp1250": [
        "Zákazník;Výrobek;Čaj černý",
        "Łódź;Żółty kubek;Kraków",
        "Zielona herbata;Ilość;Zamówienie",
        "Vevő;Termék;Rendelés dátuma;Egységár",
        "Český šálek",
        "Kőszeg;Füzet",
        "Oraş;Preţ",
        "Zboží;4,50 Kč;Vyřízeno\nZboží;9 Kč;Vyřízeno",
    ],
    "cp1254": ["Müşteri;Ürün;Ayşe;Çay bardağı", "İstanbul;Kahve fincanı"],
    "cp1251": ["Покупатель;Товар;Дата", "Иванов;Кружка большая", "КРУЖКА БЕЛАЯ", "Київ;Їжак", "Заказ №5", "ЧАЙ"],
    "koi8_r": ["Покупатель;Товар;Дата", "Чай чёрный"],
    "cp866": ["Покупатель;Товар;Дата", "Чай чёрный"],
    "iso8859_5": ["Покупатель;Товар;Дата"],
    "cp1253": ["Πελάτης;Προϊόν;Ημερομηνία", "Αθήνα;Τσάι;Κούπα", "ΤΣΑΪ ΠΡΑΣΙΝΟ", "Κωδικός Είδους;Ποσότητα;Τιμή"],
    "iso8859_7": ["Αθήνα;Τσάι;Κούπα"],
    "cp1255": ["לקוח;מוצר;תאריך"],
    "cp1256": ["العميل;المنتج;التاريخ", "شاي اسود", "دبي"],
    "shift_jis": ["顧客;商品;日付", "紅茶カップ"],
    "gb18030": ["客户;产品;日期", "绿茶", "订单编号,购买数量"],
    "cp949": [
        "고객번호,상품코드,주문일",
        "홍차,머그컵",
        "서울",
        "김철수,녹차",
        "반품,취소,배송완료",
        "회원 아이디, 상품명 : 햇반",
    ],
    "big5": ["客戶;產品;日期", "綠茶,紅茶", "訂單編號,數量"],
    "euc_jp": ["顧客番号,商品コード,注文日", "紅茶カップ"],
    "cp1257": ["Klients;Preču kods;Datums", "Šķīvis;Tējas krūze"],
}


@pytest.mark.parametrize(("encoding", "text"), [(name, text) for name, texts in WORDS.items() for text in texts])
def test_words_are_read_rightly(encoding, text):
    content = text.encode(encoding)
    assert content.decode(guess_encoding(content)) == text


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_without_a_mark_is_told_by_its_zeros(encoding):
    assert encoding_of_head("Клиент,Товар,2026-09-13\n".encode(encoding)) == encoding
    assert encoding_of_head(b"a,b\0c\n1,2\n") is None
    assert encoding_of_head(b"1") is None


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("gb18030", "客户ID,SKU编号,日期"),
        ("cp949", "고객ID,상품SKU,날짜"),
        ("cp932", "取引日,顧客ID\n2026年9月17日,￥1200\n2026年9月18日,￥1200\n2026年9月19日,￥950\n"),
        ("cp1252", "GRÖSSE;MÜLLER;STÜCK"),
        ("cp1250", "ŻÓŁW;ILOŚĆ"),
    ],
)
def test_capitals_and_full_width_signs_beside_letters_of_east_asia_are_no_proof_of_another(encoding, text):
    assert likely_encodings(text.encode(encoding))[0] == encoding
