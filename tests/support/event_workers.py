"""`reprise worker` as a process for tests."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support.redis_servers import wait_until


def start_worker(home: Path, url: str, *arguments: str, **streams: Any) -> subprocess.Popen[str]:
    """Start a worker that archives under `home`; `streams` are those of subprocess.Popen."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("REPRISE_")}
    return subprocess.Popen(
        [sys.executable, "-m", "recommender.cli", "worker", *arguments],
        env={**inherited, "REPRISE_HOME": str(home), "REPRISE_REDIS_URL": url},
        cwd=home.parent,
        text=True,
        **streams,
    )


def stop_worker(process: subprocess.Popen[str]) -> int:
    """Ask a worker to end, once it is up to be asked, and return its exit code."""
    wait_until(lambda: _handles_sigterm(process.pid), "the worker is up")
    process.send_signal(signal.SIGTERM)
    return process.wait(timeout=60)


def _handles_sigterm(pid: int) -> bool:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    caught = next(line.split()[1] for line in lines if line.startswith("SigCgt"))
    return bool(int(caught, 16) >> (signal.SIGTERM - 1) & 1)
