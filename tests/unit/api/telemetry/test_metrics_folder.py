"""Folders of metrics of servers that live, and of those that were killed."""

import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from api.telemetry.metrics_folder import metrics_folder

SERVER = """
from api.telemetry.metrics_folder import metrics_folder
with metrics_folder() as path:
    print(path, flush=True)
    input()
"""


@pytest.fixture
def temporary(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


def start() -> tuple[subprocess.Popen[str], Path]:
    server = subprocess.Popen([sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    return server, Path(server.stdout.readline().strip())


def test_a_folder_goes_with_its_server(temporary):
    with metrics_folder() as folder:
        (folder / "counter_1.db").write_bytes(b"x")
        assert folder.parent == temporary
    assert list(temporary.iterdir()) == []


def test_what_a_killed_server_left_goes_at_the_next_start_and_a_living_one_keeps_its_own(temporary):
    (killed, left), (living, kept) = start(), start()
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert left.is_dir()
    with metrics_folder() as own:
        assert set(temporary.iterdir()) == {kept, own}
    living.communicate("\n")
    assert list(temporary.iterdir()) == []


def test_what_is_not_ours_stays(temporary):
    stranger = temporary / "reprise-metrics-of-0.1.0"
    stranger.mkdir()
    with metrics_folder():
        pass
    assert list(temporary.iterdir()) == [stranger]
