"""Product files of feeds and shop systems, written as their real ones are."""

import pytest

from recommender.errors import MissingColumnError, UsageError
from recommender.reading import ReadingOptions
from training.ingest.product_file import read_products
from training.ingest.products.product_formats import OUR_OWN, product_format
from training.tables.workspace import Workspace


@pytest.fixture
def read(tmp_path):
    def read(text, hosts=(), **options):
        file = tmp_path / "products.csv"
        file.write_text(text)
        return read_products(file, Workspace(tmp_path), hosts, ReadingOptions(**options))

    return read


def rows(named, *columns):
    return list(named.products.select(columns).iter_rows())


def codes(named):
    return [note.code for note in named.notes]


def test_a_google_feed(read):
    named = read(
        "id\ttitle\tdescription\tlink\timage_link\tavailability\tprice\tsale_price\tsale_price_effective_date\t"
        "product_type\titem_group_id\n"
        "TEA\tGreen tea\tFine\thttps://shop.example/tea\thttps://shop.example/tea.jpg\tout_of_stock\t5.20\t\t\tTea\tG1\n"
        "MUG\tMug\tBig\thttps://shop.example/mug\thttps://shop.example/mug.jpg\tin_stock\t11.00\t9.00\t\tMugs\tG2\n"
        "CUP\tCup\tBig\thttps://shop.example/cup\t\tpreorder\t11.00\t9.00\t2024-01-01T00:00Z/2024-02-01T00:00Z\t\t\n"
    )
    assert rows(named, "product_id", "title", "category", "price", "url", "in_stock") == [
        ("TEA", "Green tea", "Tea", "5.20", "https://shop.example/tea", False),
        ("MUG", "Mug", "Mugs", "9.00", "https://shop.example/mug", True),
        ("CUP", "Cup", None, "11.00", "https://shop.example/cup", True),
    ]
    assert codes(named) == ["product_format", "stock_on_order"]
    assert named.notes[0].text == "the product file is read as a Google product feed"


def test_shopifys_products(read):
    named = read(
        "Handle,Title,Body (HTML),Vendor,Type,Published,Option1 Name,Option1 Value,Variant SKU,"
        "Variant Inventory Tracker,Variant Inventory Qty,Variant Inventory Policy,Variant Price,Image Src,Status\n"
        "shirt,Shirt,,V,Shirts,true,Size,S,SH-S,shopify,0,deny,20.00,https://cdn.shop.example/1.jpg,active\n"
        "shirt,,,,,,,M,,shopify,3,deny,20.00,,\n"
        "shirt,,,,,,,,,,,,,https://cdn.shop.example/2.jpg,\n"
        "mug,Mug,,V,Mugs,true,Title,Default Title,,,,deny,9.00,,active\n"
        "old,Old mug,,V,Mugs,true,Title,Default Title,OLD,shopify,5,deny,9.00,,archived\n"
    )
    assert rows(named, "product_id", "title", "category", "price", "url", "in_stock") == [
        ("SH-S", "Shirt", "Shirts", "20.00", "/products/shirt", False),
        ("Shirt - M", "Shirt", "Shirts", "20.00", "/products/shirt", True),
        ("Mug", "Mug", "Mugs", "9.00", "/products/mug", True),
        ("OLD", "Old mug", "Mugs", "9.00", "/products/old", False),
    ]
    assert named.unusable == 0


def test_woocommerces_products(read):
    named = read(
        'ID,Type,SKU,Name,Published,"Is featured?","In stock?",Stock,"Backorders allowed?","Date sale price starts",'
        '"Date sale price ends","Sale price","Regular price",Categories,Images\n'
        '11,simple,TEA,Tea,1,0,1,7,0,,,4.00,4.50,"Drinks > Tea, New","https://shop.example/a.jpg, /b.jpg"\n'
        "12,simple,,Mug,1,0,0,0,0,,2024-02-01,7.00,9.00,Mugs,\n"
        "13,simple,CUP,Cup,1,0,backorder,0,1,,,,9.00,Mugs,\n"
        "14,simple,OLD,Old cup,-1,0,1,3,0,,,,9.00,Mugs,\n"
    )
    assert rows(named, "product_id", "category", "price", "image_url", "in_stock") == [
        ("TEA", "Drinks > Tea", "4.00", "https://shop.example/a.jpg", True),
        ("12", "Mugs", "9.00", None, False),
        ("CUP", "Mugs", "9.00", None, True),
        ("OLD", "Mugs", "9.00", None, False),
    ]


def test_magentos_products(read):
    named = read(
        "sku,store_view_code,attribute_set_code,product_type,categories,name,product_online,price,special_price,"
        "special_price_from_date,special_price_to_date,qty,is_in_stock\n"
        'TEA,,Default,simple,"Default Category/Tea,Default Category/New",Tea,1,4.50,4.00,,,7,1\n'
        "TEA,de,Default,simple,,Tee,,,,,,,\n"
        "MUG,,Default,simple,Default Category/Mugs,Mug,2,9.00,,,,7,1\n"
        "CUP,,Default,simple,Default Category/Mugs,Cup,1,9.00,,,,0,0\n"
    )
    assert rows(named, "product_id", "title", "category", "price", "in_stock") == [
        ("TEA", "Tea", "Default Category/Tea", "4.00", True),
        ("MUG", "Mug", "Default Category/Mugs", "9.00", False),
        ("CUP", "Cup", "Default Category/Mugs", "9.00", False),
    ]


