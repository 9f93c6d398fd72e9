"""A header that is not ours: the first call proposes, the second call is what the first one printed."""

import json
import os
import pty
import shlex
import subprocess
import sys

import pytest
from click.testing import CliRunner

from recommender.cli.main import reprise
from recommender.errors import MissingColumnError

ROWS = (
    "7001;TEA;2026-09-13;A1;1;4.50\n7001;TEA;2026-10-14;A2;1;4.50\n7002;MUG;2026-09-20;A3;2;9.00\n"
    "7002;TEA;2026-10-25;A4;1;4.50\n7003;TEA;2026-10-28;A5;3;4.50\n7003;MUG;2026-11-16;A6;1;9.00\n"
)
HEADERS = {
    "german": "Kundennummer;Artikel-Nr.;Bestelldatum;Bestellnummer;Menge;Einzelpreis (EUR)",
    "french": "N° client;Référence produit;Date de commande;N° commande;Quantité;Prix unitaire",
    "spanish": "ID cliente;Código de producto;Fecha de pedido;Nº pedido;Cantidad;Precio",
    "italian": "Codice cliente;Codice articolo;Data ordine;Numero ordine;Quantità;Prezzo",
    "polish": "Nr klienta;Kod produktu;Data zamówienia;Nr zamówienia;Ilość;Cena",
    "turkish": "Müşteri No;Ürün Kodu;Sipariş Tarihi;Sipariş No;Adet;Birim Fiyat",
    "russian": "Клиент;Товар;Дата;Номер заказа;Количество;Цена",
    "persian": "كد مشتری;کد کالا;تاریخ سفارش;شماره سفارش;تعداد;قیمت",
    "arabic": "رقم العميل;رمز المنتج;تاريخ الطلب;رقم الطلب;الكمية;السعر",
    "english, with commas and quotes": 'Customer No. (new);"Item ""SKU""";"Date, of order";Order No;Qty;Price',
}


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("REPRISE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("header", HEADERS.values(), ids=list(HEADERS))
def test_the_command_that_is_proposed_reads_the_file(home, header):
    (home / "orders.csv").write_text(f"{header}\n{ROWS}")
    first = CliRunner().invoke(reprise, ["customers", "orders.csv", "--as-of", "2026-11-20"])
    assert isinstance(first.exception, MissingColumnError)
    _, _, command = str(first.exception).partition("if that is right, run: reprise ")
    words = shlex.split(command)
    assert words[:2] == ["customers", "orders.csv"]
    second = CliRunner().invoke(reprise, ["doctor", "orders.csv", *words[4:], "--json"])
    assert second.exit_code == 0, second.output
    assert '"purchases": 6' in second.stdout
    assert '"orders": 6' in second.stdout


@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("n", 3)])
def test_a_terminal_is_asked(home, answer, code):
    (home / "orders.csv").write_text(f"{HEADERS['russian']}\n{ROWS}")
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "recommender.cli", "doctor", "orders.csv"]
    with subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, stderr=theirs, text=True) as process:
        os.write(ours, f"{answer}\n".encode())
        output, _ = process.communicate()
    os.close(theirs)
    shown = os.read(ours, 100_000).decode()
    os.close(ours)
    assert process.returncode == code
    assert "for customer_id nearest is 'Клиент' (Russian)" in shown
    assert "[y/N]" in shown
    assert ("6 in 6 orders" in output) == (answer == "y")


def test_a_russian_export_is_read_with_its_dates_and_prices(home):
    rows = ROWS.replace("4.50", "4,50").replace("9.00", "9,00")
    for day in ("2026-09-13", "2026-10-14", "2026-09-20", "2026-10-25", "2026-10-28", "2026-11-16"):
        rows = rows.replace(day, ".".join(reversed(day.split("-"))))
    (home / "orders.csv").write_text(f"{HEADERS['russian']}\n{rows}")
    found = json.loads(CliRunner().invoke(reprise, ["doctor", "orders.csv", "--json"]).stdout)
    assert (found["purchases"], found["orders"], found["first_at"][:10]) == (6, 6, "2026-09-13")
    assert "'4,50' is read as 4.5" in json.dumps(found["notes"])


def test_a_format_of_several_files_is_proposed_for_their_folder(home):
    (home / "olist").mkdir()
    for name in ("olist_orders_dataset", "olist_order_items_dataset", "olist_customers_dataset"):
        (home / "olist" / f"{name}.csv").write_text("order_id,product_id,price\n1,2,3\n")
    words = ["customers", "olist/olist_order_items_dataset.csv", "--as-of", "2026-11-20"]
    error = CliRunner().invoke(reprise, words).exception
    assert str(error).endswith("run: reprise customers olist --as-of 2026-11-20 --format olist")


