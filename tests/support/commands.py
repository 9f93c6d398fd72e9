"""`reprise` as a person runs it: in a process of its own, or, many times faster and otherwise the same, in this one."""

import io
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from unittest import mock

from recommender.cli.main import main

Reprise = Callable[..., subprocess.CompletedProcess[str]]


def run_reprise(
    home: Path, *arguments: object, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `reprise` in a process of its own with `home` as REPRISE_HOME, in the folder above it."""
    return subprocess.run(
        [sys.executable, "-m", "recommender.cli", *map(str, arguments)],
        env=_environment(home, environment),
        cwd=home.parent,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def call_reprise(
    home: Path, *arguments: object, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """As `run_reprise`, in this process; an error that nobody expects is raised here."""
    words = ["reprise", *map(str, arguments)]
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    with (
        mock.patch.dict(os.environ, _environment(home, environment), clear=True),
        mock.patch.object(sys, "argv", words),
        chdir(home.parent),
        redirect_stdout(out),
        redirect_stderr(err),
        _same_signals(),
    ):
        code = _exit_code()
    return subprocess.CompletedProcess(words, code, *(one.buffer.getvalue().decode() for one in (out, err)))


def _environment(home: Path, more: Mapping[str, str] | None) -> dict[str, str]:
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("REPRISE_")}
    # most tests of campaigns count everybody; those of the hold-out name it
    # on a busy machine Redis may take longer than pages would wait for it
    settled = {
        "OPENBLAS_NUM_THREADS": "1",
        "REPRISE_MAIL__HOLDOUT": "0",
        "REPRISE_REDIS_TIMEOUT_MS": "5000",
        "REPRISE_HOME": str(home),
    }
    return {**inherited, **settled, **(more or {})}


@contextmanager
def _same_signals() -> Iterator[None]:
    """Whatever a command listens to, this process listens to what it did before."""
    before = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def _exit_code() -> int:
    try:
        main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0
