"""`reprise picks` on a real server: the same file however often it was killed, and by however many processes."""

import csv
import json
import multiprocessing
import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from recommender.campaigns.context import open_context
from recommender.campaigns.run import begin_campaign
from recommender.catalogue.overrides import ProductChange
from recommender.cli.progress import Progress
from recommender.redis.shops import RedisShopStorage
from recommender.settings import MailSettings, Settings
from recommender.words.language import get_language
from tests.support.campaigns import Customer, make_version
from tests.support.commands import call_reprise
from tests.support.redis_servers import wait_until
from tests.support.small_shop import NOW
from training.campaigns.picks import parts, writer
from training.campaigns.picks.parts import Parts, PickCounts
from training.campaigns.picks.writer import FileJob, make_file
from training.commands.campaigns.picks import command

LETTERS = list("ABCDEFGHIJKL")
CUSTOMERS = {
    f"c{number:03}": Customer(discover={LETTERS[(number + i) % 12]: 0.5 - 0.04 * i for i in range(12)})
    for number in range(400)
}
QUIET = Progress(show=False)


class PicksShop:
    """A shop of 400 customers in 7 blocks on a real server, each block a part."""

    def __init__(self, url, shop, folder):
        self.url, self.settings, self.folder = (
            url,
            Settings(shop=shop, home=folder / "home", mail=MailSettings(holdout=0)),
            folder,
        )
        self.storage = RedisShopStorage(url, timeout_ms=5_000)
        self.store = self.storage.store(shop)
        self.store.publish(make_version(CUSTOMERS, LETTERS), keep=3)

    def order(self, name="c", days=0, out=None, format_="csv"):
        context = open_context(self.storage, self.settings)
        campaign = begin_campaign(context, name, "everyone", 3, NOW + timedelta(days=days))
        return FileJob(campaign, format_, self.folder / (out or f"{name}.{format_}"), self.settings)

    def make(self, order, workers=1):
        tally = make_file(order, self.url, self.storage, workers, QUIET)
        return tally, order.out.read_bytes()

    def mails_of(self, *customers):
        return self.storage.contacts(self.settings.shop).standings(customers)


@pytest.fixture
def small_parts(monkeypatch):
    monkeypatch.setattr(parts, "BLOCKS_PER_PART", 1)


@pytest.fixture
def picks_shop(redis_shop, tmp_path, small_parts):
    shop = PicksShop(redis_shop.url, redis_shop.shop, tmp_path)
    yield shop
    shop.storage.close()


def rows_of(text):
    return list(csv.DictReader(text.decode().splitlines()))


def test_everybody_has_one_row_and_one_contact(picks_shop):
    tally, text = picks_shop.make(picks_shop.order())
    assert tally == PickCounts(400, 400, 400, {})
    assert sorted(row["customer_id"] for row in rows_of(text)) == sorted(CUSTOMERS)
    assert {tuple(mail.campaign_id for mail in standing.mails) for standing in picks_shop.mails_of(*CUSTOMERS)} == {
        ("c",)
    }
    assert not list(picks_shop.folder.glob(".*"))


@pytest.mark.parametrize("format_", ["csv", "jsonl", "parquet"])
def test_run_again_it_gives_the_same_bytes(picks_shop, format_):
    order = picks_shop.order(format_=format_)
    first = picks_shop.make(order)
    if format_ == "parquet":
        assert sorted(pl.read_parquet(order.out)["customer_id"]) == sorted(CUSTOMERS)
    assert picks_shop.make(order) == first
    assert {len(standing.mails) for standing in picks_shop.mails_of(*CUSTOMERS)} == {1}


def test_several_processes_give_the_same_bytes(picks_shop):
    order = picks_shop.order()
    assert picks_shop.make(order, workers=2) == picks_shop.make(order)


def test_three_campaigns_rotate(picks_shop):
    shown = [row_of(picks_shop.make(picks_shop.order(f"w{week}", days=7 * week))[1], "c000") for week in range(3)]
    assert shown == [["A", "B", "C"], ["D", "E", "F"], ["G", "H", "I"]]


def test_what_is_sold_out_is_replaced(picks_shop):
    picks_shop.store.update_products([ProductChange("B", "put", {"in_stock": False})])
    assert row_of(picks_shop.make(picks_shop.order())[1], "c000") == ["A", "C", "D"]


def row_of(text, customer):
    row = next(row for row in rows_of(text) if row["customer_id"] == customer)
    return [row[f"product_id_{slot}"] for slot in (1, 2, 3)]


