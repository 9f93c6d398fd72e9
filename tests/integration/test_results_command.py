"""`reprise results` on an archive."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.support.commands import Reprise
from tests.support.event_files import archive, event

NOW = datetime.now(UTC)


def put_events(home: Path) -> None:
    moment = {"occurred_at": NOW - timedelta(days=1)}
    answer = {"recommendation_id": "rec_1", "placement": "home", "rank": 2}
    archive(
        home / "ledger",
        event("1", event_type="impression", **moment, **answer),
        event("2", event_type="click", **moment, **answer),
        event("3", recommendation_id="rec_1", unit_price=2.5, currency="EUR", occurred_at=NOW),
        event("4", event_type="mail_sent", product_id=None, campaign_id="reorder", **moment),
        event("5", event_type="impression", occurred_at=NOW - timedelta(days=90), **answer | {"placement": "old"}),
    )


def test_results_for_people_and_for_programs(reprise: Reprise, home: Path) -> None:
    put_events(home)
    told = reprise("results")
    assert told.returncode == 0, told.stderr
    for words in ("recommendations, products in answers", "mails, customers", "reorder", "2.50 EUR"):
        assert words in told.stdout
    document = json.loads(reprise("results", "--json").stdout)
    assert [row["placement"] for row in document["placements"]] == ["home"]
    assert document["campaigns"][0]["ordered"] == 1
    older = json.loads(reprise("results", "--since", "2020-01-01", "--json").stdout)
    assert [row["placement"] for row in older["placements"]] == ["home", "old"], "each day says where it was seen"


def test_what_pages_show_is_counted_anew(reprise: Reprise, home: Path) -> None:
    put_events(home)
    for _ in range(2):
        told = reprise("results", "--rebuild")
        assert told.returncode == 0, told.stderr
        assert "3 days and 1 campaigns were counted anew" in told.stdout
    assert json.loads(reprise("results", "--rebuild", "--json").stdout) == {"days": 3, "campaigns": 1}


def test_without_events_it_says_how_they_come(reprise: Reprise) -> None:
    told = reprise("results")
    assert (told.returncode, "POST /v1/events" in told.stdout) == (0, True)
