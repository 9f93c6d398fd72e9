"""A campaign's results and its end, as a person asks for them: real commands, a real Redis, a real mail server."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from recommender.events.event import Event
from recommender.redis.shops import RedisShopStorage
from tests.support.commands import call_reprise
from tests.support.mail_shop import SECRET, names, publication, write_addresses
from tests.support.redis_servers import redis_server
from tests.support.smtp_sink import run_sink

N = 60
WHO = ["--audience", "everyone", "--slots", "2"]


@pytest.fixture
def shop(tmp_path):
    """`reprise` beside a server of its own, on which a shop is published; its home and storage."""
    with redis_server(tmp_path) as server:
        storage = RedisShopStorage(server.url, timeout_ms=5_000)
        storage.store("default").publish(publication(N), keep=3)
        write_addresses(tmp_path / "addresses.csv", names(N))
        settled = {"REPRISE_REDIS_URL": server.url, "REPRISE_MAIL__SECRET": SECRET}

        def reprise(*arguments, **more):
            return call_reprise(tmp_path / "home", *arguments, environment={**settled, **more})

        yield reprise, storage
        storage.close()


def asked(done):
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def send(reprise, campaign, *more, **environment):
    with run_sink() as sink:
        there = ["--addresses", "addresses.csv", "--smtp", f"smtp://127.0.0.1:{sink.port}", "--per-second", "1000"]
        done = reprise(
            "send", campaign, *WHO, *there, "--from", "Shop <news@shop.example>", "--json", *more, **environment
        )
        return done, sink


def test_from_the_mail_to_what_it_brought(shop):
    reprise, storage = shop
    now = datetime.now(UTC)
    sent, _ = send(reprise, "reorder", "--holdout", "30%")
    sent = asked(sent)
    held = sent["without"]["holdout"]
    assert sent["mails"]["sent"] == N - held
    assert 8 < held < 30
    people = [f"C{number:03}" for number in range(N)]
    known = {"event_type": "purchase", "occurred_at": now + timedelta(minutes=1), "unit_price": 2, "currency": "EUR"}
    orders = [Event(event_id=f"o{one}", customer_id=one, product_id="TEA", **known) for one in people[::2]]
    storage.event_log("default").accept(orders, now, 1_000)
    assert reprise("worker", "--once").returncode == 0
    told = asked(reprise("campaigns", "show", "reorder", "--json"))
    mailed, holdout = told["results"]["variants"]
    assert (mailed["variant"], mailed["selected"], mailed["sent"], mailed["took_part"]) == (
        "mailed",
        N - held,
        N - held,
        N - held,
    )
    assert (holdout["variant"], holdout["selected"], holdout["took_part"], holdout["sent"]) == (
        "holdout",
        held,
        held,
        0,
    )
    assert mailed["ordered"] + holdout["ordered"] == len(orders)
    shown = reprise("campaigns", "show", "reorder").stdout
    for words in ("began", "audience everyone", "mailed", "holdout", "took part", "Not clear yet: orders count until"):
        assert words in shown
    listed = reprise("campaigns").stdout
    assert "reorder" in listed
    [row] = asked(reprise("campaigns", "--json"))["campaigns"]
    assert (row["campaign_id"], row["campaign"]["holdout"], row["state"]) == ("reorder", 0.3, "begun")


def test_a_preview_shows_the_mail_of_somebody_who_is_held_out_and_says_so(shop):
    reprise, _ = shop
    held = asked(reprise("picks", "hello", *WHO, "--dry-run", "--json", "--holdout", "50%"))["examples"]
    one = next(example["customer_id"] for example in held if example["reason"] == "holdout")
    there = ["--addresses", "addresses.csv", "--holdout", "50%", "--preview", one]
    told = reprise("send", "hello", *WHO, *there).stdout
    assert "but held out, so that it can be told what the mails bring" in told
    assert "Subject:" in told
    assert asked(reprise("send", "hello", *WHO, *there, "--json"))["held_out"] is True


def test_the_default_holds_a_few_out_and_a_second_run_the_same(shop):
    reprise, _ = shop
    picks = ["picks", "hello", *WHO, "--json"]
    first = asked(reprise(*picks, REPRISE_MAIL__HOLDOUT="0.05"))
    assert 0 < first["without"]["holdout"] < 10
    assert first["holdout"] == 0.05
    again = asked(reprise(*picks, REPRISE_MAIL__HOLDOUT="0.05"))
    assert again["without"] == first["without"]
    refused = reprise(*picks, "--holdout", "60%")
    assert (refused.returncode, "between 0% and 50%" in refused.stderr) == (2, True)


def test_a_cancelled_campaign_ends_and_frees_who_was_not_written_to(shop):
    reprise, _ = shop
    settled = {"REPRISE_MAIL__MOST_PER_WEEK": "1"}
    assert asked(reprise("picks", "first", *WHO, "--json", **settled))["mails"] == N
    assert asked(reprise("picks", "second", *WHO, "--json", **settled))["without"] == {"too_often": N}
    done = asked(reprise("campaigns", "cancel", "first", "--json"))
    assert (done["released"], done["campaign_id"]) == (N, "first")
    assert done["cancelled_at"] is not None
    assert asked(reprise("picks", "third", *WHO, "--json", **settled))["mails"] == N
    refused, sink = send(reprise, "first")
    assert (refused.returncode, "was cancelled" in refused.stderr, sink.taken) == (2, True, [])
    assert "cancelled" in reprise("campaigns", "show", "first").stdout


def test_what_is_not_there_is_said(shop):
    reprise, _ = shop
    assert "no campaign yet" in reprise("campaigns").stdout
    for verb in ("show", "cancel"):
        missing = reprise("campaigns", verb, "nothing")
        assert (missing.returncode, "no campaign 'nothing' began" in missing.stderr) == (1, True)
    reprise("picks", "hello", *WHO)
    assert "run `reprise worker`" in reprise("campaigns", "show", "hello").stdout
