"""`reprise evaluate` as people and programs call it."""

import json
from pathlib import Path

import pytest

from tests.support.commands import Reprise
from training.demo.shop import ShopFiles


@pytest.mark.slow
def test_compares_on_several_windows(reprise: Reprise, shop_files: ShopFiles) -> None:
    done = reprise("evaluate", shop_files.purchases, "--products", shop_files.products, "--windows", "2", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert len(document["windows"]) == 2
    means = {name: measures["ndcg@10"][0] for name, measures in document["mean"].items()}
    assert means["reprise"] > 0.9 * max(means.values())
    similar = document["windows"][0]["lists"]["similar"]
    assert similar["same_category_share"] > 2 * similar["same_category_by_chance"]


@pytest.mark.slow
def test_prints_tables_for_people(reprise: Reprise, shop_files: ShopFiles) -> None:
    done = reprise("evaluate", shop_files.purchases, "--cut", "2026-09-01", "--horizon-days", "14")
    assert done.returncode == 0, done.stderr
    for words in ("14 days from 2026-09-01", "tifu_knn", "ours less its", "calibration over all customers", "due_14"):
        assert words in done.stdout


def test_refuses_a_window_without_a_past(reprise: Reprise, shop_files: ShopFiles) -> None:
    done = reprise("evaluate", shop_files.purchases, "--cut", "2020-01-01")
    assert done.returncode == 3
    assert "nothing was bought before 2020-01-01" in done.stderr


def test_refuses_a_window_without_a_future(reprise: Reprise, shop_files: ShopFiles) -> None:
    done = reprise("evaluate", shop_files.purchases, "--cut", "2030-01-01")
    assert done.returncode == 2
    assert "nothing was bought from 2030-01-01 on" in done.stderr


@pytest.mark.slow
def test_another_models_lists_are_judged_beside_ours(reprise: Reprise, shop_files: ShopFiles, tmp_path: Path) -> None:
    ranked = tmp_path / "ranked.parquet"
    done = reprise("rank", shop_files.purchases, "--as-of", "2026-09-01", "--out", ranked)
    assert done.returncode == 0, done.stderr
    done = reprise("evaluate", shop_files.purchases, "--cut", "2026-09-01", "--also", f"same={ranked}", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["also"]["same"]["recall@10"] == [0, 0, 0]
    for wrong in ("same", "=x", "same="):
        assert "give NAME=FILE" in reprise("evaluate", shop_files.purchases, "--also", wrong).stderr
