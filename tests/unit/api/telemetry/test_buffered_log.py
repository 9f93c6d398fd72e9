"""Log lines reach the descriptor whole, in order and soon, in pieces that the system writes in one go."""

import os
import threading
from collections.abc import Iterator

import pytest

from api.telemetry import buffered_log
from api.telemetry.buffered_log import MAX_PIECE_BYTES, LogLines


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """The ends to read from and to write to."""
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


@pytest.fixture
def lines(pipe: tuple[int, int], monkeypatch) -> LogLines:
    """Lines that are only written when they must be."""
    monkeypatch.setattr(buffered_log, "PAUSE_S", 3_600.0)
    return LogLines(pipe[1])


def test_they_wait_until_they_are_many(lines: LogLines, pipe: tuple[int, int]):
    line = "x" * 999 + "\n"
    for _ in range(MAX_PIECE_BYTES // 1_000 + 1):
        assert lines.write(line) == len(line)
        lines.flush()
    assert os.read(pipe[0], 100_000).decode() == line * (MAX_PIECE_BYTES // 1_000)
    lines.empty()
    assert os.read(pipe[0], 100_000).decode() == line


def test_they_do_not_wait_for_long(pipe: tuple[int, int], monkeypatch):
    monkeypatch.setattr(buffered_log, "PAUSE_S", 0.001)
    LogLines(pipe[1]).write("käse\n")
    assert os.read(pipe[0], 100).decode() == "käse\n"


def test_one_that_is_longer_than_a_piece_goes_alone(lines: LogLines, pipe: tuple[int, int]):
    lines.write("first\n")
    lines.write("x" * MAX_PIECE_BYTES + "\n")
    assert os.read(pipe[0], 100) == b"first\n"
    lines.empty()
    assert len(os.read(pipe[0], 100_000)) == MAX_PIECE_BYTES + 1


def test_half_a_surrogate_pair_is_escaped(lines: LogLines, pipe: tuple[int, int]):
    lines.write("\ud800\n")
    lines.empty()
    assert os.read(pipe[0], 100) == b"\\ud800\n"


def test_where_nobody_reads_any_more_they_are_dropped(monkeypatch):
    monkeypatch.setattr(buffered_log, "PAUSE_S", 3_600.0)
    reading, writing = os.pipe()
    lines = LogLines(writing)
    os.close(reading)
    lines.write("lost\n")
    lines.empty()
    lines.empty()
    os.close(writing)
    assert lines._lines == []


def test_threads_do_not_tear_each_others_lines(lines: LogLines, pipe: tuple[int, int]):
    def write(name: str) -> None:
        for i in range(200):
            lines.write(f"{name}{i}\n")

    threads = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines.empty()
    found = os.read(pipe[0], 100_000).decode().splitlines()
    assert sorted(found) == sorted(f"{name}{i}" for name in "abcd" for i in range(200))
