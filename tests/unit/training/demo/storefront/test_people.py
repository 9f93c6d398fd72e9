"""Who a visitor may be is found in the purchases of the made-up shop, of any size and on any day."""

from datetime import date
from pathlib import Path

import pytest

from training.demo.shop import make_shop
from training.demo.storefront.people import find_people

HEADER = "customer_id,product_id,ordered_at\n"
TODAY = date(2026, 11, 20)


@pytest.mark.parametrize("end", [TODAY, date(2026, 3, 1)])
def test_a_made_up_shop_has_all_of_them(tmp_path: Path, end: date) -> None:
    files = make_shop(tmp_path, customers=2000, products=600, months=18, end=end, seed=0)
    people = find_people(files.purchases)
    assert set(people) == {"weekly", "monthly", "quiet", "new"}
    assert people["weekly"].due_soon()[0][0].startswith("COFFEE")
    assert 5 <= people["weekly"].gap <= 9
    assert 24 <= people["monthly"].gap <= 40
    assert people["quiet"].silence > 60
    assert len(people["new"].days) == 1
    assert len({one.customer_id for one in people.values()}) == 4


@pytest.mark.parametrize("rows", ["", "ANN,MILK,2026-11-19T08:00:00Z\n"])
def test_a_shop_that_has_hardly_sold_has_few(tmp_path: Path, rows: str) -> None:
    (tmp_path / "purchases.csv").write_text(HEADER + rows)
    assert set(find_people(tmp_path / "purchases.csv")) == ({"new"} if rows else set())
