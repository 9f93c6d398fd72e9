"""The list of who is not written to and who was erased, as a file."""

import multiprocessing
import os
import signal
import sqlite3
import stat
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from recommender.errors import HomeError
from recommender.suppression_list import ERASED, Suppression, SuppressionList

ANN, BEN = "a" * 32, "b" * 32


@pytest.fixture
def known(tmp_path: Path) -> SuppressionList:
    return SuppressionList(tmp_path / "home" / "suppressions" / "shop.sqlite")


def test_it_is_empty_and_no_file_before_there_is_one_to_add(known: SuppressionList):
    known.add([])
    assert list(known) == []
    assert not known.path.exists()


def test_the_latest_moment_of_each_mark_is_kept(known: SuppressionList):
    known.add(
        [Suppression(BEN, "subscribe", 5), Suppression(ANN, "unsubscribe", 7), Suppression(ANN, "unsubscribe", 6)]
    )
    known.add([Suppression(ANN, "subscribe", 9), Suppression(BEN, "subscribe", 4)])
    assert list(known) == [(ANN, "subscribe", 9), (ANN, "unsubscribe", 7), (BEN, "subscribe", 5)]


def test_of_an_erased_customer_nothing_else_is_kept(known: SuppressionList):
    known.add([Suppression(ANN, "unsubscribe", 7), Suppression(BEN, "unsubscribe", 7)])
    known.add([Suppression(ANN, ERASED, 8)])
    known.add([Suppression(ANN, "unsubscribe", 9)])
    assert list(known) == [(ANN, ERASED, 8), (BEN, "unsubscribe", 7)]


def test_more_than_a_page_is_read_whole_and_in_order(known: SuppressionList):
    many = [Suppression(f"{number:032x}", "unsubscribe", number) for number in range(3_500)]
    known.add(many)
    assert list(known) == many


@pytest.mark.parametrize("umask", [0o000, 0o022])
def test_nobody_else_may_read_it(known: SuppressionList, umask: int):
    before = os.umask(umask)
    try:
        known.add([Suppression(ANN, "unsubscribe", 1)])
    finally:
        os.umask(before)
    assert stat.S_IMODE(known.path.stat().st_mode) == 0o600


def test_a_file_that_cannot_be_read_is_named_with_the_remedy(known: SuppressionList):
    known.path.parent.mkdir(parents=True)
    known.path.write_text("this is no database, and too long to be an empty one" * 20)
    for use in (lambda: known.add([Suppression(ANN, ERASED, 1)]), lambda: list(known)):
        with pytest.raises(HomeError, match=r"shop\.sqlite.*restore the file"):
            use()


def test_who_may_not_write_there_keeps_none(known: SuppressionList, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(os, "access", lambda *_: False)
    known.add([Suppression(ANN, ERASED, 1)])
    assert not known.writable
    assert not known.path.parent.exists()


def _add(path: Path, people: Sequence[int]) -> None:
    for person in people:
        SuppressionList(path).add([Suppression(f"{person:032x}", "unsubscribe", 1)])
        time.sleep(0.002)  # SQLite is not fair: one who never pauses can keep the others out


def test_several_processes_add_at_once_and_nothing_is_lost_where_one_is_killed(known: SuppressionList):
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_add, args=(known.path, range(n * 1_000, n * 1_000 + 60))) for n in range(3)]
    endless = context.Process(target=_add, args=(known.path, range(10_000, 100_000)))
    for one in [*writers, endless]:
        one.start()
    for one in writers:
        one.join()
    assert endless.pid is not None
    os.kill(endless.pid, signal.SIGKILL)
    endless.join()
    people = [int(one.person, 16) for one in known]
    assert [person for person in people if person < 10_000] == [n * 1_000 + i for n in range(3) for i in range(60)]
    killed = [person for person in people if person >= 10_000]
    assert killed == list(range(10_000, 10_000 + len(killed)))


def test_it_waits_no_longer_than_is_left_for_a_process_that_has_locked_it(known: SuppressionList):
    known.add([Suppression(ANN, "unsubscribe", 1)])
    with closing(sqlite3.connect(known.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(HomeError, match="another process has locked it: try again"):
            known.add([Suppression(BEN, "unsubscribe", 1)], within_s=0.0)
        other.execute("ROLLBACK")
    known.add([Suppression(BEN, "unsubscribe", 1)], within_s=0.0)
    assert [one.person for one in known] == [ANN, BEN]