def _make_and_die(order, url, n_parts, when):
    """Make a file in this process, which kills itself at part number `n_parts`, before or after its rows are whole."""
    parts.BLOCKS_PER_PART = 1
    commit, write = Parts.commit, writer.Writer.make

    def dying_commit(self, number, tally):
        if number == n_parts and when == "rows written, not marked":
            os.kill(os.getpid(), signal.SIGKILL)
        commit(self, number, tally)

    def dying_make(self, number):
        if number == n_parts and when == "claimed, nothing written":
            for block in self.parts.blocks_of(number):
                self.selection.block(block)
            os.kill(os.getpid(), signal.SIGKILL)
        write(self, number)

    Parts.commit, writer.Writer.make = dying_commit, dying_make
    make_file(order, url, RedisShopStorage(url, timeout_ms=5_000), 1, QUIET)


@pytest.mark.parametrize("when", ["rows written, not marked", "claimed, nothing written"])
def test_after_a_kill_nobody_is_missing_or_doubled(picks_shop, when):
    order = picks_shop.order()
    for n_parts in (2, 5):
        child = multiprocessing.get_context("spawn").Process(
            target=_make_and_die, args=(order, picks_shop.url, n_parts, when)
        )
        child.start()
        child.join()
        assert child.exitcode == -signal.SIGKILL
    assert not order.out.exists()
    assert (
        len(list((picks_shop.folder / ".c.csv.parts").glob("*.json"))) == 1 + 5
    )  # of parts 0 to 4, and what they are of
    tally, text = picks_shop.make(order)
    assert tally == PickCounts(400, 400, 400, {})
    assert {len(standing.mails) for standing in picks_shop.mails_of(*CUSTOMERS)} == {1}
    assert picks_shop.make(order)[1] == text


def test_who_is_erased_between_a_kill_and_the_next_run_is_not_in_the_file(picks_shop):
    order = picks_shop.order()
    child = multiprocessing.get_context("spawn").Process(
        target=_make_and_die, args=(order, picks_shop.url, 6, "rows written, not marked")
    )
    child.start()
    child.join()
    written = b"".join(path.read_bytes() for path in (picks_shop.folder / ".c.csv.parts").glob("*.part"))
    assert b"c000" in written
    picks_shop.store.erase("c000", NOW)
    picks_shop.storage.event_log(picks_shop.settings.shop).erase("c000", NOW)
    tally, text = picks_shop.make(order)
    assert tally.mails == 399
    assert b"c000" not in text


def test_who_is_erased_while_it_runs_is_not_in_the_file(picks_shop, monkeypatch):
    order, made = picks_shop.order(), writer.Writer.make

    def make_and_erase(self, number):
        made(self, number)
        if number == 6:
            picks_shop.store.erase("c000", NOW)
            picks_shop.storage.event_log(picks_shop.settings.shop).erase("c000", NOW)

    monkeypatch.setattr(writer.Writer, "make", make_and_erase)
    tally, text = picks_shop.make(order)
    assert tally.mails == 399
    assert b"c000" not in text


