"""A training that dies, finds no disk or loses its folder: the next one goes on where it stopped, to the same bytes."""

import multiprocessing
import os
import re
import shutil
import signal
from contextlib import ExitStack
from datetime import date, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from recommender.data_dir import DataDirectory, training_lock
from recommender.errors import BusyError, HomeError, SettingsError
from tests.support.full_disk import full_disk
from training.artifacts import saved_versions
from training.commands.model.train import command
from training.erase import forget
from training.ranking import model
from training.tables.workspace import Workspace

LINES = 400
"""Of a part: eight customers of 45 lines each."""
PARTS, EVALUATED = 8, 5
"""Parts of the whole shop, and of those who are judged in the last window."""


def shop() -> str:
    """60 customers, 40 products: an order a week for 15 weeks, of two own favourites and something new each time."""
    first = date(2026, 8, 1)
    lines = [
        f"C{customer:02},P{(customer + step) % 40:02},{first + timedelta(days=7 * week + customer % 7)}"
        for customer in range(60)
        for week in range(15)
        for step in (0, 1, 17 - week)
    ]
    return "\n".join(["customer_id,product_id,ordered_at", *lines])


@pytest.fixture
def purchases(tmp_path: Path) -> Path:
    file = tmp_path / "purchases.csv"
    file.write_text(shop())
    return file


@pytest.fixture
def home(tmp_path, monkeypatch) -> DataDirectory:
    monkeypatch.setenv("REPRISE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(model, "LINES_OF_A_PART", LINES)
    return DataDirectory(tmp_path / "home")


@pytest.fixture
def ranked(monkeypatch) -> list[int]:
    """Customers of each part that is ranked from now on."""
    done: list[int] = []
    rank_part = model.rank_part

    def counted(*args):
        lists = rank_part(*args)
        done.append(len(lists))
        return lists

    monkeypatch.setattr(model, "rank_part", counted)
    return done


def train(purchases: Path, *options: str) -> Result:
    return CliRunner().invoke(command, [str(purchases), "--no-publish", *options])


def done(result: Result) -> None:
    assert result.exit_code == 0, (result.output, result.exception)


def bytes_of_the_version(home: DataDirectory) -> tuple[str, bytes]:
    (version,) = saved_versions(home)
    return version, (home.models / version / "lists.npz").read_bytes()


def train_and_die(purchases: Path, home: DataDirectory, n_parts: int) -> None:
    """Train in a process that kills itself when it has ranked `n_parts` parts, those of the evaluation included."""
    process = multiprocessing.get_context("spawn").Process(target=_train_and_die, args=(purchases, home.root, n_parts))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL


def _train_and_die(purchases: Path, home: Path, n_parts: int) -> None:
    os.environ["REPRISE_HOME"] = str(home)
    rank_part, calls = model.rank_part, 0

    def dying(*args):
        nonlocal calls
        calls += 1
        if calls > n_parts:
            os.kill(os.getpid(), signal.SIGKILL)
        return rank_part(*args)

    model.LINES_OF_A_PART = LINES
    model.rank_part = dying
    train(purchases)


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> tuple[str, bytes]:
    """What a training gives that nothing happens to, all customers at once."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "purchases.csv").write_text(shop())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REPRISE_HOME", str(folder / "home"))
        done(train(folder / "purchases.csv"))
    return bytes_of_the_version(DataDirectory(folder / "home"))


def test_parts_are_the_same_bytes_as_all_at_once(purchases, home, whole, ranked):
    done(train(purchases))
    assert bytes_of_the_version(home) == whole
    assert len(ranked) == EVALUATED + PARTS
    assert not home.training.exists()


@pytest.mark.parametrize("n_parts", [0, 1, EVALUATED, EVALUATED + 4])
def test_a_killed_training_goes_on_at_the_part_where_it_stopped(purchases, home, whole, ranked, n_parts):
    train_and_die(purchases, home, n_parts)
    assert saved_versions(home) == []
    done(train(purchases))
    assert bytes_of_the_version(home) == whole
    left = EVALUATED + PARTS - n_parts if n_parts >= EVALUATED else EVALUATED + PARTS
    assert len(ranked) == left
    assert not home.training.exists()


def test_another_input_begins_anew(purchases, home, ranked):
    train_and_die(purchases, home, EVALUATED + 4)
    purchases.write_text(f"{shop()}\nNEW,P01,2026-11-01")
    done(train(purchases))
    assert sum(ranked[EVALUATED:]) == 61
    assert not home.training.exists()


def test_another_command_leaves_what_was_made_alone_and_an_erasure_does_not(purchases, home):
    train_and_die(purchases, home, EVALUATED + 1)
    with Workspace(home.root) as work:
        work.new_file(".csv")
    assert len(list(home.training.glob("lists-*"))) == 1
    forget(home, "default", frozenset())
    assert not home.training.exists()


def test_a_full_disk_is_a_plain_error_and_the_next_goes_on(purchases, home, whole, ranked, monkeypatch):
    rank_part = model.rank_part
    with ExitStack() as stack:

        def filling(*args):
            lists = rank_part(*args)
            if len(ranked) == EVALUATED + 3:
                stack.enter_context(full_disk(100))
            return lists

        monkeypatch.setattr(model, "rank_part", filling)
        result = train(purchases)
    assert (result.exit_code, type(result.exception)) == (1, HomeError)
    assert re.fullmatch(r"cannot write .*: File too large; free the disk or set REPRISE_HOME", str(result.exception))
    done(train(purchases))
    assert bytes_of_the_version(home) == whole
    assert len(ranked) == EVALUATED + PARTS + 1


def test_a_folder_that_is_removed_under_it_changes_nothing(purchases, home, whole, ranked, monkeypatch):
    rank_part = model.rank_part

    def removing(*args):
        shutil.rmtree(home.work, ignore_errors=True)
        return rank_part(*args)

    monkeypatch.setattr(model, "rank_part", removing)
    done(train(purchases))
    assert bytes_of_the_version(home) == whole
    assert len(ranked) == EVALUATED + PARTS


def test_a_part_that_cannot_be_read_back_is_ranked_again(purchases, home, whole, ranked):
    train_and_die(purchases, home, EVALUATED + 4)
    damaged = min(home.training.glob("lists-*"))
    damaged.write_bytes(damaged.read_bytes()[:-100])
    done(train(purchases))
    assert bytes_of_the_version(home) == whole
    assert len(ranked) == PARTS - 4 + 1


def test_one_customer_larger_than_a_part(purchases, home, ranked, monkeypatch):
    monkeypatch.setattr(model, "LINES_OF_A_PART", 10)
    done(train(purchases))
    assert set(ranked) == {1}


def test_two_at_once_are_refused(purchases, home):
    with training_lock(home):
        result = train(purchases)
    assert (result.exit_code, type(result.exception)) == (1, BusyError)


def test_too_little_memory_is_refused_before_it_begins(purchases, home, monkeypatch):
    monkeypatch.setenv("REPRISE_MEMORY", "256 MiB")
    result = train(purchases)
    assert (result.exit_code, type(result.exception)) == (1, SettingsError)
    assert re.search(
        r"need (\d+) MiB of memory, and 256 MiB may be used; set REPRISE_MEMORY='\1 MiB'", str(result.exception)
    )
    assert not home.training.exists()


def test_what_it_will_take_is_said_first(purchases, home):
    said = train(purchases).output
    needs, windows = said.index("2,700 lines, 60 customers and 40 products take up to"), said.index("past windows")
    assert needs < windows
