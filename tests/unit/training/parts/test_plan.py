import os

import polars as pl
import pytest

from recommender.errors import SettingsError
from recommender.settings import Settings
from tests.support.worlds import empty_shop, weekly_milk_buyer
from training.parts.plan import ShopSize, plan_description, plan_job, size_of

LARGE = ShopSize(lines=3_000_000, customers=100_000, products=10_000)
GIB = 2**30


def plan(size: ShopSize, memory: str):
    return plan_job(size, Settings(memory=memory))


def test_the_size_of_a_shop():
    products = pl.DataFrame({"product_id": ["KETTLE", "MILK", "TEA"]})
    assert size_of(weekly_milk_buyer(), products) == (21, 2, 3)
    assert size_of(empty_shop(), products.clear()) == (0, 0, 0)


@pytest.mark.parametrize(
    ("size", "peak_mib"),
    [
        (ShopSize(325_860, 9_987, 2_987), 815),
        (ShopSize(782_133, 5_839, 4_610), 1_377),
        (ShopSize(3_238_727, 99_894, 9_987), 1_504),
        (ShopSize(10_834_078, 299_765, 29_960), 3_226),
    ],
)
def test_no_more_is_foretold_than_a_tenth_above_what_trainings_took(size, peak_mib):
    """On Online Retail II and shops of tests/benchmarks/large_shop.py, two cores."""
    foretold = plan(size, "8 GiB").memory / 2**20
    assert peak_mib < foretold + 64 * (2 - os.cpu_count()) < 1.1 * peak_mib


def least_of(size: ShopSize, memory: str = "256 MiB") -> str:
    """The least that would do, MiB, as the refusal names it."""
    with pytest.raises(SettingsError, match=r"may be used; set REPRISE_MEMORY='(\d+) MiB'") as refused:
        plan(size, memory)
    return str(refused.value).split("'")[1].removesuffix(" MiB")


@pytest.mark.parametrize("size", [LARGE, ShopSize(1, 1, 1)], ids=["large", "tiny"])
def test_too_little_is_refused_with_the_least_that_would_do(size):
    least = int(least_of(size))
    assert plan(size, f"{least} MiB").memory <= least * 2**20
    assert int(least_of(size, f"{least - 1} MiB")) == least


def test_what_is_said_before_a_job_begins():
    said = str(plan(LARGE, "8 GiB"))
    assert said.startswith("3,000,000 lines, 100,000 customers and 10,000 products take up to ")
    assert "GiB of memory" in said
    assert "GiB under REPRISE_HOME" in said
    assert said.endswith(" min")


def test_a_shop_ten_times_as_large_needs_ten_times_as_much_at_most():
    small, large = (plan(ShopSize(*(n * times for n in LARGE)), "900 GiB") for times in (1, 10))
    assert small.memory < large.memory < 10 * small.memory
    assert small.disk < large.disk < 10 * small.disk
    assert small.minutes < large.minutes < 10 * small.minutes


def test_describing_customers_takes_less_than_a_training_and_no_disk():
    described, trained = plan_description(LARGE, Settings(memory="8 GiB")), plan(LARGE, "8 GiB")
    assert described.memory < trained.memory
    assert described.minutes < trained.minutes
    assert described.disk == 0
    with pytest.raises(SettingsError, match="set REPRISE_MEMORY='1032 MiB' or more"):
        plan_description(LARGE, Settings(memory="512 MiB"))


def test_nothing_to_learn_from_has_a_plan():
    assert plan(ShopSize(0, 0, 0), "1 GiB").memory < GIB
