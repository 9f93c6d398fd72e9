"""The made-up shop holds what every feature needs to show, and the same arguments give the same bytes."""

import hashlib
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from recommender.errors import UsageError
from training.demo.assortment import BRANDS, NEEDS, STYLES, make_products
from training.demo.shop import ShopFiles, make_shop

END = date(2026, 11, 20)
END_AT = datetime(2026, 11, 20, tzinfo=UTC)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> ShopFiles:
    return make_shop(tmp_path_factory.mktemp("shop"), end=END, seed=1)


@pytest.fixture(scope="module")
def products(files: ShopFiles) -> pl.DataFrame:
    return pl.read_csv(files.products, infer_schema=False)


@pytest.fixture(scope="module")
def purchases(files: ShopFiles) -> pl.DataFrame:
    """The purchase file, every line with the key of its need (`MILK`), from the standard 600 products."""
    cache = make_products(list(NEEDS), 600)
    needs = pl.DataFrame({"product_id": [p.product_id for p in cache], "need": [NEEDS[p.need].key for p in cache]})
    return (
        pl.read_csv(files.purchases, infer_schema=False)
        .with_columns(pl.col("ordered_at").str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_zone="UTC"))
        .join(needs, on="product_id", how="left", maintain_order="left")
    )


def gaps(purchases: pl.DataFrame, need: str) -> pl.Series:
    """Days between two purchases of one need by one customer."""
    days = purchases.filter(pl.col("need") == need).select("customer_id", pl.col("ordered_at").dt.date()).unique()
    return days.sort("customer_id", "ordered_at").select(
        pl.col("ordered_at").diff().over("customer_id").dt.total_days().drop_nulls()
    )["ordered_at"]


def by_month(purchases: pl.DataFrame, need: str) -> dict[int, int]:
    months = purchases.filter(pl.col("need") == need)["ordered_at"].dt.month()
    return {month: months.eq(month).sum() for month in range(1, 13)}


def test_the_same_arguments_give_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    def digests(folder: str, seed: int) -> list[str]:
        made = make_shop(tmp_path / folder, customers=60, products=60, months=3, end=END, seed=seed)
        return [hashlib.sha256(path.read_bytes()).hexdigest() for path in (made.purchases, made.products)]

    once, again, other = digests("a", 7), digests("b", 7), digests("c", 8)
    assert once == again
    assert once[0] != other[0]


def test_the_files_have_the_columns_of_the_readme(purchases: pl.DataFrame, products: pl.DataFrame) -> None:
    assert purchases.columns[:-1] == (
        ["customer_id", "product_id", "ordered_at", "order_id", "quantity", "unit_price", "currency", "status"]
    )
    assert set(products.columns) == {
        *("product_id", "title", "category", "price", "currency", "url", "image_url", "in_stock", "replenishable")
    }
    assert set(purchases["status"]) == {"completed", "refunded"}
    assert purchases["quantity"].cast(pl.Int64).min() == 1


def test_every_product_is_listed_once_and_no_other_is_sold(purchases: pl.DataFrame, products: pl.DataFrame) -> None:
    assert products["product_id"].n_unique() == products["title"].n_unique() == len(products) == 600
    assert set(purchases["product_id"]) <= set(products["product_id"])


def test_every_customer_has_an_order(purchases: pl.DataFrame) -> None:
    assert set(purchases["customer_id"]) == {f"C{number:05d}" for number in range(1, 2001)}


def test_the_shop_is_small_enough_for_a_demo(purchases: pl.DataFrame) -> None:
    assert 150_000 < len(purchases) < 250_000


def test_purchases_are_by_time_within_opening_hours_before_the_end(purchases: pl.DataFrame) -> None:
    ordered_at = purchases["ordered_at"]
    assert ordered_at.is_sorted()
    assert ordered_at.dt.hour().is_between(7, 21).all()
    assert ordered_at.min() >= END_AT - timedelta(days=548)
    assert ordered_at.max() < END_AT


def test_an_order_is_one_customer_at_one_moment(purchases: pl.DataFrame) -> None:
    orders = purchases.group_by("order_id").agg(pl.col("customer_id", "ordered_at").n_unique())
    assert orders.select(pl.col("customer_id", "ordered_at").max()).row(0) == (1, 1)


@pytest.mark.parametrize(
    ("need", "fewest_days", "most_days"),
    [("MILK", 6, 8), ("BREAD", 6, 8), ("COFFEE", 25, 34), ("DOGFOOD", 24, 34), ("LAUNDRY", 42, 70)],
)
def test_needs_come_back_in_their_rhythm(
    purchases: pl.DataFrame, need: str, fewest_days: float, most_days: float
) -> None:
    assert fewest_days <= gaps(purchases, need).median() <= most_days