def test_prestashops_products(read):
    named = read(
        "Product ID;Active (0/1);Name *;Categories (x,y,z...);Price tax excluded;Reference #;Quantity;"
        "Image URLs (x,y,z...)\n"
        "1;1;Tea;Drinks,Tea;4.50;demo_1;12;https://shop.example/1.jpg,https://shop.example/2.jpg\n"
        "2;0;Mug;Mugs;9.00;demo_2;12;\n3;1;Cup;Mugs;9.00;demo_3;-1;\n"
    )
    assert rows(named, "product_id", "title", "category", "price", "image_url", "in_stock") == [
        ("1", "Tea", "Drinks", "4.50", "https://shop.example/1.jpg", True),
        ("2", "Mug", "Mugs", "9.00", None, False),
        ("3", "Cup", "Mugs", "9.00", None, False),
    ]


def test_columns_are_named_by_the_user(read):
    named = read(
        "nr;was;Bestand\n1;Tea;0\n", product_columns={"product_id": "nr", "title": "was", "in_stock": "Bestand"}
    )
    assert rows(named, "product_id", "title", "in_stock") == [("1", "Tea", False)]
    with pytest.raises(UsageError, match="'name' is not a column of ours; name one of product_id, title"):
        read("a\n1\n", product_columns={"name": "a"})


def test_what_is_not_ours_is_proposed(read):
    with pytest.raises(MissingColumnError) as caught:
        read("Artikelnummer;Bezeichnung;Preis;Lagerbestand;Bild\n1;Tea;1;0;\n")
    assert str(caught.value).endswith(
        "--product-columns product_id=Artikelnummer --product-columns title=Bezeichnung --product-columns price=Preis "
        "--product-columns image_url=Bild --product-columns in_stock=Lagerbestand"
    )
    assert caught.value.proposed["product_columns"]["in_stock"] == "Lagerbestand"


def test_a_column_that_could_be_ours_is_said(read):
    named = read("product_id,Product Name,Colour\n1,Tea,red\n")
    assert named.products["title"].to_list() == [None]
    assert [note.text for note in named.notes] == [
        "column 'Product Name' is not read; where it holds title (English), add --product-columns title='Product Name'"
    ]


@pytest.mark.parametrize(
    ("url", "hosts", "taken"),
    [
        ("www.shop.example/p/tea", (), "https://www.shop.example/p/tea"),
        ("shop.example/p/tea", ("shop.example",), "https://shop.example/p/tea"),
        ("img.shop.example", ("shop.example",), "https://img.shop.example"),
        ("shop.example/p/tea", (), None),
        ("evil.example/p", ("shop.example",), None),
        ("www.evil.example/p", ("shop.example",), None),
        ("p/tea.html", (), None),
        ("tea.html", ("shop.example",), None),
        ("javascript.alert:1", (), None),
    ],
)
def test_an_address_without_scheme_is_taken_where_a_host_is_plain(read, url, hosts, taken):
    named = read(f"product_id,url\n1,{url}\n", hosts)
    assert named.products["url"].to_list() == [taken]
    assert ("url_not_taken" in codes(named)) == (taken is None)


def test_what_is_not_taken_of_prices_is_said(read):
    named = read("product_id,price\n" + "1,2.50\n" * 5 + "2,on request\n3,-1\n")
    (note,) = [note for note in named.notes if note.code == "price_not_taken"]
    assert (note.rows, "'on request' is no number, or negative" in note.text) == (2, True)


def test_a_file_of_our_own_names_is_no_feed():
    assert product_format(["id", "title", "link", "price", "product_id"]) is OUR_OWN
    assert product_format(["sku", "title"]) is OUR_OWN
    assert product_format(["id", "title", "link", "price"]).about == "a Google product feed"


@pytest.mark.parametrize(
    ("written", "prices"),
    [
        ('5.20\n"11,00"', ["5.20", "11.00"]),
        ('"1,234.50"\n"1.234,50"\n7', ["1234.50", "1234.50", "7.00"]),
        ("5.20\n11.00", ["5.20", "11.00"]),
    ],
)
def test_prices_in_two_ways_are_read_each_by_itself(read, written, prices):
    lines = "".join(f"{n},{price}\n" for n, price in enumerate(written.splitlines()))
    named = read(f"product_id,price\n{lines}")
    assert named.products["price"].to_list() == prices
    assert ("prices_in_two_ways" in codes(named)) == ("," in written)


def test_the_currency_of_a_price_is_kept(read):
    named = read("id\ttitle\tlink\tprice\n1\tTea\t/tea\t5.20 EUR\n2\tMug\t/mug\tUSD 11.00\n3\tCup\t/cup\t4\n")
    assert rows(named, "product_id", "price", "currency") == [
        ("1", "5.20", "EUR"),
        ("2", "11.00", "USD"),
        ("3", "4.00", None),
    ]
    named = read("product_id,price,currency\n1,5.20 EUR,CHF\n")
    assert rows(named, "price", "currency") == [("5.20", "CHF")]


def test_prices_with_currency_in_two_ways(read):
    named = read('product_id,title,price,in_stock\nTEA,Green tea,5.20 EUR,true\nMUG,Mug,"11,00",true\n')
    assert rows(named, "product_id", "price", "currency") == [("TEA", "5.20", "EUR"), ("MUG", "11.00", None)]


def test_what_a_price_could_mean_is_a_question(read):
    named = read('product_id,price\n1,"1,234"\n2,"5,678"\n')
    assert [question.code for question in named.questions] == ["decimal"]
    assert named.products["price"].to_list() == [None, None]
