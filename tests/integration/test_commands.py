"""What `reprise` says and does when something is wrong: one line, the right exit code, and the old version serves."""

import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from recommender.cli.main import COMMANDS
from recommender.data_dir import DataDirectory, training_lock
from tests.support.commands import Reprise
from training.demo.shop import ShopFiles

UNSERVED = "unix:///nonexistent/redis.sock"


def write_purchases(path: Path, rows: list[tuple[str, str, str]]) -> Path:
    """A purchases.csv of (customer_id, product_id, ordered_at)."""
    pl.DataFrame(rows, schema=["customer_id", "product_id", "ordered_at"], orient="row").write_csv(path)
    return path


def assert_one_clear_line(done: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    """The exit code, one `error:` line with `words` in it, no traceback."""
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    line = next(line for line in done.stderr.splitlines() if line.startswith("error: "))
    for word in words:
        assert word in line


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_an_example_and_json(reprise: Reprise, name: str) -> None:
    done = reprise(name, "--help")
    assert done.returncode == 0, done.stderr
    assert "Example:" in done.stdout
    assert "--json" in done.stdout


def test_help_imports_no_command() -> None:
    call = "reprise(['--help'], standalone_mode=False)"
    code = f"import sys; from recommender.cli.main import reprise; {call}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules = set(done.stdout.splitlines()[-1].split())
    assert not modules & {"polars", "numpy", "flask", "pydantic", "redis", "rich", "implicit", "sklearn"}


def test_an_unknown_setting_is_a_usage_error(reprise: Reprise) -> None:
    assert_one_clear_line(reprise("models", REPRISE_PROT="1"), 2, "REPRISE_PROT", "port")


def test_a_wrong_date_is_a_usage_error(reprise: Reprise, shop_files: ShopFiles) -> None:
    done = reprise("rank", shop_files.purchases, "--as-of", "yesterday")
    assert done.returncode == 2
    assert "yesterday" in done.stderr


def test_a_missing_file_is_bad_data(reprise: Reprise, tmp_path: Path) -> None:
    assert_one_clear_line(reprise("train", tmp_path / "absent.csv"), 3, "absent.csv")


def test_nothing_to_learn_from_is_bad_data(reprise: Reprise, tmp_path: Path) -> None:
    path = write_purchases(tmp_path / "one.csv", [("anna", "milk", "2026-01-01")])
    assert_one_clear_line(reprise("train", path, "--as-of", "2025-01-01"), 3, "no purchase")


ONE_CUSTOMER = [("anna", f"p{i % 5}", f"2026-0{1 + i % 9}-11") for i in range(40)]
ONE_PRODUCT = [(f"c{i}", "milk", f"2026-0{1 + j}-0{1 + i % 9}") for i in range(30) for j in range(9)]
ONE_ORDER = [("anna", "milk", "2026-01-01")]
NOBODY_TWICE = [(f"c{i}", f"p{i % 50}", f"2026-0{1 + i % 9}-12") for i in range(400)]


@pytest.mark.parametrize(
    "rows",
    [ONE_CUSTOMER, ONE_PRODUCT, ONE_ORDER, NOBODY_TWICE],
    ids=["one customer", "one product", "one order", "nobody buys twice"],
)
def test_a_tiny_shop_is_published_or_refused_but_never_half(
    reprise: Reprise, tmp_path: Path, rows: list[tuple[str, str, str]]
) -> None:
    done = reprise("train", write_purchases(tmp_path / "tiny.csv", rows))
    assert "Traceback" not in done.stderr
    assert done.returncode in {0, 4}, done.stderr
    current = json.loads(reprise("models", "--json").stdout)["current"]
    assert (current is not None) == (done.returncode == 0)


def test_the_gate_refuses_and_the_old_version_keeps_serving(
    reprise: Reprise, shop_files: ShopFiles, tmp_path: Path
) -> None:
    old = json.loads(reprise("train", shop_files.purchases, "--json").stdout)["version"]
    done = reprise("train", write_fad(tmp_path / "fad.csv"))
    assert_one_clear_line(done, 4, "popularity", "--force")
    assert json.loads(reprise("models", "--json").stdout)["current"] == old
    assert_one_clear_line(reprise("publish"), 4, "--force")
    forced = json.loads(reprise("publish", "--force", "--json").stdout)
    assert forced["gate"]["verdict"] == "forced"
    assert json.loads(reprise("models", "--json").stdout)["current"] == forced["version"]


def write_fad(path: Path) -> Path:
    """A shop whose customers all turn to what others bought last month, and drop what they used to buy.

    The fads sell best, to people who buy nothing else, so that popularity is right and every history is wrong.
    """
    regulars = [(f"c{i}", f"p{i % 20}", f"2026-0{1 + j}-1{i % 9}") for i in range(60) for j in range(7)]
    fans = [(f"fan{i}", f"fad{i % 10}", f"2026-08-2{i % 9}") for i in range(300)]
    turned = [(f"c{i}", f"fad{j}", f"2026-09-1{i % 9}") for i in range(60) for j in range(10)]
    return write_purchases(path, [*regulars, *fans, *turned])


def test_two_trainings_at_once(reprise: Reprise, shop_files: ShopFiles, home: Path) -> None:
    with training_lock(DataDirectory(home)):
        assert_one_clear_line(reprise("train", shop_files.purchases), 1, "a training is at work")


def test_redis_down_is_said_and_the_version_is_kept(reprise: Reprise, shop_files: ShopFiles) -> None:
    done = reprise("train", shop_files.purchases, REPRISE_REDIS_URL=UNSERVED)
    assert_one_clear_line(done, 1, "nonexistent")
    assert reprise("publish").returncode == 0


def test_a_full_disk_is_said(reprise: Reprise, shop_files: ShopFiles, home: Path) -> None:
    home.mkdir()
    (home / "models").symlink_to("/dev/full")
    assert_one_clear_line(reprise("train", shop_files.purchases, "--no-publish"), 1, "models")
