"""The outbox: the state of every mail of a campaign, in a SQLite file that survives a kill at any moment.

A mail is `sending` from just before the end of its text is sent until the server has answered. One that is `sending`
when the file is opened was cut off in between: whether the server took it is `unknown`, and it is not sent again.
"""

import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Literal, NamedTuple, get_args

from recommender.data_dir import home_errors, make_folder
from recommender.days import SECONDS_PER_DAY
from recommender.errors import BusyError, HomeError
from recommender.retention import CONTACTS_KEPT_DAYS

State = Literal["claimed", "sending", "sent", "refused", "bounced", "unknown", "deferred", "no_address"]
SETTLED: frozenset[State] = frozenset({"sent", "refused", "bounced", "unknown"})
"""Nothing more is done for such a mail; the others are tried again when the campaign is run again."""
_TABLES = """
CREATE TABLE IF NOT EXISTS mails (
    customer_id TEXT PRIMARY KEY, block INT, state TEXT, detail TEXT, at TEXT, told INT DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS mails_by_state ON mails (state, told);
CREATE INDEX IF NOT EXISTS mails_by_block ON mails (block);
CREATE TABLE IF NOT EXISTS blocks (number INTEGER PRIMARY KEY, done INT);
CREATE TABLE IF NOT EXISTS reasons (block INT, reason TEXT, count INT, PRIMARY KEY (block, reason)) WITHOUT ROWID;
UPDATE mails SET state = 'unknown' WHERE state = 'sending';
"""


class Settled(NamedTuple):
    """A mail that was sent or bounced and is not in the event log yet. `at` is aware."""

    customer_id: str
    state: State
    at: datetime


class Outbox:
    """The states of one campaign's mails by customer. Made by `open_outbox`; may be shared between threads."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()

    def claim(self, block: int, customer_ids: Iterable[str]) -> None:
        """Add customers of a block as `claimed`; one who is there already keeps the state."""
        rows = [(customer_id, block, "claimed") for customer_id in customer_ids]
        with self._lock, self._connection:
            self._connection.executemany(
                "INSERT OR IGNORE INTO mails (customer_id, block, state) VALUES (?, ?, ?)", rows
            )

    def mark(self, customer_id: str, state: State, at: datetime, detail: str = "") -> None:
        """Set the state of a claimed mail; on disk when this returns. `at` is aware, `detail` a reply's code."""
        with self._lock, self._connection:
            self._connection.execute(
                "UPDATE mails SET state = ?, at = ?, detail = ?, told = 0 WHERE customer_id = ?",
                (state, at.isoformat(), detail, customer_id),
            )

    def states(self, block: int) -> dict[str, State]:
        """State by customer of a block; {} where none was claimed."""
        return dict(self._all("SELECT customer_id, state FROM mails WHERE block = ?", (block,)))

    def finish(self, block: int, reasons: Mapping[str, int]) -> None:
        """Store that a block was sent and how many of it got no mail, by reason; it is done once all is settled."""
        marks = ",".join("?" * len(SETTLED))
        with self._lock, self._connection as connection:
            connection.execute(
                "INSERT OR REPLACE INTO blocks SELECT ?, NOT EXISTS "  # noqa: S608
                f"(SELECT 1 FROM mails WHERE block = ? AND state NOT IN ({marks}))",
                (block, block, *sorted(SETTLED)),
            )
            connection.execute("DELETE FROM reasons WHERE block = ?", (block,))
            connection.executemany(
                "INSERT INTO reasons VALUES (?, ?, ?)", [(block, reason, n) for reason, n in reasons.items()]
            )

    def unfinished(self, blocks: Iterable[int]) -> list[int]:
        """Those of `blocks` that are not done."""
        done = {number for (number,) in self._all("SELECT number FROM blocks WHERE done")}
        return [number for number in blocks if number not in done]

    def deferred(self) -> list[int]:
        """Blocks with mails that are deferred or not tried yet."""
        rows = self._all("SELECT DISTINCT block FROM mails WHERE state IN ('deferred', 'claimed') ORDER BY block")
        return [number for (number,) in rows]

    def unlogged(self, most: int) -> list[Settled]:
        """Mails that were sent or bounced and are not in the event log yet, at most `most`."""
        rows = self._all(
            "SELECT customer_id, state, at FROM mails WHERE state IN ('sent', 'bounced') AND told = 0 LIMIT ?", (most,)
        )
        return [Settled(customer_id, state, datetime.fromisoformat(at)) for customer_id, state, at in rows]

    def mark_logged(self, customer_ids: Iterable[str]) -> None:
        """Store that the event log has these mails."""
        with self._lock, self._connection:
            self._connection.executemany(
                "UPDATE mails SET told = 1 WHERE customer_id = ?", [(customer_id,) for customer_id in customer_ids]
            )

    def counts(self) -> dict[State, int]:
        """Number of mails in each state, `sending` excepted; 0 for none."""
        found: Counter[State] = Counter(dict(self._all("SELECT state, count(*) FROM mails GROUP BY state")))
        return {state: found[state] for state in get_args(State) if state != "sending"}

    def reasons(self) -> dict[str, int]:
        """Number of customers of the audience who get no mail, by reason."""
        return dict(self._all("SELECT reason, sum(count) FROM reasons GROUP BY reason ORDER BY reason"))

    def details(self) -> dict[str, int]:
        """Number of mails that the server did not take, by the code of its answer, most first."""
        where = "state IN ('refused', 'bounced', 'deferred')"
        return dict(self._all(f"SELECT detail, count(*) FROM mails WHERE {where} GROUP BY detail ORDER BY 2 DESC, 1"))  # noqa: S608

    def unknown(self, most: int) -> list[str]:
        """Customers whose mail is `unknown`, by id, at most `most`."""
        rows = self._all("SELECT customer_id FROM mails WHERE state = 'unknown' ORDER BY customer_id LIMIT ?", (most,))
        return [customer_id for (customer_id,) in rows]

    def forget(self, customer_ids: Iterable[str]) -> int:
        """Delete customers; how many there were."""
        with self._lock, self._connection:
            rows = [(customer_id,) for customer_id in customer_ids]
            return self._connection.executemany("DELETE FROM mails WHERE customer_id = ?", rows).rowcount

    def customer_ids(self) -> list[str]:
        """Customers with a mail in any state."""
        return [customer_id for (customer_id,) in self._all("SELECT customer_id FROM mails")]

    def _all(self, query: str, values: Sequence[object] = ()) -> list[tuple]:  # type: ignore[type-arg]
        with self._lock:
            return self._connection.execute(query, values).fetchall()


