import io
import re
from types import SimpleNamespace

import pytest

from recommender.cli.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_without_a_terminal_each_step_is_one_plain_line():
    stream = io.StringIO()
    progress = Progress(stream=stream)
    progress.note("2 files")
    with progress.step("Read", total=2) as advance:
        advance(2)
    with progress.step("Train"):
        pass
    assert re.fullmatch(r"2 files\nRead … \d+\.\d s\nTrain … \d+\.\d s\n", stream.getvalue())


def test_on_a_terminal_there_is_a_bar_and_then_the_same_line():
    stream = Terminal()
    with Progress(stream=stream).step("Read", total=2) as advance:
        advance(1)
        advance(1)
    assert re.search(r"Read … \d+\.\d s\n$", stream.getvalue())


def test_a_long_step_tells_how_much_is_done_and_what_time_is_left(monkeypatch):
    """Begun at 0 s; advanced at 20, 40, 60 and 200 s; over at 201 s. A line at most every 30 s."""
    ticks = iter([0.0, 0.0, 20.0, 40.0, 60.0, 200.0, 201.0])
    monkeypatch.setattr("recommender.cli.progress.time", SimpleNamespace(perf_counter=lambda: next(ticks)))
    stream = io.StringIO()
    with Progress(stream=stream).step("Rank", total=4_000) as advance:
        for _ in range(4):
            advance(1_000)
    assert stream.getvalue() == "Rank: 2,000 of 4,000, about 1 min left\nRank … 201.0 s\n"


def test_when_not_shown_nothing_is_written_but_time_is_taken():
    stream = Terminal()
    progress = Progress(show=False, stream=stream)
    progress.note("2 files")
    with progress.step("Read") as advance:
        advance(1)
    assert stream.getvalue() == ""
    assert progress.seconds["Read"] >= 0


def test_a_step_done_twice_adds_up(monkeypatch):
    ticks = iter([0.0, 1.5, 10.0, 12.25])
    monkeypatch.setattr("recommender.cli.progress.time", SimpleNamespace(perf_counter=lambda: next(ticks)))
    progress = Progress(show=False)
    for _ in range(2):
        with progress.step("Read"):
            pass
    assert progress.seconds == {"Read": 3.75}


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()])
def test_a_step_that_fails_is_not_told_as_done(stream):
    progress = Progress(stream=stream)
    with pytest.raises(KeyError), progress.step("Read"):
        raise KeyError
    assert "Read …" not in stream.getvalue()
    assert progress.seconds == {}
