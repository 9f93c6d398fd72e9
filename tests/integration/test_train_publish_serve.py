"""The whole job: a purchase file goes in, an answer with a cap comes out."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from api import create_app
from recommender.data_dir import DataDirectory
from recommender.redis.open import open_version_store
from recommender.settings import Settings
from tests.fakes.shops import MemoryShopStorage
from tests.support.commands import Reprise, call_reprise, run_reprise
from training.artifacts import load
from training.demo.shop import ShopFiles

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, shop_files: ShopFiles) -> tuple[Path, dict[str, Any]]:
    """A home where the made-up shop was trained and published, and the manifest that `train` printed."""
    home = tmp_path_factory.mktemp("trained") / "home"
    done = run_reprise(home, "train", shop_files.purchases, "--products", shop_files.products, "--json")
    assert done.returncode == 0, done.stderr
    return home, json.loads(done.stdout)


def test_the_version_that_was_trained_answers_with_a_cap(trained: tuple[Path, dict[str, Any]]) -> None:
    home, manifest = trained
    with open_version_store(Settings(home=home)) as store:
        client = create_app(Settings(home=home), MemoryShopStorage({"default": store}), lambda: NOW).test_client()
        milk = client.get("/v1/products/MILK-WHOLE-1L/similar?limit=30")
        product = client.get("/v1/popular").json["items"][0]["product_id"]
        similar = client.get(f"/v1/products/{product}/similar?limit=30").json
    assert milk.status_code in {200, 404}
    assert similar["model_version"] == manifest["version"]
    assert similar["limit"] == {"requested": 30, "applied": 12, "cap": 12}
    assert 0 < len(similar["items"]) <= 12
    assert product not in {item["product_id"] for item in similar["items"]}


def test_lists_of_another_model_are_served_under_our_rules(
    trained: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    """Everything is recommended to everybody in the order of the ids: what is not due is hidden, and the cap holds."""
    home = tmp_path / "home"
    shutil.copytree(trained[0] / "models", home / "models")
    publication = load(trained[1]["version"], DataDirectory(home))
    owners, products = publication.tables["buy_again"].owner_ids, [one.product_id for one in publication.products]
    pl.DataFrame({"customer_id": owners}).join(
        pl.DataFrame({"product_id": products}).with_row_index("rank", 1), how="cross"
    ).write_csv(tmp_path / "mine.csv")
    done = run_reprise(home, "publish", "--lists", tmp_path / "mine.csv", "--json")
    assert done.returncode == 0, done.stderr
    manifest = json.loads(done.stdout)
    assert manifest["gate"]["verdict"] == "skipped"
    with open_version_store(Settings(home=home)) as store:
        client = create_app(Settings(home=home), MemoryShopStorage({"default": store}), lambda: NOW).test_client()
        answers = [client.get(f"/v1/customers/{owner}/recommendations?limit=99").json for owner in owners[:20]]
    assert {answer["model_version"] for answer in answers} == {manifest["version"]}
    assert {answer["limit"]["applied"] for answer in answers} == {answers[0]["limit"]["cap"]}
    assert any(answer["suppressed"] for answer in answers)
    new = [item["product_id"] for answer in answers for item in answer["items"] if item["kind"] == "discover"]
    assert new
    assert all(
        found == sorted(found)
        for answer in answers
        if (found := [item["product_id"] for item in answer["items"] if item["kind"] == "discover"])
    )


def test_a_regular_customer_gets_due_products_and_new_ones(
    trained: tuple[Path, dict[str, Any]], shop_files: ShopFiles
) -> None:
    home, _ = trained
    orders = pl.read_csv(shop_files.purchases, infer_schema=False).group_by("customer_id").agg(pl.n_unique("order_id"))
    regular = orders.sort("order_id", "customer_id", descending=True)["customer_id"][0]
    with open_version_store(Settings(home=home)) as store:
        client = create_app(Settings(home=home), MemoryShopStorage({"default": store}), lambda: NOW).test_client()
        answer = client.get(f"/v1/customers/{regular}/recommendations?placement=product-page").json
        due = client.get(f"/v1/customers/{regular}/buy-again?due_within=14d").json
    assert {item["kind"] for item in answer["items"]} <= {"buy_again", "discover", "popular"}
    probabilities = [item["probability"] for item in answer["items"] if item["probability"] is not None]
    assert probabilities == sorted(probabilities, reverse=True)
    assert due["items"]
    assert all(item["due"]["at"] <= "2026-12-05" for item in due["items"])


def test_every_profile_is_that_of_the_customer_command(
    trained: tuple[Path, dict[str, Any]], shop_files: ShopFiles, tmp_path: Path
) -> None:
    home, manifest = trained
    out = tmp_path / "customers.parquet"
    call_reprise(home, "customers", shop_files.purchases, "--as-of", manifest["as_of"], "--out", out, "--json")
    rows = pl.read_parquet(out)
    with open_version_store(Settings(home=home)) as store:
        n_blocks = store.n_profile_blocks(manifest["version"])
        ids = [one.customer_id for block in range(n_blocks) for one in store.profiles(manifest["version"], block)]
        client = create_app(Settings(home=home), MemoryShopStorage({"default": store}), lambda: NOW).test_client()
        answers = [client.get(f"/v1/customers/{customer_id}/profile").json for customer_id in ids[:20]]
    assert sorted(ids) == rows["customer_id"].to_list()
    assert manifest["counts"]["profiles"] == len(ids) > 100
    assert manifest["metrics"]["customer_value"]["models"]["bg_nbd"]["n_customers"] == len(ids)
    assert manifest["metrics"]["customer_value"]["bytes_per_customer"] < 60
    assert manifest["seconds"]["Describe customers"] > 0
    for answer in answers:
        row = rows.row(by_predicate=pl.col("customer_id") == answer["customer_id"], named=True)
        assert answer["rfm"]["segment"] == row["rfm_segment"]
        for name in ("first_order_on", "last_order_on", "expected_date_of_next_order"):
            assert answer[name] == row[name].isoformat()
        assert answer["historic_number_of_orders"] == row["historic_number_of_orders"]
        for name in ("historic_clv", "predicted_clv", "total_clv", "churn_probability", "predicted_number_of_orders"):
            assert answer[name] == pytest.approx(row[name], rel=1e-3, abs=0.006), name


def test_the_same_files_give_the_same_version(
    trained: tuple[Path, dict[str, Any]], reprise: Reprise, shop_files: ShopFiles
) -> None:
    done = reprise("train", shop_files.purchases, "--products", shop_files.products, "--json", "--no-publish")
    assert json.loads(done.stdout)["version"] == trained[1]["version"]


def test_models_publish_and_rollback(reprise: Reprise, shop_files: ShopFiles) -> None:
    source = (shop_files.purchases, "--products", shop_files.products, "--json")
    first = json.loads(reprise("train", *source, "--as-of", "2026-10-20").stdout)["version"]
    second = json.loads(reprise("train", *source, "--no-publish").stdout)["version"]
    assert json.loads(reprise("models", "--json").stdout)["current"] == first
    assert reprise("publish").returncode == 0
    assert json.loads(reprise("models", "--json").stdout)["current"] == second
    rolled_back = json.loads(reprise("rollback", "--json").stdout)
    assert (rolled_back["from"], rolled_back["to"]) == (second, first)
    assert reprise("rollback").returncode == 1
    assert first in reprise("models").stdout
    assert json.loads(reprise("publish", second, "--json").stdout)["version"] == second
    assert json.loads(reprise("models", "--json").stdout)["current"] == second


def test_rank_writes_every_customer_of_the_past(reprise: Reprise, shop_files: ShopFiles, tmp_path: Path) -> None:
    out = tmp_path / "ranked.parquet"
    done = reprise("rank", shop_files.purchases, "--as-of", "2026-10-20", "--k", 7, "--out", out, "--json")
    assert done.returncode == 0, done.stderr
    ranking = pl.read_parquet(out)
    purchases = pl.read_csv(shop_files.purchases, infer_schema=False)
    before = purchases.filter((pl.col("ordered_at") < "2026-10-20") & (pl.col("status") == "completed"))
    assert ranking.columns == ["customer_id", "product_id", "rank", "score", "kind"]
    assert set(ranking["customer_id"]) == set(before["customer_id"])
    assert ranking["rank"].min() == 1
    assert ranking["rank"].max() == 7
    assert ranking.select("customer_id", "product_id").is_unique().all()
    assert set(ranking["product_id"]) <= set(before["product_id"])


def test_rank_of_several_mixes_trains_once(reprise: Reprise, shop_files: ShopFiles, tmp_path: Path) -> None:
    out = tmp_path / "ranked.parquet"
    rank = ("rank", shop_files.purchases, "--as-of", "2026-10-20", "--out", out, "--mix")
    done = reprise(*rank, "discover,auto")
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("Learn to rank") == 1
    both = pl.read_parquet(out)
    assert reprise(*rank, "discover").returncode == 0
    alone = pl.read_parquet(out)
    assert both.filter(mix="discover").drop("mix").equals(alone)
    assert set(both.filter(mix="auto")["kind"]) == {"buy_again", "discover"}
    for wrong in ("", "auto,", "best", "auto,auto"):
        assert "give some of auto, buy_again, discover" in reprise(*rank, wrong).stderr


def test_what_happens_after_a_date_does_not_change_a_ranking_as_of_it(
    reprise: Reprise, shop_files: ShopFiles, tmp_path: Path
) -> None:
    purchases = pl.read_csv(shop_files.purchases, infer_schema=False)
    cut = tmp_path / "cut.csv"
    purchases.filter((pl.col("ordered_at") < "2026-10-20") & (pl.col("status") == "completed")).write_csv(cut)
    whole = tmp_path / "whole.csv"
    purchases.filter(pl.col("status") == "completed").write_csv(whole)
    for name in ("cut", "whole"):
        reprise("rank", tmp_path / f"{name}.csv", "--as-of", "2026-10-20", "--out", tmp_path / f"{name}.parquet")
    assert (tmp_path / "cut.parquet").read_bytes() == (tmp_path / "whole.parquet").read_bytes()
