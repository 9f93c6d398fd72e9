"""`reprise send` as a person runs it: the real process, a real Redis and a real mail server; killed, and run again."""

import json
import os
import random
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner

from api import create_app
from recommender.redis.shops import RedisShopStorage
from recommender.settings import MailSettings, Settings
from tests.support.commands import call_reprise
from tests.support.mail_shop import SECRET, mailbox, names, publication, write_addresses
from tests.support.redis_servers import wait_until
from tests.support.smtp_sink import Sink, run_sink
from training.campaigns.mail import mailer
from training.commands.campaigns.send import command

N = 60


class Sender:
    """A published shop of its own, its addresses, and the command to send to them."""

    def __init__(self, folder: Path, url: str, shop: str, sink: Sink, n: int) -> None:
        self.folder, self.sink, self.settings = folder, sink, Settings(shop=shop, mail=MailSettings(holdout=0))
        self.storage = RedisShopStorage(url, timeout_ms=5_000)
        self.storage.store(shop).publish(publication(n), keep=3)
        write_addresses(folder / "addresses.csv", names(n))
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("REPRISE_")}
        mine = {"REPRISE_HOME": str(folder / "home"), "REPRISE_REDIS_URL": url, "REPRISE_SHOP": shop}
        self.environment = {**inherited, **mine, "REPRISE_MAIL__SECRET": SECRET, "OPENBLAS_NUM_THREADS": "1"}
        self.environment["REPRISE_MAIL__HOLDOUT"] = "0"

    def command(self, *more: str, campaign: str = "reorder") -> list[str]:
        """The command line."""
        there = ["--addresses", "addresses.csv", "--smtp", f"smtp://127.0.0.1:{self.sink.port}"]
        who = ["--audience", "everyone", "--slots", "2", "--from", "Shop <news@shop.example>"]
        return [sys.executable, "-m", "recommender.cli", "send", campaign, *who, *there, *more]

    def start(self, *more: str) -> "subprocess.Popen[bytes]":
        """Begin to send."""
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        return subprocess.Popen(self.command(*more), cwd=self.folder, env=self.environment, **quiet)  # type: ignore[call-overload,no-any-return]

    def run(self, *more: str, **options: str) -> "subprocess.CompletedProcess[str]":
        """Send to the end."""
        return self.call(self.command(*more, **options))

    def call(self, command: list[str]) -> "subprocess.CompletedProcess[str]":
        """Run a command line in this process."""
        mine = {name: value for name, value in self.environment.items() if name.startswith("REPRISE_")}
        return call_reprise(self.folder / "home", *command[3:], environment=mine)


MakeSender = Callable[[int], Sender]


@pytest.fixture
def make_sender(tmp_path: Path, redis_url: str, shop: str):
    made = []
    with run_sink() as sink:

        def make(n: int) -> Sender:
            made.append(Sender(tmp_path, redis_url, shop, sink, n))
            return made[-1]

        yield make
        for sender in made:
            sender.storage.close()


