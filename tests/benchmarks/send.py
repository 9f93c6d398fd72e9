"""Mails a second to a mail server on the same machine, and where the time goes: `python tests/benchmarks/send.py`.

The server is aiosmtpd in a process of its own. `--answers-after` makes it as slow as one that is far away, which is
what several connections are for. Nothing else is slowed down: the pace is set out of reach.
"""

import argparse
import json
import multiprocessing
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Any

from recommender.campaigns.mail.message import MessageBuilder
from recommender.campaigns.mail.render import Renderer
from recommender.campaigns.mail.smtp import Session
from tests.support.mail_shop import MailShop, names
from tests.support.smtp_sink import run_sink
from training.campaigns.mail import delivery
from training.campaigns.mail.outbox import Outbox

STEPS: list[tuple[type, str]] = [(Renderer, "render"), (MessageBuilder, "write"), (Session, "send"), (Outbox, "mark")]
"""`send` contains the `mark` of a mail that is on its way."""


def serve(ports: "Queue[int]", answers_after_s: float) -> None:
    """Take mails until killed."""
    with run_sink() as sink:
        sink.thinks_s = answers_after_s
        ports.put(sink.port)
        while True:
            time.sleep(1)


def time_steps() -> dict[str, float]:
    """Have every step add its seconds up, over all threads."""
    spent: dict[str, float] = defaultdict(float)

    def timed(name: str, step: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any, **named: Any) -> Any:
            started = time.perf_counter()
            try:
                return step(*arguments, **named)
            finally:
                spent[name] += time.perf_counter() - started

        return run

    for owner, name in STEPS:
        setattr(owner, name, timed(name, getattr(owner, name)))
    return spent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mails", type=int, default=1_000)
    parser.add_argument("--connections", type=int, default=delivery.CONNECTIONS)
    parser.add_argument("--answers-after", type=float, default=0.0, metavar="SECONDS")
    asked = parser.parse_args()
    delivery.CONNECTIONS = asked.connections
    context = multiprocessing.get_context("spawn")
    ports: Queue[int] = context.Queue()
    server = context.Process(target=serve, args=(ports, asked.answers_after), daemon=True)
    server.start()
    with tempfile.TemporaryDirectory() as folder:
        shop, spent, port = MailShop(Path(folder), names(asked.mails)), time_steps(), ports.get()
        started = time.perf_counter()
        sent = shop.send(port)
        seconds = time.perf_counter() - started
    server.kill()
    told = {"mails": sent, "mails_per_s": round(asked.mails / seconds, 1), "connections": asked.connections}
    told["ms_per_mail"] = {name: round(1000 * total / asked.mails, 2) for name, total in spent.items()}  # type: ignore[assignment]
    print(json.dumps(told))


if __name__ == "__main__":
    main()