def outbox_path(home: Path, shop: str, campaign_id: str) -> Path:
    """Path of a campaign's outbox; `campaign_id` is one that `Campaign` allows."""
    return _folder(home, shop) / f"{campaign_id}.sqlite"


def forget_customers(home: Path, shop: str, is_erased: Callable[[str], bool]) -> int:
    """Delete erased customers from every outbox of a shop; how many mails there were.

    Raises:
        BusyError: one of the campaigns is being sent.
        HomeError: an outbox cannot be written or read.
    """
    count = 0
    for path in sorted(_folder(home, shop).glob("*.sqlite")):
        with open_outbox(path) as outbox:
            count += outbox.forget([one for one in outbox.customer_ids() if is_erased(one)])
    return count


def forget_old_campaigns(home: Path, shop: str, now: datetime) -> None:
    """Delete outboxes that are unchanged for CONTACTS_KEPT_DAYS: their campaigns are forgotten, too. `now` is aware.

    Raises HomeError: one cannot be deleted.
    """
    for path in _folder(home, shop).glob("*.sqlite"):
        with home_errors(f"delete {path}"):
            if now.timestamp() - path.stat().st_mtime > CONTACTS_KEPT_DAYS * SECONDS_PER_DAY:
                path.unlink(missing_ok=True)


def _folder(home: Path, shop: str) -> Path:
    return home / "outbox" / shop


@contextmanager
def open_outbox(path: Path) -> Iterator[Outbox]:
    """Open or create an outbox, for this process alone; only its user may read it.

    Raises:
        BusyError: another process has it open.
        HomeError: it cannot be written, or is no outbox.
    """
    make_folder(path.parent)
    try:
        path.touch(mode=0o600)
        connection = sqlite3.connect(path, timeout=0, check_same_thread=False)
    except (OSError, sqlite3.Error) as error:
        raise HomeError(f"cannot write {path}: {error}; set REPRISE_HOME") from None
    try:
        with closing(connection):
            # the lock is the kernel's: it is free as soon as the process is dead
            for pragma in (
                "locking_mode = EXCLUSIVE",
                "journal_mode = WAL",
                "synchronous = FULL",
                "secure_delete = ON",
            ):
                connection.execute(f"PRAGMA {pragma}")
            connection.executescript(_TABLES)
            yield Outbox(connection)
    except sqlite3.Error as error:
        if "locked" in str(error):
            raise BusyError(f"this campaign is being sent by another process, which has {path} open; wait") from None
        raise HomeError(f"cannot write or read {path}: {error}; free the disk or set REPRISE_HOME") from None