def test_a_format_of_the_settings_is_proposed_as_those_that_come_along(home):
    (home / "reprise.toml").write_text(
        "[formats.till]\n"
        'columns = { customer_id = "card", product_id = "plu", ordered_at = "when", quantity = "n" }\n'
        """left_out = { "no card" = "customer_id IS NULL" }\ntimes = ["%d.%m.%Y"]\n"""
    )
    (home / "till.csv").write_text("card,plu,when,n\n7001,TEA,13.09.2026,2\n,TEA,14.09.2026,1\n")
    first = CliRunner().invoke(reprise, ["doctor", "till.csv"])
    assert isinstance(first.exception, MissingColumnError)
    assert "this is a header of your own format (--format till)" in str(first.exception)
    assert str(first.exception).endswith("run: reprise train till.csv --format till")
    second = CliRunner().invoke(reprise, ["doctor", "till.csv", "--format", "till", "--json"])
    assert second.exit_code == 0, second.output
    assert json.loads(second.stdout)["left_out"] == {"no card": 1}


@pytest.mark.parametrize("asked", ["orders.csv", "order_details.csv"])
def test_orders_and_their_lines_in_two_files_are_joined_by_a_line_that_is_proposed(home, asked):
    shop = home / "shop"
    shop.mkdir()
    (shop / "customers.csv").write_text("customerID,companyName\nANN,Ann's\n")
    (shop / "orders.csv").write_text(
        "orderID,customerID,orderDate,shipName\n1,ANN,2026-09-13,Ann\n2,BOB,2026-09-14,Bob\n2,BOB,2026-09-14,Bob\n"
    )
    (shop / "order_details.csv").write_text(
        "orderID,productID,unitPrice,quantity\n1,TEA,4.50,2\n1,MUG,9.00,1\n2,TEA,4.50,1\n"
    )
    first = CliRunner().invoke(reprise, ["doctor", f"shop/{asked}"])
    assert isinstance(first.exception, MissingColumnError)
    said = str(first.exception)
    line = said.partition("begin reprise.toml with the line ")[2].partition(" and run: ")[0]
    assert said.endswith("and run: reprise doctor shop --format shop")
    (home / "reprise.toml").write_text(f"{line}\n")
    second = CliRunner().invoke(reprise, ["doctor", "shop", "--format", "shop", "--json"])
    assert second.exit_code == 0, second.output
    report = json.loads(second.stdout)
    assert (report["purchases"], report["orders"], report["customers"]) == (3, 2, 2)
    (shop / "orders.csv").write_text("number,customerID,orderDate\n1,ANN,2026-09-13\n")
    third = CliRunner().invoke(reprise, ["doctor", "shop", "--format", "shop"])
    assert "the format needs a column 'orderID' in the file 'orders'" in str(third.exception)
    (shop / "orders.csv").unlink()
    fourth = CliRunner().invoke(reprise, ["doctor", "shop", "--format", "shop"])
    assert "the format needs a file 'orders', found customers, order_details" in str(fourth.exception)


def test_orders_that_hold_their_lines_as_a_list_are_read_by_a_line_that_is_proposed(home):
    orders = [
        {"_id": "o1", "user": {"id": 7}, "created_at": "2026-09-13T10:00:00Z", "status": "paid", "total": 18},
        {"_id": "o2", "user": {"id": 8}, "created_at": "2026-09-14T10:00:00Z", "status": "cancelled", "total": 9},
    ]
    items = [[{"sku": "TEA", "qty": 2, "price": 4.5}, {"sku": "MUG", "qty": 1, "price": 9}], [{"sku": "MUG", "qty": 1}]]
    lines = [json.dumps({**order, "items": each}) for order, each in zip(orders, items, strict=True)]
    (home / "orders.jsonl").write_text("\n".join(lines))
    first = CliRunner().invoke(reprise, ["doctor", "orders.jsonl"])
    assert isinstance(first.exception, MissingColumnError)
    said = str(first.exception)
    assert "'items' holds the lines of an order as a list" in said
    assert said.endswith("and run: reprise doctor orders.jsonl --format shop")
    line = said.partition("begin reprise.toml with the line ")[2].partition(" and run: ")[0]
    (home / "reprise.toml").write_text(f"{line}\n")
    second = CliRunner().invoke(reprise, ["doctor", "orders.jsonl", "--format", "shop", "--json"])
    assert second.exit_code == 0, second.output
    report = json.loads(second.stdout)
    assert (report["rows_read"], report["purchases"], report["orders"], report["customers"]) == (3, 2, 1, 1)
    assert report["columns"]["order_id"] == "_id"
    assert [(each["value"], each["rows"]) for each in report["statuses"]] == [("paid", 2), ("cancelled", 1)]
