"""`api/deploy/compose.yaml`, run: a shop is trained, served, archived and mailed, and loses processes under load."""

import os
import secrets
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest

from tests.support.compose import Compose, compose_project
from tests.support.load import Answer, Load, ask, load
from tests.support.podman import IMAGES, Podman
from tests.support.redis_servers import wait_until
from tests.support.served import children, workers_of
from tests.support.smtp_sink import run_sink

pytestmark = [
    pytest.mark.containers,
    pytest.mark.slow,
    pytest.mark.timeout(1800),  # the images are built within the first test
    pytest.mark.xdist_group("containers"),
]
PAGES = ["/v1/popular", "/v1/products/MILK-1L/similar", "/v1/customers/C00001/recommendations?limit=3"]
THREADS = 4
PATIENCE_S = 180.0


class Shop:
    """The running project, and how it is asked."""

    def __init__(self, compose: Compose) -> None:
        self.compose, self.address = compose, compose.address
        compose.run("trainer")
        key = compose.json("api", "keys", "create", "--scope", "read", "--scope", "events")["key"]
        self.headers = {"Authorization": f"Bearer {key}"}
        compose("up", "--detach")
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        """Return when the service answers with a version."""
        wait_until(lambda: ask(self.address, "/health/ready").status == 200, "the service is ready", PATIENCE_S)

    def ask(self, path: str, method: str = "GET", document: object = None) -> Answer:
        """One request with the key."""
        return ask(self.address, path, method, document, self.headers)

    def insist(self, path: str, status: int, document: object = None) -> None:
        """POST until it is taken: where the machine is busy, that is refused with 503 for a moment."""

        def is_taken() -> bool:
            answer = self.ask(path, "POST", document)
            assert answer.status in {status, 503}, answer.body
            return answer.status == status

        wait_until(is_taken, f"{path} is taken", PATIENCE_S)

    def load(self) -> AbstractContextManager[Load]:
        """Pages, asked for by several threads, with the key."""
        return load(self.address, PAGES, threads=THREADS, headers=self.headers)

    def server(self) -> int:
        """The process of `reprise serve`, below the container's first one."""
        (pid,) = children(self.compose.pid("api"))
        return pid


@pytest.fixture(scope="module")
def shop(podman: Podman) -> Iterator[Shop]:
    with compose_project(podman, f"reprise-test-{secrets.token_hex(4)}") as compose:
        yield Shop(compose)


def statuses(running: Load) -> Counter[int | str]:
    """How many answers had each status, and how many requests met what instead of one."""
    return Counter(type(answer.error).__name__ if answer.error else answer.status for answer in running.answers)


def test_the_service_answers_with_what_the_trainer_published(shop: Shop) -> None:
    def ask_all() -> list[Answer]:
        answers = [shop.ask(path) for path in PAGES]
        assert [answer.status for answer in answers] == [200, 200, 200]
        assert all(answer.json["items"] for answer in answers)
        return answers

    # where the machine is busy, a late answer of Redis is a fallback for a moment
    wait_until(lambda: not any(answer.json["fallback"] for answer in ask_all()), "all answers are whole", PATIENCE_S)
    current = shop.compose.json("api", "models")["current"]
    assert {answer.json["model_version"] for answer in ask_all()} == {current}
    assert ask(shop.address, PAGES[0]).status == 401


@pytest.mark.parametrize("service", ["api", "worker", "valkey"])
def test_nobody_is_root_and_the_root_file_system_is_read_only(service: str, shop: Shop) -> None:
    status = shop.compose.exec(service, "cat", "/proc/1/status")
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert "0" not in fields["Uid"].split()
    assert (int(fields["CapBnd"], 16), int(fields["CapEff"], 16), fields["NoNewPrivs"]) == (0, 0, "1")
    mounts = shop.compose.exec(service, "cat", "/proc/mounts").splitlines()
    (root,) = [line.split()[3].split(",") for line in mounts if line.split()[1] == "/"]
    assert "ro" in root


@pytest.mark.parametrize("service", ["api", "valkey"])
def test_health_checks_pass(service: str, shop: Shop) -> None:
    shop.compose.podman("healthcheck", "run", shop.compose.container(service))


def test_the_image_of_the_service_is_smaller_and_says_what_it_cannot_do(shop: Shop) -> None:
    sizes = {
        image: int(shop.compose.podman("image", "inspect", "--format", "{{.Size}}", image)) for image in sorted(IMAGES)
    }
    print({image: f"{size / 1e6:.0f} MB" for image, size in sizes.items()})
    assert sizes["reprise-service:0.1.0"] < sizes["reprise:0.1.0"] * 0.7
    done = shop.compose.podman.run(["podman", "run", "--rm", "reprise-service:0.1.0", "train", "purchases.csv"])
    assert done.returncode == 1
    assert "the image `reprise`" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_whole_image_reads_databases_and_workbooks(shop: Shop) -> None:
    modules = "adbc_driver_postgresql, cryptography, duckdb, nanoarrow, pymysql, python_calamine"
    run = ("run", "--rm", "--network", "none", "--entrypoint", "python")
    assert shop.compose.podman(*run, "reprise:0.1.0", "-c", f"import {modules}; print('here')") == "here"


