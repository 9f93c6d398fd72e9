"""The offline job as `reprise train` runs it."""

import json
from datetime import date, timedelta

import pytest
from click.testing import CliRunner

from tests.support.event_files import NOW, archive, event
from training import job
from training.commands.model.train import command
from training.models import als

DAYS = [date(2026, 9, 1) + timedelta(days=7 * week) for week in range(8)]


class TestCurrency:
    """Of prices whose product names none."""

    @pytest.fixture
    def train(self, tmp_path, monkeypatch):
        """A function from the currencies of archived purchases to the version, and what was printed."""
        monkeypatch.setenv("REPRISE_HOME", str(tmp_path / "home"))
        products = tmp_path / "products.csv"
        products.write_text("product_id,price,currency\nMILK,1.20,\nTEA,4.00,GBP\nBREAD,,\n")
        found = []
        monkeypatch.setattr(job, "save", lambda publication, _: found.append(publication))

        def train(*currencies, **environment):
            for name, value in environment.items():
                monkeypatch.setenv(name, value)
            days = [NOW - timedelta(days=7 * week + 1) for week in range(8)]
            events = [
                event(f"{code}{day}", occurred_at=day, currency=code, unit_price=1.5)
                for code in currencies
                for day in days
            ]
            archive(tmp_path / "ledger", *events)
            arguments = ["--ledger", str(tmp_path / "ledger"), "--products", str(products), "--no-publish"]
            result = CliRunner().invoke(command, arguments, catch_exceptions=False)
            assert result.exit_code == 0, result.output
            shown = {one.product_id: one.currency for one in found[-1].products}
            return shown, found[-1].manifest.metrics["prices"], result.output

        return train

    def test_the_one_of_all_archived_purchases(self, train):
        shown, prices, printed = train("EUR", None)
        assert shown == {"MILK": "EUR", "TEA": "GBP", "BREAD": None}
        assert prices == {"currency": "EUR", "purchases_in": ["EUR"]}
        assert "without one" not in printed

    def test_none_where_there_are_two_and_the_report_says_so(self, train):
        shown, prices, printed = train("EUR", "USD")
        assert shown == {"MILK": None, "TEA": "GBP", "BREAD": None}
        assert prices == {"currency": None, "purchases_in": ["EUR", "USD"]}
        assert "shown without one: purchases are in EUR, USD; set REPRISE_CURRENCY" in " ".join(printed.split())

    def test_the_setting_is_the_services(self, train):
        """It is applied as answers are made: a version need not be trained anew where it is set."""
        shown, prices, printed = train("EUR", "USD", REPRISE_CURRENCY="USD")
        assert shown == {"MILK": None, "TEA": "GBP", "BREAD": None}
        assert prices["currency"] == "USD"
        assert "without one" not in printed


@pytest.fixture
def saved(tmp_path, monkeypatch):
    """What `reprise train` saved, in order."""
    purchases = tmp_path / "purchases.csv"
    lines = [f"{customer},MILK,{day}" for customer in ("ANNA", "BEN") for day in DAYS]
    purchases.write_text("\n".join(["customer_id,product_id,ordered_at", *lines]))
    monkeypatch.setenv("REPRISE_HOME", str(tmp_path / "home"))
    found = []
    monkeypatch.setattr(job, "save", lambda publication, _: found.append(publication))
    result = CliRunner().invoke(command, [str(purchases), "--no-publish", "--json"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return found


def test_a_version_is_saved_once_with_its_input_on_record(saved):
    (publication,) = saved
    assert publication.manifest.metrics["input"]["until"] == DAYS[-1].isoformat()
    assert publication.manifest.gate["verdict"] == "skipped"


def test_it_is_said_what_als_learned_from_where_lots_were_drawn(tmp_path, monkeypatch):
    monkeypatch.setenv("REPRISE_HOME", str(tmp_path))
    purchases = tmp_path / "purchases.csv"
    lines = [f"C{i},{product},{day}" for i in range(30) for product in ("TEA", f"P{i % 3}") for day in DAYS]
    purchases.write_text("\n".join(["customer_id,product_id,ordered_at", *lines]))
    for name in ("_LARGE", "_MOST_ENTRIES", "_ENTRIES_PER_PRODUCT"):
        monkeypatch.setattr(als, name, 10)
    arguments = [str(purchases), "--no-publish", "--force"]
    printed = CliRunner().invoke(command, arguments, catch_exceptions=False).output
    assert "ALS learned from 38 of 60 pairs of a customer and a product, drawn by lot" in " ".join(printed.split())
    assert json.loads(next(tmp_path.glob("models/*/manifest.json")).read_text())["metrics"]["als_drawn"] == [38, 60]
