"""`reprise customers` as people and programs call it."""

import json
import re
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result

from recommender.errors import SettingsError, TooLittleDataError
from training.analytics.customer_value.customer_profiles import PROFILES
from training.commands.analytics.customers import command
from training.demo.shop import ShopFiles

CDNOW = Path(__file__).parents[2] / "../shared/data/cdnow/CDNOW_sample.txt"
KLAVIYO = {
    "average_days_between_orders",
    "average_order_value",
    "churn_probability",
    "expected_date_of_next_order",
    "historic_clv",
    "historic_number_of_orders",
    "predicted_clv",
    "predicted_number_of_orders",
    "total_clv",
}


@pytest.fixture
def customers(home: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("REPRISE_HOME", str(home))

    def customers(*arguments: object) -> Result:
        return CliRunner().invoke(command, [*map(str, arguments)])

    return customers


def test_json_and_a_file_of_every_customer(customers, shop_files: ShopFiles, tmp_path: Path) -> None:
    out = tmp_path / "customers.parquet"
    done = customers(shop_files.purchases, "--as-of", "2026-11-20", "--out", out, "--json")
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    assert all(document["models"]["bg_nbd"][name] > 0 for name in ("r", "alpha", "a", "b"))
    assert all(document["models"]["gamma_gamma"][name] > 0 for name in ("p", "q", "v"))
    assert 0 < document["kpis"]["repeat_purchase_rate"] <= 1
    assert document["holdout"]["orders"]["methods"].keys() == {"reprise", "own_rate", "last_window", "shop_mean"}
    assert document["cohorts"]["months"][0] == document["by_month"][0]["month"]
    written = pl.read_parquet(out)
    assert written.schema == PROFILES
    assert set(PROFILES) >= KLAVIYO
    assert len(written) == document["kpis"]["customers"]
    again = tmp_path / "again.parquet"
    customers(shop_files.purchases, "--as-of", "2026-11-20", "--out", again, "--json")
    assert again.read_bytes() == out.read_bytes()


def test_tables_and_a_csv(customers, shop_files: ShopFiles, tmp_path: Path) -> None:
    out = tmp_path / "customers.csv"
    done = customers(shop_files.purchases, "--as-of", "2026-11-20", "--out", out)
    assert done.exit_code == 0, done.output
    for words in ("repeat purchase rate", "bg_nbd: r ", "champion", "lapsed", "own_rate", "calibration error", "+1"):
        assert words in done.stdout
    assert "churn_probability: of no order in the coming 365 days" in done.stdout
    assert out.read_text().splitlines()[0].split(",") == PROFILES.names()


def test_one_customer_is_told_what_is_missing(customers, tmp_path: Path) -> None:
    file = tmp_path / "one.csv"
    file.write_text("customer_id,product_id,ordered_at\nANNA,MILK,2026-01-01\n")
    done = customers(file, "--as-of", "2026-11-20")
    assert done.exit_code == 0, done.output
    assert "Note: bg_nbd: fewer than 10 customers ordered on two days or more" in done.stdout


def test_a_file_without_purchases_is_refused(customers, tmp_path: Path) -> None:
    file = tmp_path / "none.csv"
    file.write_text("customer_id,product_id,ordered_at\n")
    assert isinstance(customers(file, "--as-of", "2026-11-20").exception, TooLittleDataError)


def test_a_date_before_everything_is_refused(customers, shop_files: ShopFiles) -> None:
    error = customers(shop_files.purchases, "--as-of", "2020-01-01").exception
    assert isinstance(error, TooLittleDataError)
    assert "nothing was bought before 2020-01-01" in str(error)


def test_a_file_name_says_its_kind(customers, shop_files: ShopFiles) -> None:
    done = customers(shop_files.purchases, "--as-of", "2026-11-20", "--out", "customers.xlsx")
    assert done.exit_code == 2
    assert "neither .parquet nor .csv" in done.output


@pytest.mark.skipif(not CDNOW.exists(), reason="../shared/data/cdnow is not there")
def test_cdnow_from_a_purchase_file(customers, tmp_path: Path) -> None:
    lines = [line.split() for line in CDNOW.read_text().splitlines()]
    file = tmp_path / "cdnow.csv"
    rows = [f"{line[1]},CD,{line[2][:4]}-{line[2][4:6]}-{line[2][6:]},1,{line[4]}" for line in lines]
    file.write_text("\n".join(["customer_id,product_id,ordered_at,quantity,unit_price", *rows]))
    document = json.loads(customers(file, "--as-of", "1997-10-01", "--json").stdout)
    orders, values = document["models"]["bg_nbd"], document["models"]["gamma_gamma"]
    assert [round(orders[name], 3) for name in ("r", "alpha", "a", "b")] == [0.243, 4.414, 0.793, 2.426]
    assert round(orders["log_likelihood"], 2) == -9582.43
    assert [round(values[name], 2) for name in ("p", "q", "v")] == [6.25, 3.74, 15.44]


def test_memory_is_told_beforehand_and_too_little_refused(
    customers, shop_files: ShopFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = customers(shop_files.purchases, "--as-of", "2026-11-20")
    assert re.search(r"lines, [\d,]+ customers and [\d,]+ products take up to 0\.\d GiB of memory", done.stderr)
    monkeypatch.setenv("REPRISE_MEMORY", "64 MiB")
    refused = customers(shop_files.purchases, "--as-of", "2026-11-20")
    assert isinstance(refused.exception, SettingsError)
    assert "and 64 MiB may be used; set REPRISE_MEMORY=" in str(refused.exception)
