"""`reprise doctor` proposes how a file is to be read, and the second call works."""

import json
import shlex

import pytest
from click.testing import CliRunner

from recommender.cli.main import exit_code, reprise

GERMAN = "Kundennummer;Artikel-Nr.;Bestelldatum;Bestellnummer;Menge;Einzelpreis;Lagerort\n"
ROWS = (
    "7001;TEA;2026-09-13;A1;1;4.50;x\n7001;TEA;2026-10-14;A2;1;4.50;x\n7002;MUG;2026-09-20;A3;2;9.00;x\n"
    "7002;TEA;2026-10-25;A4;1;4.50;x\n7003;TEA;2026-10-28;A5;3;4.50;x\n7003;MUG;2026-11-16;A6;1;9.00;x\n"
)


@pytest.fixture
def call(tmp_path, monkeypatch):
    """Run a command; (exit code, output, message of the error)."""
    monkeypatch.setenv("REPRISE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)

    def call(*words):
        result = CliRunner().invoke(reprise, [str(word) for word in words])
        error = result.exception
        if error is None or isinstance(error, SystemExit):
            return result.exit_code, result.stdout, ""
        return exit_code(error), result.stdout, str(error)

    return call


def test_what_is_proposed_is_shown_with_a_cell_and_a_reason(tmp_path, call):
    (tmp_path / "orders.csv").write_text(GERMAN + ROWS)
    code, output, message = call("doctor", "orders.csv")
    assert code == 3
    assert [word for word in ("Kundennummer", "7001", "proposed: German", "6 in 6 orders") if word not in output] == []
    assert "'Lagerort'" in output
    last = output.strip().splitlines()[-1]
    assert last.startswith("Next: reprise train orders.csv --columns customer_id=Kundennummer")
    assert message.endswith(last.removeprefix("Next: "))


def test_the_second_call_needs_no_option_after_write(tmp_path, call):
    (tmp_path / "orders.csv").write_text(GERMAN + ROWS)
    (tmp_path / "reprise.toml").write_text('shop = "tea"\n')
    code, output, _ = call("doctor", "orders.csv", "--write", "reprise.toml")
    assert (code, output.strip().splitlines()[-1]) == (0, "Next: reprise train orders.csv")
    code, output, _ = call("doctor", "orders.csv", "--json")
    assert code == 0
    found = json.loads(output)
    assert (found["purchases"], found["orders"], found["proposed"]) == (6, 6, {})
    assert found["why"]["customer_id"] == "you named it"


def test_another_settings_file_is_named_in_the_command(tmp_path, call):
    (tmp_path / "orders.csv").write_text(GERMAN + ROWS)
    _, output, _ = call("doctor", "orders.csv", "--write", "mine.toml")
    command = output.strip().splitlines()[-1].removeprefix("Next: ")
    assert command == "reprise train orders.csv --config mine.toml"


def test_json_holds_all(tmp_path, call):
    (tmp_path / "orders.csv").write_text(GERMAN + ROWS + ";TEA;2026-10-28;A7;1;4.50;x\n")
    code, output, _ = call("doctor", "orders.csv", "--json")
    found = json.loads(output)
    assert code == 3
    assert found["proposed"]["columns"]["customer_id"] == "Kundennummer"
    assert found["samples"]["ordered_at"] == "2026-09-13"
    (affected,) = found["affected"].values()
    assert affected["rows"] == 1
    assert affected["rows_share"] == pytest.approx(1 / 7)
    assert affected["money_share"] == pytest.approx(4.5 / 58.5)
    assert affected["customers_share"] == 0
    assert shlex.split(found["command"])[:3] == ["reprise", "train", "orders.csv"]


def test_a_known_format_is_proposed_and_read(tmp_path, call):
    (tmp_path / "events.csv").write_text(
        "timestamp,visitorid,event,itemid,transactionid\n1790000000000,1,view,2,\n1790000000000,1,transaction,2,9\n"
    )
    code, output, message = call("doctor", "events.csv")
    assert code == 3
    assert output.strip().endswith("Next: reprise train events.csv --format retailrocket")
    assert "this is a header of Retailrocket" in message
    code, output, _ = call("doctor", "events.csv", "--format", "retailrocket", "--json")
    assert (code, json.loads(output)["purchases"]) == (0, 1)


def test_an_export_of_ga4_with_items_is_known(tmp_path, call):
    (tmp_path / "events.jsonl").write_text(
        json.dumps(
            {
                "event_name": "purchase",
                "event_timestamp": "1790000000000000",
                "user_pseudo_id": "c1",
                "ecommerce": {"transaction_id": "T1"},
                "items": [{"item_id": "milk"}, {"item_id": "tea"}],
            }
        )
    )
    code, output, _ = call("doctor", "events.jsonl", "--json")
    found = json.loads(output)
    assert (code, found["proposed"], found["purchases"], found["orders"]) == (3, {"format": "ga4"}, 2, 1)


def test_a_header_that_says_nothing_is_shown_with_its_cells(tmp_path, call):
    (tmp_path / "odd.csv").write_text("a,b,c\n1,TEA,2026-09-13\n")
    code, output, message = call("doctor", "odd.csv")
    assert code == 3
    assert [cell for cell in ("odd.csv, 3 columns", "TEA", "2026-09-13") if cell not in output] == []
    assert message.endswith(
        "run: reprise doctor odd.csv --columns customer_id=… --columns product_id=… --columns ordered_at=…"
    )


def test_a_product_file_is_proposed_for_too(tmp_path, call):
    (tmp_path / "orders.csv").write_text(GERMAN + ROWS)
    (tmp_path / "products.csv").write_text("Artikelnummer;Bezeichnung\nTEA;Tee\nMUG;Becher\n")
    code, output, _ = call("doctor", "orders.csv", "--products", "products.csv")
    command = output.strip().splitlines()[-1].removeprefix("Next: reprise train ")
    assert code == 3
    code, output, _ = call("doctor", *shlex.split(command), "--json")
    assert (code, json.loads(output)["catalogue"]["from_file"]) == (0, 2)


def test_personal_ids_and_odd_products_are_pointed_out(tmp_path, call):
    rows = "".join(f"c{n % 9}@x.org,{p},2026-09-13,o{n}\n" for n in range(40) for p in (f"p{n % 5}", "BAG"))
    (tmp_path / "orders.csv").write_text("customer_id,product_id,ordered_at,order_id\n" + rows)
    code, output, _ = call("doctor", "orders.csv")
    assert code == 0
    assert "--hash-customers keeps salted digests" in output
    assert "is on nearly every order" in output


def test_a_product_file_with_other_ids_is_pointed_out(tmp_path, call):
    (tmp_path / "orders.csv").write_text("customer_id,product_id,ordered_at\n7001,TEA,2026-09-13\n")
    (tmp_path / "products.csv").write_text("product_id,title\n4711,Tea\n")
    code, output, _ = call("doctor", "orders.csv", "--products", "products.csv")
    assert code == 0
    assert "Only 0 of 1 sold products are in the product file" in output


def test_a_price_of_products_that_is_none_names_their_file_and_their_option(tmp_path, call):
    (tmp_path / "orders.csv").write_text("customer_id,product_id,ordered_at\n7001,TEA,2026-09-13\n")
    (tmp_path / "products.csv").write_text("product_id,price,vk\nTEA,ask,4.50\nMUG,ask,9.00\n")
    code, _, message = call("doctor", "orders.csv", "--products", "products.csv")
    assert code == 3
    assert "products.csv is unclear: column 'price': 'ask' could be" in message
    assert "name another column by --product-columns," in message
    assert call("doctor", "orders.csv", "--products", "products.csv", "--product-columns", "price=vk")[0] == 0


def test_what_two_columns_leave_open_is_proposed_once(tmp_path, call):
    rows = "7001,TEA,2026-09-13,1.000,1.200\n7002,TEA,2026-09-14,2.000,2.500\n"
    (tmp_path / "orders.csv").write_text("customer_id,product_id,ordered_at,quantity,unit_price\n" + rows)
    _, output, _ = call("doctor", "orders.csv")
    assert output.strip().splitlines()[-1] == "Next: reprise train orders.csv [--decimal . | --decimal ,]"


def test_a_file_without_header_is_told_to_have_one(tmp_path, call):
    (tmp_path / "odd.csv").write_text("7001,TEA,2026-09-13\n7002,MUG,2026-09-14\n")
    code, output, message = call("doctor", "odd.csv")
    assert code == 3
    assert "its first line looks like a purchase, so write a header line above it" in message
    assert "2026-09-14" in output