class TestCommand:
    @pytest.fixture
    def run(self, redis_shop, tmp_path, request):
        with_parts = PicksShop(redis_shop.url, redis_shop.shop, tmp_path)
        with_parts.storage.close()
        environment = {"REPRISE_REDIS_URL": redis_shop.url, "REPRISE_SHOP": redis_shop.shop}
        return lambda *arguments: call_reprise(tmp_path / "home", "picks", *arguments, environment=environment)

    def test_writes_documents_and_mails(self, run, tmp_path):
        for format_ in ("jsonl", "html"):
            told = run("spring", "--audience", "everyone", "--format", format_, "--json")
            assert told.returncode == 0, told.stderr
            assert json.loads(told.stdout)["mails"] == 400
        lines = (tmp_path / "spring.jsonl").read_bytes().splitlines()
        assert {len(json.loads(line)["items"]) for line in lines} == {4}
        assert len(list((tmp_path / "spring").rglob("*.html"))) == 400

    def test_a_dry_run_counts_and_explains_and_writes_nothing(self, run, tmp_path):
        told = run("spring", "--audience", "everyone", "--dry-run")
        assert "everyone: Every customer." in told.stdout
        assert "400 customers, 400 in the audience, 400 get a mail" in told.stdout
        assert "customer since" in told.stdout
        assert "nothing was claimed or written" in told.stdout
        assert not list(tmp_path.glob("spring*"))
        assert run("spring", "--audience", "win_back", "--out", "x.csv").returncode == 0  # it was not begun

    def test_counts_who_on_a_list_is_not_known(self, run, tmp_path):
        (tmp_path / "vip.csv").write_text("customer_id,name\nc001,A\nc002,B\nnobody,C\n")
        told = run("spring", "--customers", "vip.csv")
        assert "2 customers, 2 in the audience, 2 get a mail" in told.stdout
        assert "1 of 3 on the list are not known" in told.stdout
        assert {row["customer_id"] for row in rows_of((tmp_path / "spring.csv").read_bytes())} == {"c001", "c002"}

    @pytest.mark.parametrize(
        ("arguments", "remedy"),
        [
            (("--dry-run", "--format", "html"), "--dry-run writes no file; leave --format away"),
            (("--dry-run", "--out", "spring.csv"), "--dry-run writes no file; leave --out away"),
            (("--dry-run", "--workers", "2"), "--dry-run writes no file; leave --workers away"),
            (("--dry-run", "--locale", "de"), "--dry-run writes no file; leave --locale away"),
            (("--format", "jsonl", "--template", __file__), "--template is for mails; add --format html"),
        ],
    )
    def test_an_option_that_would_be_ignored_is_refused(self, arguments, remedy):
        told = CliRunner().invoke(command, ["spring", "--audience", "everyone", *arguments])
        assert (told.exit_code, remedy in " ".join(told.output.replace("│", " ").split())) == (2, True), told.output

    def test_reasons_are_in_the_language_that_is_named(self, run, tmp_path):
        run("autumn", "--audience", "everyone", "--locale", "de-AT")
        said = {row["reason_1"] for row in rows_of((tmp_path / "autumn.csv").read_bytes())}
        words = [one for one in get_language("de").words["reasons"].values() if isinstance(one, str)]
        assert said
        assert all(sentence.startswith(("Das haben Sie", "Das bestellen Sie", *words)) for sentence in said), said

    def test_a_locale_that_nobody_knows_is_refused_before_anything_is_begun(self, run):
        told = run("winter", "--audience", "everyone", "--locale", "xx")
        assert (told.returncode, "locale 'xx' is not known" in told.stderr) == (1, True)
        assert run("winter", "--audience", "win_back", "--out", "x.csv").returncode == 0

    def test_another_audience_under_the_same_name_is_refused(self, run):
        run("spring", "--audience", "everyone")
        told = run("spring", "--audience", "win_back")
        assert (told.returncode, "take another campaign id" in told.stderr) == (2, True)

    @pytest.mark.parametrize("arguments", [(), ("--audience", "everyone", "--customers", "vip.csv")])
    def test_wants_one_audience(self, run, arguments):
        told = run("spring", *arguments)
        assert (told.returncode, "--audience or --customers" in told.stderr) == (2, True)


@pytest.mark.slow
def test_a_command_with_workers_that_is_killed_leaves_none_behind_and_goes_on(redis_shop, tmp_path):
    shop = PicksShop(redis_shop.url, redis_shop.shop, tmp_path)
    many = {f"c{number:05}": CUSTOMERS[f"c{number % 400:03}"] for number in range(12_000)}
    version = "20261121T000000Z-0000"
    shop.store.publish(make_version(many, LETTERS, version=version), keep=1)
    shop.storage.close()
    command = [sys.executable, "-m", "recommender.cli", "picks", "c", "--audience", "everyone", "--workers", "2"]
    environment = {"REPRISE_REDIS_URL": redis_shop.url, "REPRISE_SHOP": redis_shop.shop, "OPENBLAS_NUM_THREADS": "1"}
    environment["REPRISE_MAIL__HOLDOUT"] = "0"
    process = subprocess.Popen(
        command, cwd=tmp_path, env={**os.environ, **environment}, stderr=subprocess.DEVNULL, start_new_session=True
    )
    wait_until(lambda: list(tmp_path.glob(".c.csv.parts/*.part")), "a part is there")
    process.kill()
    process.wait()
    wait_until(lambda: not _in_session(process.pid), "no process is left")
    assert not (tmp_path / "c.csv").exists()
    told = call_reprise(tmp_path / "home", *command[3:], environment=environment)
    assert told.returncode == 0, told.stderr
    ids = [row["customer_id"] for row in rows_of((tmp_path / "c.csv").read_bytes())]
    assert sorted(ids) == sorted(many)


def _in_session(session: int) -> list[str]:
    """Processes that the command left behind."""
    left = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            left.append(stat.parent.name)
    return left
