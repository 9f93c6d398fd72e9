"""Whatever the umask, what commands write under REPRISE_HOME is for their user alone."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.test_erasure import write_purchases
from tests.support.commands import run_reprise


@pytest.fixture
def generous_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("generous_umask")
def test_models_keys_quarantine_and_redis_are_nobody_elses_to_read(tmp_path: Path) -> None:
    home = tmp_path / "home"
    purchases = write_purchases(tmp_path / "purchases.csv")
    done = run_reprise(home, "train", purchases, "--force", environment={"OPENBLAS_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr
    assert run_reprise(home, "keys", "create", "--scope", "read").returncode == 0
    written = [home, *home.rglob("*")]
    assert {path.name for path in home.iterdir()} >= {"models", "quarantine", "redis", "training.lock"}
    assert [str(path) for path in written if path.lstat().st_mode & 0o077] == []