def test_it_sends_says_what_it_did_and_leaves_no_address_behind(make_sender: MakeSender):
    sender = make_sender(6)
    file = sender.folder / "addresses.csv"
    file.write_text(file.read_text() + "C001,again@mail.example\nNOBODY,nobody@mail.example\nC002,not an address\n")
    sender.sink.acts[mailbox("C003")] = ["550 5.1.1 <c003@mail.example> unknown"]
    done = sender.run("--per-second", "1000", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert {state: n for state, n in told["mails"].items() if n} == {"sent": 5, "bounced": 1}
    counted = sender.storage.figures(sender.settings.shop).mails
    assert {state: n for state, n in counted.items() if n} == {"sent": 5, "bounced": 1}
    assert told["addresses"] == {
        "rows": 9,
        "usable": 6,
        "encoding": "utf-8",
        "not_used": [],
        "bad": {"bad_address": 1, "customer_named_before": 1, "unknown_customer": 1},
        "bad_lines": [
            {"line": 8, "reason": "customer_named_before"},
            {"line": 10, "reason": "bad_address"},
            {"line": 9, "reason": "unknown_customer"},
        ],
    }
    assert sender.sink.counts == {mailbox(one): 1 for one in names(6) if one != "C003"}
    left = b"".join(path.read_bytes() for path in (sender.folder / "home").rglob("*") if path.is_file())
    assert b"C003" in left
    assert b"@mail.example" not in left
    assert "@mail.example" not in done.stdout + done.stderr
    (outbox,) = (sender.folder / "home").rglob("reorder.sqlite")
    assert outbox.stat().st_mode & 0o777 == 0o600


def test_a_list_of_customers_is_all_that_is_written_to(make_sender: MakeSender):
    sender = make_sender(6)
    (sender.folder / "vip.csv").write_text("customer_id\nC004\nC001\nNOBODY\n")
    command = sender.command("--per-second", "1000", "--json", "--customers", "vip.csv")
    at = command.index("--audience")
    del command[at : at + 2]
    for _ in range(2):
        done = sender.call(command)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["mails"]["sent"] == 2
    assert sender.sink.counts == {mailbox("C001"): 1, mailbox("C004"): 1}


def test_a_preview_shows_the_mail_that_is_sent_and_spends_nothing(make_sender: MakeSender):
    sender = make_sender(3)
    one, html = names(3)[0], sender.folder / "mail.html"
    there = ["--audience", "everyone", "--slots", "2", "--addresses", "addresses.csv", "--preview", one]
    seen = json.loads(sender.call([*sender.command()[:5], *there, "--html", str(html), "--json"]).stdout)
    assert (seen["reason"], seen["has_address"]) == (None, True)
    assert html.read_text() == seen["mail"]["html"]
    assert seen["mail"]["html"].startswith("<!doctype html>")
    told = sender.call([*sender.command()[:5], *there]).stdout
    assert f"Subject: {seen['mail']['subject']}" in told
    assert seen["mail"]["text"].strip() in told
    assert "nothing was claimed or sent" in told
    assert "/v1/m/" not in seen["mail"]["html"] + seen["mail"]["text"], "nothing that is clicked in it counts"
    assert not sender.sink.taken
    assert sender.run().returncode == 0
    sent = next(taken.message for taken in sender.sink.taken if taken.recipient == mailbox(one))
    assert sent["Subject"] == seen["mail"]["subject"]


def test_a_test_goes_to_colleagues_and_claims_nothing(make_sender: MakeSender):
    sender = make_sender(3)
    seeds = sender.folder / "seeds.csv"
    seeds.write_text("email,name,locale\nann@shop.example,Ann\nben@shop.example,Ben,de\n")
    done = sender.run("--test", "seeds.csv", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["customer_id"], told["mails"]["sent"], told["open"]) == (names(3)[0], 2, 0)
    assert sorted(sender.sink.counts) == ["ann@shop.example", "ben@shop.example"]
    ann, ben = sorted((taken.message for taken in sender.sink.taken), key=lambda mail: mail["To"])
    assert ann["Subject"].startswith("[Test] Picked for you")
    assert "Guten Tag Ben" in ben.get_body().get_content()
    for message in (ann, ben):
        assert message["List-Unsubscribe"] is None, "nobody who was not asked is unsubscribed by a colleague"
        assert "/v1/m/" not in message.as_string()
    standings = sender.storage.contacts(sender.settings.shop).standings(names(3))
    assert not any(standing.mails for standing in standings)
    assert sender.storage.contacts(sender.settings.shop).campaigns() == []
    assert sender.storage.event_log(sender.settings.shop).queue.backlog().waiting == 0
    other = sender.run("--test", "seeds.csv", "--preview", names(3)[2])
    assert f"the mail of {names(3)[2]}" in other.stdout
    assert sender.run().returncode == 0
    assert sum(sender.sink.counts.values()) == 4 + 3, "and then everybody gets theirs"


def test_server_sender_and_template_may_stand_in_the_settings(make_sender: MakeSender):
    sender = make_sender(2)
    command = [*sender.command()[:5], "--audience", "everyone", "--addresses", "addresses.csv"]
    assert "name --smtp and --from" in sender.call(command).stderr
    mine = sender.folder / "mine.jinja"
    mine.write_text('{% extends "mail.html.jinja" %}{% block subject %}Ours{% endblock %}')
    sender.environment |= {
        "REPRISE_MAIL__SMTP": f"smtp://127.0.0.1:{sender.sink.port}",
        "REPRISE_MAIL__SMTP_FROM": "Shop <own@shop.example>",
        "REPRISE_MAIL__TEMPLATE": str(mine),
    }
    done = sender.call(command)
    assert done.returncode == 0, done.stderr
    assert {(str(one.message["From"]), one.message["Subject"]) for one in sender.sink.taken} == {
        ("Shop <own@shop.example>", "Ours")
    }
    assert len(sender.sink.taken) == 2


@pytest.mark.parametrize(
    ("seeds", "more", "said"),
    [
        ("no address\n", [], "row 1 holds no address"),
        ("", [], "holds 0 addresses"),
        ("a@shop.example\n" * 51, [], "holds 51 addresses"),
        ("a@shop.example\n", ["--at", "2026-12-01 09:00"], "leave --at away"),
        ("a@shop.example\n", ["--preview", "nobody"], "would get no mail: unknown customer"),
    ],
)
def test_a_test_that_cannot_be_is_refused(make_sender: MakeSender, seeds: str, more: list[str], said: str):
    sender = make_sender(1)
    (sender.folder / "seeds.csv").write_text(seeds)
    done = sender.run("--test", "seeds.csv", *more)
    assert done.returncode in (2, 3)
    assert said in " ".join(done.stderr.replace("│", " ").split())
    assert not sender.sink.taken


def test_a_template_is_tried_out_before_anything_begins(make_sender: MakeSender):
    sender = make_sender(2)
    (sender.folder / "mine.jinja").write_text(
        '{% extends "mail.html.jinja" %}\n{% block closing %}{{ naam }}{% endblock %}'
    )
    done = sender.run("--template", "mine.jinja")
    assert done.returncode == 1
    assert "line 2 `{% block closing %}{{ naam }}{% endblock %}`: 'naam' is undefined; there are:" in done.stderr
    assert not sender.sink.taken
    assert sender.storage.contacts(sender.settings.shop).campaigns() == []


def test_it_begins_at_the_time_that_was_named(make_sender: MakeSender):
    sender = make_sender(2)
    at = datetime.now(ZoneInfo("Asia/Tehran")) + timedelta(seconds=3)
    done = sender.run("--at", f"{at:%Y-%m-%d %H:%M:%S}", "--time-zone", "Asia/Tehran", "--json")
    assert done.returncode == 0, done.stderr
    assert f"waits until {at.astimezone(UTC):%Y-%m-%d %H:%M} UTC" in done.stderr
    begun_at = datetime.fromisoformat(json.loads(done.stdout)["begun_at"])
    assert begun_at >= at.replace(microsecond=0)
    again = sender.run("--at", "2026-01-01 09:00", "--json")
    assert (again.returncode, json.loads(again.stdout)["open"]) == (0, 0), "run again after a kill, it goes on"


def test_a_preview_says_why_there_is_no_mail(make_sender: MakeSender):
    sender = make_sender(3)
    assert sender.run().returncode == 0
    preview = [*sender.command(campaign="another")[:5], "--addresses", "addresses.csv", "--preview"]
    audience = ["--audience", "everyone"]
    sender.environment["REPRISE_MAIL__MOST_PER_WEEK"] = "1"
    told = sender.call([*preview, names(3)[0], *audience])
    assert (told.returncode, told.stdout) == (0, f"{names(3)[0]} would get no mail: too often\n")
    assert "would get no mail: unknown customer" in sender.call([*preview, "nobody", *audience]).stdout
    assert "would get no mail: not in audience" in sender.call([*preview, names(3)[0], "--audience", "win_back"]).stdout
    listed = sender.folder / "listed.csv"
    listed.write_text(f"customer_id\n{names(3)[1]}\n")
    assert "not in audience" in sender.call([*preview, names(3)[0], "--customers", str(listed)]).stdout
    assert "add --preview CUSTOMER" in sender.call([*preview[:-1], *audience, "--dry-run", "--html", "x"]).stderr
    assert "leave one of them away" in sender.call([*preview, "x", *audience, "--dry-run"]).stderr


def test_a_dry_run_sends_and_claims_nothing(make_sender: MakeSender):
    sender = make_sender(6)
    told = ["--audience", "everyone", "--addresses", "addresses.csv", "--dry-run", "--json"]
    done = sender.call([*sender.command()[:5], *told])
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["mails"] == 6
    standings = sender.storage.contacts(sender.settings.shop).standings(names(6))
    assert not any(standing.mails for standing in standings)


def test_columns_of_addresses_that_are_not_used_are_said(make_sender: MakeSender):
    sender = make_sender(1)
    file = sender.folder / "addresses.csv"
    file.write_text(f"customer_id,email,Accepts Marketing\n{names(1)[0]},{mailbox(names(1)[0])},no\n")
    told = ["--audience", "everyone", "--addresses", "addresses.csv", "--dry-run"]
    assert (
        "not used: 'Accepts Marketing'; where a column says who" in sender.call([*sender.command()[:5], *told]).stdout
    )


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--smtp", "smtp://127.0.0.1"),
        ("--from", "Shop <news@shop.example>"),
        ("--per-second", "1"),
        ("--template", __file__),
        ("--locale", "de"),
    ],
)
def test_an_option_of_mails_is_refused_where_none_is_sent(option: str, value: str):
    arguments = ["reorder", "--audience", "everyone", "--addresses", "addresses.csv", "--dry-run", option, value]
    done = CliRunner().invoke(command, arguments)
    remedy = f"--dry-run sends no mail; leave {option} away, or --dry-run"
    assert (done.exit_code, remedy in " ".join(done.output.replace("│", " ").split())) == (2, True), done.output


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--smtp", "smtp://mail.example"], 2, "REPRISE_MAIL__LINK_BASE"),
        (["--smtp", "smtp://a:b@127.0.0.1"], 2, "REPRISE_SMTP_PASSWORD"),
        (["--from", "nobody"], 2, "Shop <news@shop.example>"),
        (["--addresses", "gone.csv"], 3, "gone.csv"),
        (["--from", "bounced@shop.example"], 1, "553 5.1.8; check --from"),
    ],
)
def test_wrong_use_is_one_clear_line(make_sender: MakeSender, arguments: list[str], code: int, words: str):
    sender = make_sender(2)
    sender.environment["REPRISE_SMTP_PASSWORD"] = "s3cr3t"
    sender.sink.refused_senders = {"bounced@shop.example"}
    done = sender.run(*arguments)
    assert done.returncode == code, done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert words in line
    assert "Traceback" not in done.stderr
    assert "s3cr3t" not in done.stderr
    assert sender.sink.taken == []


