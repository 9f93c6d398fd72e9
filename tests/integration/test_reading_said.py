"""Every command that reads purchases says what it left out or changed, on the screen and in its JSON."""

import json
from datetime import date
from pathlib import Path

import pytest

from recommender.customer_salt import digest_of_customer, find_salt
from recommender.data_dir import DataDirectory
from tests.support.commands import Reprise, run_reprise
from training.artifacts import load, saved_versions
from training.demo.shop import make_shop

COMMANDS = {
    "train": ("--no-publish",),
    "rank": ("--as-of", "2026-11-01"),
    "evaluate": ("--windows", "1"),
    "tune": ("--trials", "1"),
    "customers": ("--as-of", "2026-11-20"),
    "experiment": (
        *("--experiment", "home", "--variant", "six=1", "--holdout", "50%"),
        *("--start", "2026-10-01", "--end", "2026-11-01"),
    ),
}
SAID = (
    "1 bad rows left out: ordered_at cannot be read as a time (",
    "2 rows left out: no customer (anonymous sale)",
    "customer_id: a word for nothing, such as guest, N/A or 0, counts as empty (1 rows)",
    "1 rows kept without a price: theirs is not a number",
    "customer 'TILL' left out as a till or bot: ",
)


@pytest.fixture(scope="module")
def odd_shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The purchases of a small shop with a till, a row that is bad, two of nobody, and one without a price."""
    folder = tmp_path_factory.mktemp("odd")
    file = make_shop(folder, customers=60, products=40, months=5, end=date(2026, 11, 20), seed=0).purchases
    header, *rows = file.read_text().splitlines()
    columns = header.split(",")
    odd = [
        {"ordered_at": "never"},
        {"customer_id": ""},
        {"customer_id": "guest"},
        {"unit_price": "cheap"},
        *({"customer_id": "TILL", "order_id": f"K{number}"} for number in range(len(rows))),
    ]
    lines = [dict(zip(columns, rows[0].split(","), strict=True)) | change for change in odd]
    file.write_text("\n".join([header, *rows, *(",".join(line[name] for name in columns) for line in lines)]) + "\n")
    return file


@pytest.mark.parametrize("command", COMMANDS)
def test_on_the_screen(reprise: Reprise, odd_shop: Path, command: str) -> None:
    done = reprise(command, odd_shop, *COMMANDS[command])
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [sum(wanted in line for line in lines) for wanted in SAID] == [1] * len(SAID)


@pytest.mark.parametrize("command", COMMANDS)
def test_in_json(reprise: Reprise, odd_shop: Path, command: str) -> None:
    done = reprise(command, odd_shop, *COMMANDS[command], "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    reading = document["metrics"]["reading"] if command == "train" else document["reading"]
    assert reading["quarantined"] == {"ordered_at cannot be read as a time": 1}
    assert reading["left_out"] == {"no customer (anonymous sale)": 2}
    assert (reading["prices_ignored"], reading["without_customer"]) == (1, 2)
    assert {note["code"]: note["rows"] for note in reading["notes"]}["nothing"] == 1
    suspicious = reading["suspicious"]
    assert suspicious == 1 or [one["customer_id"] for one in suspicious] == ["TILL"]


def test_the_manifest_holds_it_without_a_customer(reprise: Reprise, odd_shop: Path, home: Path) -> None:
    assert reprise("train", odd_shop, "--no-publish").returncode == 0
    data = DataDirectory(home)
    manifest = load(saved_versions(data)[0], data).manifest
    assert manifest.metrics["reading"]["suspicious"] == 1
    assert "TILL" not in manifest.to_json()


def test_a_supplier_s_new_format_is_drift(reprise: Reprise, odd_shop: Path, tmp_path: Path) -> None:
    assert reprise("train", odd_shop, "--force").returncode == 0
    header, *rows = odd_shop.read_text().splitlines()
    price = header.split(",").index("unit_price")
    lines = [row.split(",") for row in rows]
    emptied = [[*line[:price], "", *line[price + 1 :]] for line in lines]
    other = tmp_path / "no-prices.csv"
    other.write_text("\n".join([header, *map(",".join, emptied)]) + "\n")
    done = reprise("train", other)
    assert done.returncode == 4
    assert "of the purchases have no price that can be read, " in done.stderr


def test_erase_knows_the_digest_of_a_customer(reprise: Reprise, odd_shop: Path, home: Path) -> None:
    done = run_reprise(home, "train", odd_shop, "--hash-customers", "--no-publish")
    assert done.returncode == 0, done.stderr
    data = DataDirectory(home)
    customer = odd_shop.read_text().splitlines()[1].split(",")[0]
    salt = find_salt(data)
    assert salt is not None
    assert salt.decode() not in done.stdout + done.stderr
    digest = digest_of_customer(customer, salt)

    def known() -> set[str]:
        return set(load(saved_versions(data)[0], data).tables["buy_again"].owner_ids)

    assert digest in known()
    assert customer not in known()
    assert reprise("erase", customer).returncode == 0
    assert digest not in known()