def test_a_kettle_is_hardly_bought_again(purchases: pl.DataFrame) -> None:
    buyers = purchases.filter(pl.col("need") == "KETTLE")["customer_id"].n_unique()
    assert buyers > 50
    assert len(gaps(purchases, "KETTLE")) < buyers / 20


def test_seasons_have_their_months(purchases: pl.DataFrame) -> None:
    ice_cream, mulled_wine = by_month(purchases, "ICECREAM"), by_month(purchases, "MULLED")
    assert max(ice_cream, key=ice_cream.__getitem__) in (7, 8)
    assert ice_cream[1] + ice_cream[12] < ice_cream[7] / 10
    assert max(mulled_wine, key=mulled_wine.__getitem__) == 12


def test_a_product_launched_lately_grows(purchases: pl.DataFrame) -> None:
    days_ago = (END_AT - purchases.filter(pl.col("need") == "OATBARISTA")["ordered_at"]).dt.total_days()
    latest, before = (days_ago < 27).sum(), days_ago.is_between(27, 53).sum()
    assert latest > 1.2 * before > 0
    assert (days_ago > 80).sum() <= 2  # a product that is hardly sold may have been sold before


@pytest.mark.parametrize(("need", "companion"), [("PASTA", "SAUCE"), ("COFFEE", "FILTERS"), ("TACOS", "SALSA")])
def test_companions_share_orders_more_than_chance(purchases: pl.DataFrame, need: str, companion: str) -> None:
    orders = purchases.group_by("order_id").agg(a=pl.col("need").eq(need).any(), b=pl.col("need").eq(companion).any())
    together = orders.select((pl.col("a") & pl.col("b")).mean()).item()
    assert together > 3 * orders["a"].mean() * orders["b"].mean()


def test_most_purchases_of_a_need_are_one_favourite_product(purchases: pl.DataFrame) -> None:
    coffee = purchases.filter(pl.col("need") == "COFFEE").group_by("customer_id", "product_id").len()
    regulars = coffee.group_by("customer_id").agg(pl.col("len").max() / pl.col("len").sum(), n=pl.col("len").sum())
    favourite_share = regulars.filter(pl.col("n") >= 5)["len"]
    assert 0.75 < favourite_share.mean() < 0.98


def test_customers_come_and_go(purchases: pl.DataFrame) -> None:
    customers = purchases.group_by("customer_id").agg(
        first=pl.col("ordered_at").min(), last=pl.col("ordered_at").max(), orders=pl.col("order_id").n_unique()
    )
    joined_lately = (customers["first"] > END_AT - timedelta(days=30)).sum()
    gone = (customers["last"] < END_AT - timedelta(days=120)).sum()
    assert 20 < joined_lately < 120
    assert 300 < gone < 1200
    assert 100 < (customers["orders"] == 1).sum() < 400


def test_tastes_keep_apart(purchases: pl.DataFrame) -> None:
    """Who buys nappies buys wipes far more often than others do."""
    needs = purchases.group_by("customer_id").agg(pl.col("need").unique())
    wipes = needs.group_by(pl.col("need").list.contains("NAPPIES").alias("nappies")).agg(
        pl.col("need").list.contains("WIPES").mean()
    )
    share = dict(wipes.rows())
    assert share[True] > 5 * share[False]


def test_some_products_are_never_sold_and_some_once_or_twice(purchases: pl.DataFrame, products: pl.DataFrame) -> None:
    sold = purchases["product_id"].value_counts()
    assert 5 <= len(products) - len(sold) <= 30
    assert 5 <= (sold["count"] <= 2).sum() <= 30


def test_products_tell_what_a_shop_may_know(products: pl.DataFrame) -> None:
    assert (products["in_stock"] == "false").sum() == 15
    assert set(products["replenishable"]) == {"true", "false", None}
    assert products["product_id"].str.starts_with("0").sum() > 5
    assert products.filter(pl.col("product_id") == "COFFEE-1KG")["price"].item() == "12.90"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"customers": 0}, "0 customers"), ({"months": 0}, "0 months"), ({"products": 29}, "30 to 800")],
)
def test_numbers_out_of_range_are_refused(tmp_path: Path, arguments: dict[str, int], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make_shop(tmp_path, end=END, seed=0, **arguments)
    assert not list(tmp_path.iterdir())


def test_the_smallest_shop_can_be_made(tmp_path: Path) -> None:
    made = make_shop(tmp_path, customers=1, products=30, months=1, end=END, seed=0)
    assert pl.read_csv(made.purchases)["customer_id"].unique().to_list() == ["C00001"]


def test_the_biggest_shop_has_no_id_twice() -> None:
    cache = make_products(list(NEEDS), len(BRANDS) * len(NEEDS))
    assert len({product.product_id for product in cache}) == len(cache) == 800
    assert {product.style for product in cache[:400:100]} == set(range(len(STYLES)))
