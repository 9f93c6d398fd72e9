"""Redis is lost, or an old copy of it takes over: who unsubscribed or was erased stays so."""

import csv
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from recommender.campaigns.links import MailLink, sign
from recommender.data_dir import DataDirectory
from tests.support.campaigns import Customer, make_version
from tests.support.commands import Reprise, call_reprise
from tests.support.mail_samples import SECRET
from tests.support.redis_servers import RedisServer, redis_server, wait_until
from tests.support.served import Served, serve
from training.artifacts import save

CUSTOMERS = {
    name: Customer(discover={"A": 0.5, "B": 0.4, "C": 0.3})
    for name in ("ANN", "BEN", "CAT", "DAN", "EVE", "FAY", "GUS")
}
NOW = datetime.now(UTC)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    with redis_server(tmp_path / "redis") as server:
        yield server


@pytest.fixture
def environment(server: RedisServer) -> dict[str, str]:
    return {"REPRISE_REDIS_URL": server.url, "REPRISE_MAIL__SECRET": SECRET}


@pytest.fixture
def reprise(tmp_path: Path, environment: dict[str, str]) -> Reprise:
    """`reprise` in a home with a saved version, which is published."""
    home = tmp_path / "home"
    made = make_version(CUSTOMERS, list("ABC"))
    judged = replace(made.manifest, gate={"verdict": "passed", "reasons": []})
    save(replace(made, manifest=judged), DataDirectory(home))
    reprise = lambda *arguments: call_reprise(home, *arguments, environment=environment)  # noqa: E731
    assert reprise("publish").returncode == 0
    return reprise


@pytest.fixture
def serving(tmp_path: Path, environment: dict[str, str]):
    """Serves while the block runs."""
    return lambda: serve(tmp_path, **environment)


def tell(served: Served, event_type: str, customer_id: str, minutes_ago: int = 10) -> None:
    moment = (NOW - timedelta(minutes=minutes_ago)).isoformat()
    event = {"event_id": f"{event_type} of {customer_id}", "event_type": event_type, "occurred_at": moment}
    answer = served.ask("/v1/events", "POST", {"events": [{**event, "customer_id": customer_id}]})
    assert answer.json["accepted"] == 1, answer.body


def speak(served: Served) -> None:
    """ANN unsubscribes on the page, BEN is erased, CAT complains, DAN's mails come back, EVE unsubscribes and thinks
    better of it, FAY unsubscribes in the shop."""
    link = sign(MailLink("default", "c", "ANN", ("A",), 0), SECRET)
    assert served.ask(f"/v1/m/{link}/unsubscribe", "POST").status == 200
    assert served.ask("/v1/customers/BEN", "DELETE").status == 200
    tell(served, "mail_complaint", "CAT")
    tell(served, "mail_bounce", "DAN")
    tell(served, "unsubscribe", "EVE", 10)
    tell(served, "subscribe", "EVE", 5)
    tell(served, "unsubscribe", "FAY")


def picked(reprise: Reprise, folder: Path) -> list[str]:
    done = reprise("picks", "c", "--audience", "everyone", "--workers", "1")
    assert done.returncode == 0, done.stderr
    with (folder / "c.csv").open() as file:
        return sorted(row["customer_id"] for row in csv.DictReader(file))


def is_known(served: Served, customer_id: str) -> bool:
    """Whether all workers have the customer's lists."""
    answers = [served.ask(f"/v1/customers/{customer_id}/recommendations") for _ in range(8)]
    return any(answer.json["fallback"] is None for answer in answers)


def refuse(reprise: Reprise, *arguments: str) -> None:
    done = reprise(*arguments)
    assert done.returncode == 1, done.stdout
    assert "Redis has lost" in done.stderr
    assert "reprise publish" in done.stderr


def refuse_to_write(reprise: Reprise, folder: Path) -> None:
    refuse(reprise, "picks", "c", "--audience", "everyone", "--dry-run")
    refuse(reprise, "picks", "c", "--audience", "everyone")
    (folder / "addresses.csv").write_text("customer_id,email\nANN,ann@shop.example\n")
    addresses = ("--addresses", str(folder / "addresses.csv"))
    refuse(reprise, "send", "c", "--audience", "everyone", *addresses, "--dry-run")
    mailer = ("--smtp", "smtp://127.0.0.1:1", "--from", "shop@shop.example")
    refuse(reprise, "send", "c", "--audience", "everyone", *addresses, *mailer)


