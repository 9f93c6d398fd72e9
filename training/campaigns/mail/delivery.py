"""Delivery of mails over several SMTP connections: throttled, tried again, and given up when the server fails."""

import queue
import random
import ssl
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from typing import NoReturn

from recommender.campaigns.mail.mail_server import MailServer
from recommender.campaigns.mail.smtp import TIMEOUT_S, Envelope, Reply, Session
from recommender.errors import MailError
from training.campaigns.mail.outbox import Outbox
from training.campaigns.mail.throttle import Throttle, pause_s

CONNECTIONS = 4
"""At the same time: a server answers each mail five times, and the way there and back takes longer than the work."""
TRIES = 3
"""Of one mail before it has to wait for the next round, where it was the connection that failed."""
MOST_FAILURES = 12
"""In a row, of the server as a whole: with the pauses between them about two minutes."""
MOST_REFUSALS = 50
"""In a row, for good: no list of addresses is that bad, so it is we who are not wanted."""

BuildEnvelope = Callable[[datetime], Envelope]
"""The mail, given the moment of sending."""


class Delivery:
    """Delivers mails to one server; `deliver` may be called by CONNECTIONS threads at the same time.

    Args:
        server: takes the mails.
        per_second: most mails a second.
        clock: the aware moment.
        now: seconds of a clock that never goes back.
        seed: decides how long pauses are exactly.
        sleep: waits for seconds; None waits until `stop` at most.
        timeout_s: longest wait for one answer of the server.
        context: which certificates are trusted; None: those of the system.
    """

    def __init__(
        self,
        server: MailServer,
        per_second: float,
        clock: Callable[[], datetime],
        now: Callable[[], float],
        *,
        seed: str,
        sleep: Callable[[float], object] | None = None,
        timeout_s: float = TIMEOUT_S,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._server = server
        self._clock = clock
        self._random = random.Random(seed)  # noqa: S311 - how long to wait is no secret
        self._stopped = threading.Event()
        self._sleep = sleep or self._stopped.wait
        self._throttle = Throttle(per_second, now, self._sleep)
        self._lock = threading.Lock()
        self._failures = 0
        self._refused: list[str] = []
        self._sessions: queue.SimpleQueue[Session] = queue.SimpleQueue()
        for _ in range(CONNECTIONS):
            self._sessions.put(Session(server, timeout_s, context))

    @contextmanager
    def at_work(self) -> Iterator[ThreadPoolExecutor]:
        """Threads to deliver with; when the context ends, each finishes its mail and its connection is closed."""
        with ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="mail") as pool:
            try:
                yield pool
            finally:
                self._stopped.set()
                pool.shutdown(cancel_futures=True)
                for _ in range(CONNECTIONS):
                    self._sessions.get().quit()

    def pause(self, seconds: float) -> None:
        """Wait so many seconds, or until a delivery is given up."""
        self._sleep(seconds)

    def deliver(self, customer_id: str, build: BuildEnvelope, outbox: Outbox) -> None:
        """Deliver one mail and set its state in `outbox`; nothing is done once `at_work` has ended.

        Raises:
            MailError: the mail cannot be made, or the server takes none at all.
        """
        session = self._sessions.get()
        try:
            self._try(session, customer_id, build, outbox)
        except BaseException:
            self._stopped.set()
            raise
        finally:
            self._sessions.put(session)

    def _try(self, session: Session, customer_id: str, build: BuildEnvelope, outbox: Outbox) -> None:
        for _ in range(TRIES):
            self._throttle.wait()
            if self._stopped.is_set():
                return
            at = self._clock()
            reply = session.send(build(at), lambda at=at: outbox.mark(customer_id, "sending", at))  # type: ignore[misc]
            lost = reply.kind == "lost"
            outbox.mark(customer_id, "deferred" if lost else reply.kind, at, reply.code)  # type: ignore[arg-type]
            self._consider(reply, customer_id, outbox)
            if not lost:
                return

    def _consider(self, reply: Reply, customer_id: str, outbox: Outbox) -> None:
        """Count failures in a row; pause, or give up, where it is the server that fails.

        Raises:
            MailError: it went wrong too often.
        """
        failed = reply.kind in ("lost", "deferred", "unknown")
        with self._lock:
            self._failures = self._failures + 1 if failed else 0
            if reply.kind == "sent":
                self._refused.clear()
            elif not failed:
                self._refused.append(customer_id)
            if self._failures >= MOST_FAILURES:
                self._give_up(f"failed {self._failures}", reply)
            if len(self._refused) >= MOST_REFUSALS:
                for refused in self._refused:  # it was not they who were refused: they are tried again
                    outbox.mark(refused, "deferred", self._clock(), reply.code)
                self._give_up(f"refused {len(self._refused)}", reply)
            seconds = pause_s(self._failures, self._random) if failed else 0.0
        if failed:
            self._sleep(seconds)

    def _give_up(self, what: str, reply: Reply) -> NoReturn:
        self._stopped.set()
        raise MailError(
            f"{self._server!r} {what} times in a row, with {reply.code} in the end; "
            "nothing is lost: run it again when the server is well"
        )
