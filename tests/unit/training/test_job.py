"""The offline job as `reprise train` runs it."""

from datetime import date, timedelta

import pytest
from click.testing import CliRunner

from training import job
from training.commands.model.train import command

DAYS = [date(2026, 9, 1) + timedelta(days=7 * week) for week in range(8)]


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
