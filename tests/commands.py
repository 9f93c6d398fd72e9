"""`reprise` as a person runs it: in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

Reprise = Callable[..., subprocess.CompletedProcess[str]]


def run_reprise(
    home: Path, *arguments: object, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `reprise` in a process of its own with `home` as REPRISE_HOME, in the folder above it."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("REPRISE_")}
    return subprocess.run(
        [sys.executable, "-m", "recommender.cli", *map(str, arguments)],
        env={**inherited, "OPENBLAS_NUM_THREADS": "1", "REPRISE_HOME": str(home), **(environment or {})},
        cwd=home.parent,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
