"""Guesses of encodings by a few words of shops."""

import pytest

from training.tables.text.encodings import encoding_of_head, guess_encoding

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
        "Český šálek",
        "Kőszeg;Füzet",
        "Oraş;Preţ",
        "Zboží;4,50 Kč;Vyřízeno\nZboží;9 Kč;Vyřízeno",
    ],
    "cp1254": ["Müşteri;Ürün;Ayşe;Çay bardağı", "İstanbul;Kahve fincanı"],
    "cp1251": ["Покупатель;Товар;Дата", "Иванов;Кружка большая", "КРУЖКА БЕЛАЯ", "Київ;Їжак"],
    "koi8_r": ["Покупатель;Товар;Дата", "Чай чёрный"],
    "cp866": ["Покупатель;Товар;Дата", "Чай чёрный"],
    "iso8859_5": ["Покупатель;Товар;Дата"],
    "cp1253": ["Πελάτης;Προϊόν;Ημερομηνία"],
    "cp1255": ["לקוח;מוצר;תאריך"],
    "cp1256": ["العميل;المنتج;التاريخ", "شاي اسود", "دبي"],
    "shift_jis": ["顧客;商品;日付", "紅茶カップ"],
    "gb18030": ["客户;产品;日期", "绿茶"],
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