def wait_until_picked(reprise) -> None:
    """Return when `reprise picks` no longer refuses."""
    wait_until(lambda: reprise("picks", "c", "--audience", "everyone", "--dry-run").returncode == 0, "all are known")


def test_after_a_loss_a_publish_brings_them_back(server, reprise, serving, tmp_path):
    with serving() as served:
        wait_until(lambda: is_known(served, "BEN"), "BEN has lists")
        speak(served)
    server.flush()
    refuse_to_write(reprise, tmp_path)
    published = reprise("publish")
    assert published.returncode == 0
    assert "Redis had lost 7 " in published.stderr
    with serving() as served:
        wait_until(lambda: is_known(served, "GUS"), "the version is seen")
        assert not is_known(served, "BEN")
    assert picked(reprise, tmp_path) == ["EVE", "GUS"]


def test_an_old_copy_is_corrected_when_a_worker_starts(server, reprise, serving, tmp_path):
    server.call("SAVE")
    with serving() as served:
        speak(served)
    server.restart()
    refuse_to_write(reprise, tmp_path)
    with serving() as served:
        wait_until(lambda: not is_known(served, "BEN"), "BEN is forgotten again")
        wait_until_picked(reprise)
    assert picked(reprise, tmp_path) == ["EVE", "GUS"]


def test_an_old_copy_is_corrected_while_the_service_runs(server, reprise, serving, tmp_path):
    server.call("SAVE")
    with serving() as served:
        wait_until(lambda: is_known(served, "BEN"), "BEN has lists")
        speak(served)
        wait_until(lambda: not is_known(served, "BEN"), "BEN is forgotten")
        server.restart()
        wait_until_picked(reprise)
        wait_until(lambda: is_known(served, "GUS"), "Redis answers")
        assert not is_known(served, "BEN")
    assert picked(reprise, tmp_path) == ["EVE", "GUS"]


def test_an_old_copy_is_corrected_when_an_event_worker_starts(server, reprise, serving, tmp_path):
    server.call("SAVE")
    with serving() as served:
        speak(served)
    server.restart()
    worked = reprise("worker", "--once")
    assert worked.returncode == 0
    assert "Redis had lost 7 " in worked.stderr
    assert picked(reprise, tmp_path) == ["EVE", "GUS"]


def test_the_home_of_a_machine_that_only_publishes_knows_what_others_wrote(server, reprise, serving, tmp_path):
    home = DataDirectory(tmp_path / "home")
    with serving() as served:
        speak(served)
    shutil.rmtree(home.suppressions("default").parent)  # as the service ran on another machine
    assert reprise("publish").returncode == 0
    server.flush()
    assert reprise("publish").returncode == 0
    assert picked(reprise, tmp_path) == ["EVE", "GUS"]


def test_a_file_that_cannot_be_written_is_no_done(reprise, serving, tmp_path):
    path = DataDirectory(tmp_path / "home").suppressions("default")
    with serving() as served:
        speak(served)
        path.write_bytes(b"no database" * 500)
        link = sign(MailLink("default", "c", "GUS", ("A",), 0), SECRET)
        refused = [served.ask(f"/v1/m/{link}/unsubscribe", "POST"), served.ask("/v1/customers/GUS", "DELETE")]
        assert [(answer.status, answer.json["code"]) for answer in refused] == [(503, "home")] * 2
        path.unlink()
        assert served.ask("/v1/customers/GUS", "DELETE").status == 200
    assert path.stat().st_mode & 0o777 == 0o600


def test_who_cannot_read_the_file_says_so_and_writes_to_nobody(reprise, tmp_path):
    path = DataDirectory(tmp_path / "home").suppressions("default")
    path.parent.mkdir()
    path.write_bytes(b"no database" * 500)
    worked, refused = reprise("worker", "--once"), reprise("picks", "c", "--audience", "everyone")
    assert (worked.returncode, refused.returncode) == (0, 1)
    for said in (worked.stderr, refused.stderr):
        assert f"cannot use {path}" in said
        assert "restore the file from a back-up" in said
    assert not (tmp_path / "c.csv").exists()
