"""`reprise demo` as a person runs it: made up, trained, published, opened, and nothing left of it after Ctrl-C."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode

import pytest

from recommender.redis.open import open_storage
from recommender.settings import Settings
from tests.support.commands import call_reprise
from tests.support.console import to_text
from tests.support.load import ask
from tests.support.redis_servers import WAIT_S, free_port, wait_until
from tests.support.served import members

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


class Visitor:
    """Somebody's browser, as far as cookies go."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._cookie = ""

    def ask(self, path: str, **form: str) -> str:
        """The page at `path`; a form is posted, and what follows is another page."""
        headers = {"Cookie": self._cookie, "Content-Type": "application/x-www-form-urlencoded"}
        with closing(HTTPConnection("127.0.0.1", self._port, timeout=WAIT_S)) as connection:
            connection.request("POST" if form else "GET", path, urlencode(form) or None, headers)
            answer = connection.getresponse()
            self._cookie = (answer.headers["Set-Cookie"] or self._cookie).partition(";")[0]
            text = answer.read().decode()
        assert answer.status < 400, text
        return text


@contextmanager
def running(home: Path, port: int, *command: str) -> Iterator[list[str]]:
    """A command until Ctrl-C, which ends it and all that it started; what it had printed when it answered."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("REPRISE_")}
    environment = {**inherited, "REPRISE_HOME": str(home), "REPRISE_PORT": str(port), "OPENBLAS_NUM_THREADS": "1"}
    with subprocess.Popen(
        [sys.executable, "-m", *command],
        env=environment,
        cwd=home.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            assert process.stdout is not None
            printed = []
            for line in process.stdout:
                printed.append(line)
                if line.startswith("Serving"):
                    break
            yield printed
            os.killpg(process.pid, signal.SIGINT)
            process.wait(WAIT_S)
            wait_until(lambda: not members(process.pid), "no process is left")
            assert process.returncode == 0
        finally:
            for pid in members(process.pid):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def done(address: tuple[str, int], key: str, campaign: str) -> bool:
    """Whether the picks of a campaign are made."""
    answer = ask(address, f"/v1/campaigns/{campaign}", headers={"Authorization": f"Bearer {key}"})
    return bool(answer.json["state"] == "done")


def test_a_port_that_is_taken_is_said_before_anything_is_made(home: Path) -> None:
    port = free_port()
    with socket.create_server(("127.0.0.1", port + 1)):
        done = call_reprise(home, "demo", environment={"REPRISE_PORT": str(port)})
    assert done.returncode == 2
    assert f"cannot listen on 127.0.0.1:{port + 1}" in done.stderr
    assert not (home / "shop").exists()


def test_a_demo_from_nothing_to_ctrl_c_and_another_one(home: Path) -> None:
    port = free_port()
    with running(home, port, "recommender.cli", "demo", "--customers", "300") as printed:
        text = "".join(printed)
        first = re.search(r"Open first\n  (\S+)", text)
        key = re.search(r"KEY=(\S+)", text)
        assert first is not None
        assert first[1] == f"http://127.0.0.1:{port + 1}"
        assert key is not None
        visitor = Visitor(port + 1)
        visitor.ask("/demo/who", role="monthly")
        before = re.findall(r'data-product="([^"]+)"', visitor.ask("/"))
        visitor.ask("/demo/clock", step="week")
        page = visitor.ask("/").partition(f'data-product="{before[0]}"')[2]
        led = page.partition('name="recommendation_id" value="')[2].partition('"')[0]
        visitor.ask("/cart", product=before[0], recommendation_id=led)
        visitor.ask("/checkout", order="1")
        assert "here, just now" in visitor.ask("/account")
        owner = Visitor(port)
        owner.ask("/console/sign-in", key=key[1])
        counted = re.compile(r"Seen \d+ Clicked 0 Put into the cart 0 Bought 1 Money €\d")
        wait_until(lambda: counted.search(to_text(owner.ask("/console/overview"))), "the console counts the order")
        csrf = re.search(r'name="csrf" value="(\w+)"', owner.ask("/console/campaigns"))
        assert csrf is not None
        owner.ask("/console/campaign", csrf=csrf[1], campaign="trial", audience="everyone")
        wait_until(lambda: done(("127.0.0.1", port), key[1], "trial"), "the campaign's picks are made")
        assert ask(("127.0.0.1", port), "/v1/popular").status == 401
        kept = json.loads((home / "shop/orders.json").read_text())
        assert [list(order["lines"]) for order in kept] == [[before[0]]]
    # what was bought a week from now would be missing in the next demo
    with running(home, port, "training.demo.storefront", "curl"):
        visitor = Visitor(port + 1)
        visitor.ask("/demo/who", role="monthly")
        assert re.findall(r'data-product="([^"]+)"', visitor.ask("/")) == before
        assert json.loads((home / "shop/orders.json").read_text()) == []
    with open_storage(Settings(home=home)) as storage:
        assert storage.api_keys() == {}
