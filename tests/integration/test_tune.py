"""`reprise tune` as it is called: writes a settings file, goes on after a kill, and overwrites nothing of yours."""

import json
import os
import subprocess
import sys
import tomllib
from datetime import date
from pathlib import Path

import pytest

from tests.support.commands import Reprise
from training.demo.shop import ShopFiles, make_shop


@pytest.fixture(scope="module")
def small_shop(tmp_path_factory: pytest.TempPathFactory) -> ShopFiles:
    """Five months of a few customers: a single window to tune on."""
    folder = tmp_path_factory.mktemp("small")
    return make_shop(folder, customers=60, products=40, months=5, end=date(2026, 11, 20), seed=0)


@pytest.fixture
def source(small_shop: ShopFiles) -> tuple[object, ...]:
    return small_shop.purchases, "--products", small_shop.products


def test_writes_settings_that_training_reads(reprise: Reprise, source: tuple[object, ...], home: Path) -> None:
    done = reprise("tune", *source, "--trials", 2, "--json")
    assert done.returncode == 0, done.stderr
    found, text = json.loads(done.stdout), (home.parent / "reprise.toml").read_text()
    assert found["best"]["ndcg@10"] >= found["today"]["ndcg@10"] > 0
    assert found["as_of"].startswith("2026-10-2")
    assert all(cut < found["as_of"] for cut in found["cuts"])
    assert text.startswith("# Written by `reprise tune`")
    assert f"{found['best']['ndcg@10']:.4f} with these settings" in text
    changed = {path for path, value in found["best"]["settings"].items() if found["today"]["settings"][path] != value}
    written = tomllib.loads(text)
    als = {f"als.{key}" for key in written.pop("als", {})}
    assert als | set(written) == changed
    again = reprise("tune", *source, "--trials", 2, "--json")
    assert again.returncode == 0, again.stderr
    # the file is read as today's settings now: known already, so nothing is tried anew
    assert json.loads(again.stdout)["trials"] == found["trials"]
    assert json.loads(again.stdout)["best"] == found["best"]


def test_memory_is_told_beforehand_and_too_little_refused(
    reprise: Reprise, source: tuple[object, ...], home: Path
) -> None:
    refused = reprise("tune", *source, "--trials", 1, REPRISE_MEMORY="64 MiB")
    assert refused.returncode == 2
    assert "and 64 MiB may be used; set REPRISE_MEMORY=" in " ".join(refused.stderr.split())
    assert not list(home.glob("tuning/*"))
    told = reprise("tune", *source, "--trials", 1, "--timeout-s", 0.01).stderr
    assert "each of its windows:" in told


def test_goes_on_after_a_kill(reprise: Reprise, source: tuple[object, ...], home: Path) -> None:
    command = [sys.executable, "-m", "recommender.cli", "tune", *map(str, source), "--trials", "500"]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "REPRISE_HOME": str(home)}
    with subprocess.Popen(command, env=environment, cwd=home.parent, stderr=subprocess.PIPE, text=True) as running:
        told = next(line for line in running.stderr if line.startswith("trial 2 of 500"))
        running.kill()
    assert "best" in told
    assert not (home.parent / "reprise.toml").exists()
    done = reprise("tune", *source, "--timeout-s", 0.01, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["trials"] >= 2


@pytest.mark.parametrize(
    "text",
    [
        "[als]\nfactors = 32\n",
        "# Written by `reprise tune`\nals = {factors = 32}\nport = 9000\n",
        "# Written by `reprise tune`\n[als\n",
    ],
    ids=["by hand", "added to", "no TOML"],
)
def test_overwrites_no_settings_of_yours(reprise: Reprise, source: tuple[object, ...], home: Path, text: str) -> None:
    out = home.parent / "mine.toml"
    out.write_text(text)
    done = reprise("tune", *source, "--out", out)
    assert done.returncode == 2
    assert "mine.toml" in done.stderr
    assert "--out" in done.stderr
    assert out.read_text() == text


def test_too_short_a_history_is_one_line(reprise: Reprise, tmp_path: Path) -> None:
    file = tmp_path / "short.csv"
    file.write_text("customer_id,product_id,ordered_at\n" + "".join(f"C{i},TEA,2026-11-{i:02}\n" for i in range(1, 20)))
    done = reprise("tune", file, "--json")
    assert done.returncode == 3
    assert done.stderr.startswith("error: nothing to tune on")
    assert not (tmp_path / "reprise.toml").exists()