def test_mails_that_stay_open_end_with_1(make_sender: MakeSender, monkeypatch: pytest.MonkeyPatch):
    sender = make_sender(2)
    sender.sink.acts[mailbox("C000")] = ["450 4.2.0 later"]
    monkeypatch.setattr(mailer, "ROUND_PAUSES_S", ())
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.chdir(sender.folder)
    done = CliRunner().invoke(command, sender.command("--per-second", "1000")[4:], env=sender.environment)
    assert done.exit_code == 1
    assert "1 not taken yet; run it again\n  1 times: 450 4.2.0" in done.stdout
    assert sender.sink.counts == {mailbox("C001"): 1}
    done = CliRunner().invoke(command, sender.command("--per-second", "1000")[4:], env=sender.environment)
    assert done.exit_code == 0
    assert "every mail is settled" in done.stdout
    assert sender.sink.counts == {mailbox("C000"): 1, mailbox("C001"): 1}


def test_one_click_in_the_mail_keeps_the_next_campaign_away(make_sender: MakeSender):
    sender = make_sender(3)
    assert sender.run("--per-second", "1000").returncode == 0
    mail = next(mail for mail in sender.sink.taken if mail.recipient == mailbox("C001"))
    (path,) = re.fullmatch(
        r"<http://127\.0\.0\.1:8000(/v1/m/[\w.-]+/unsubscribe)>", mail.message["List-Unsubscribe"]
    ).groups()  # type: ignore[union-attr]
    settings = Settings(
        log_level="error", shop=sender.settings.shop, mail=MailSettings.model_validate({"secret": SECRET})
    )
    client = create_app(settings, sender.storage).test_client()
    assert client.post(path, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    done = sender.run("--per-second", "1000", "--json", campaign="second")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["without"] == {"unsubscribed": 1}
    assert sender.sink.counts == {mailbox("C000"): 2, mailbox("C001"): 1, mailbox("C002"): 2}


def test_sigterm_finishes_the_mails_in_hand(make_sender: MakeSender):
    sender = make_sender(N)
    process = sender.start("--per-second", "40")
    wait_until(lambda: len(sender.sink.taken) >= 5, "some mails are sent")
    process.terminate()
    assert process.wait(60) != 0
    assert len(sender.sink.taken) < N
    done = sender.run("--per-second", "1000", "--json")
    assert json.loads(done.stdout)["mails"]["unknown"] == 0
    assert sender.sink.counts == {mailbox(one): 1 for one in names(N)}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_killed_again_and_again_it_doubles_and_misses_nobody(make_sender: MakeSender, seed: int):
    sender, luck = make_sender(N), random.Random(seed)
    sender.sink.thinks_s = 0.01  # so that a kill often comes between a mail and its answer
    kills = 0
    while len(sender.sink.taken) < N - 10:
        enough = len(sender.sink.taken) + luck.randrange(5, 16)
        process = sender.start("--per-second", "1000")
        wait_until(lambda: len(sender.sink.taken) >= enough or process.poll() is not None, "some mails are sent")  # noqa: B023
        process.send_signal(signal.SIGKILL)
        kills += process.wait(60) == -signal.SIGKILL
    assert kills >= 3
    done = sender.run("--per-second", "1000", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    unknown = set(told["unknown_customers"])
    assert len(unknown) <= 4 * kills  # one a connection
    assert told["mails"]["sent"] + told["mails"]["unknown"] == N
    counts = Counter({mailbox(one): 0 for one in names(N)}) + sender.sink.counts
    assert max(counts.values()) == 1
    assert {one for one in names(N) if not counts[mailbox(one)]} <= unknown
    with closing(RedisShopStorage(sender.environment["REPRISE_REDIS_URL"], timeout_ms=5_000)) as storage:
        standings = storage.contacts(sender.settings.shop).standings(names(N))
    assert all(len(standing.mails) == 1 for standing in standings)