def test_the_worker_archives_what_happens_and_the_trainer_learns_from_it_under_load(shop: Shop) -> None:
    before = shop.compose.json("api", "models")["current"]
    event = {"event_id": secrets.token_hex(8), "event_type": "purchase", "customer_id": "newcomer"}
    event |= {"product_id": "MILK-1L", "occurred_at": datetime.now(UTC).isoformat()}
    # a profile has no last copy: where the machine is busy, a late answer of Redis is a 503 for a moment
    wait_until(lambda: shop.ask("/v1/customers/newcomer/profile").status == 404, "nobody knows them yet", PATIENCE_S)
    shop.insist("/v1/events", 202, {"events": [event]})
    search = ["find", "/var/lib/reprise/ledger", "-name", "*.parquet"]
    wait_until(lambda: shop.compose.exec("worker", *search), "the event is archived", PATIENCE_S)
    with shop.load() as running:
        running.next()
        shop.compose.run("trainer")
        wait_until(
            lambda: running.answers[-1].json["model_version"] != before, "it answers with a new version", PATIENCE_S
        )
        running.next()
    assert set(statuses(running)) == {200}
    wait_until(lambda: shop.ask("/v1/customers/newcomer/profile").status == 200, "they have a profile", PATIENCE_S)


def test_workers_are_replaced_one_by_one_under_load(shop: Shop) -> None:
    old = set(workers_of(shop.server()))
    with shop.load() as running:
        running.next()
        shop.compose.podman("kill", "--signal", "HUP", shop.compose.container("api"))
        wait_until(lambda: not old & set(workers_of(shop.server())), "all workers are new", PATIENCE_S)
        running.next()
    assert len(set(workers_of(shop.server()))) == len(old)
    print(statuses(running))
    assert running.statuses().keys() <= {200, 0}
    # a connection that nobody had taken may be reset: api/deploy/README.md says so
    assert statuses(running)["ConnectionResetError"] + statuses(running)[200] == len(running.answers)
    assert running.statuses()[0] <= THREADS * len(old)


def test_a_worker_that_is_killed_loses_what_it_had_and_no_more(shop: Shop) -> None:
    first, *rest = workers_of(shop.server())
    with shop.load() as running:
        running.next()
        os.kill(first, signal.SIGKILL)
        wait_until(
            lambda: first not in (now := workers_of(shop.server())) and len(now) == 1 + len(rest),
            "another has come in its place",
            PATIENCE_S,
        )
        running.next()
    print(statuses(running))
    assert running.statuses().keys() <= {200, 0}
    assert running.statuses()[0] <= THREADS


def test_a_container_that_is_killed_is_started_again_and_answers(shop: Shop) -> None:
    killed = shop.compose.pid("api")
    with shop.load() as running:
        running.next()
        os.kill(killed, signal.SIGKILL)
        wait_until(lambda: shop.compose.pid("api") not in {0, killed}, "the container runs again", PATIENCE_S)
        shop.wait_until_ready()
        assert {answer.status for answer in running.next()} == {200}
    print(statuses(running))
    assert running.statuses().keys() == {200, 0}  # nobody listened meanwhile; never a wrong answer


def test_the_mailer_reaches_a_mail_server_and_writes_to_everybody_once(shop: Shop) -> None:
    addresses = [f"C{number:05},c{number}@shop.example" for number in range(1, 21)]
    lines = ["customer_id,email", *addresses]
    shop.compose.folder.joinpath("data", "addresses.csv").write_text("\n".join(lines) + "\n")
    with run_sink(host="0.0.0.0") as sink:
        to = ["--addresses", "/data/addresses.csv", "--smtp", f"smtp+plain://host.containers.internal:{sink.port}"]
        send = ["send", "hello", "--audience", "everyone", "--from", "Shop <news@shop.example>", *to]
        first, again = (shop.compose.json("mailer", *send) for _ in range(2))
    assert first["mails"]["sent"] == again["mails"]["sent"] == len(sink.taken) > 0
    assert set(sink.counts.values()) == {1}
    # the links are signed with the secret of .env and lead to where the settings say; the service knows both
    link = urlsplit(str(sink.taken[0].message["List-Unsubscribe"]).strip("<>"))
    assert link.netloc == "shop.example"
    shop.insist(link.path, 200)
