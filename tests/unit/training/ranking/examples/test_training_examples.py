from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from recommender.settings import AlsSettings, Settings
from tests.support.evidence import shop_of
from tests.support.worlds import AS_OF, LEDGER_SCHEMA, empty_shop, ledger_of, new_customer, two_tastes
from training.dataset.snapshot import build_snapshot
from training.ranking.examples import training_examples
from training.ranking.examples.training_examples import collect_examples, find_labels

SETTINGS = Settings(als=AlsSettings(factors=8))
CUT = AS_OF - timedelta(days=30)


def catalogue_of(ledger):
    return pl.DataFrame({"product_id": ledger["product_id"].unique().sort()}).with_columns(
        title=pl.lit(None, pl.String), category=pl.lit(None, pl.String)
    )


def collect(ledger, cut=CUT, **options):
    return collect_examples(ledger, shop_of(ledger, catalogue_of(ledger), cut, SETTINGS), **options)


def test_who_returned_within_the_horizon_and_what_they_bought():
    """A comes back, for TEA and not for MILK; B never does, and is asked nothing more."""
    past = [("A", "TEA", 60.5), ("A", "MILK", 60.5), ("B", "TEA", 60.5)]
    collected = collect(ledger_of([*past, ("A", "TEA", 20.5)]))
    assert collected.returned.tolist() == [True, False]
    assert len(collected.customers) == 2
    assert collected.features["pair_orders"].to_list() == [1, 1]
    assert sorted(collected.bought) == [False, True]
    assert (collected.n_bought, collected.ceiling, collected.share.tolist()) == (1, 1.0, [1.0, 1.0])


def test_who_has_no_past_is_no_example():
    collected = collect(ledger_of([("A", "TEA", 60.5), ("NEW", "TEA", 20.5)]))
    assert (collected.returned.tolist(), len(collected.features), collected.n_bought) == ([False], 0, 0)


def test_a_product_that_only_exists_later_counts_against_the_ceiling_and_nowhere_else():
    ledger = ledger_of([("A", "TEA", 60.5), ("A", "TEA", 20.5), ("A", "LATER", 20.5)])
    collected = collect(ledger)
    assert len(collected.features) == 1
    assert collected.ceiling == 0.5


def test_no_feature_knows_what_happens_from_the_cut_on():
    """The same past with two different futures: other labels, the same features to the byte."""
    past = [(customer, product, days) for customer, product, days in new_customer_lines() if days > 30]
    quiet = ledger_of([*past, *((f"R{i}", "MILK", 5.5) for i in range(10))])
    later = [(f"R{i}", product, day) for i in range(10) for product in ("LATER", "CHEESE") for day in (0.5, 9.5, 29.5)]
    busy = ledger_of([*past, *later, *((f"N{i}", "BREAD", 3.5) for i in range(50))])
    prices = pl.when(pl.col("ordered_at") >= CUT).then(99.0).otherwise(pl.col("unit_price"))
    one = collect_examples(quiet, shop_of(quiet, catalogue_of(busy), CUT, SETTINGS))
    busy = busy.with_columns(unit_price=prices)
    other = collect_examples(busy, shop_of(busy, catalogue_of(busy), CUT, SETTINGS))
    assert one.customers.equals(other.customers, null_equal=True)
    assert one.features.equals(other.features, null_equal=True)
    assert one.bought.tolist() != other.bought.tolist()


def new_customer_lines():
    ledger = new_customer().with_columns((pl.lit(AS_OF) - pl.col("ordered_at")).dt.total_days().alias("days"))
    return [(c, p, d + 0.5) for c, p, d in ledger.select("customer_id", "product_id", "days").iter_rows()]


def test_what_is_bought_after_the_horizon_changes_nothing():
    ledger = new_customer()
    cut = CUT - timedelta(days=10)
    known = ledger.filter(pl.col("ordered_at") < AS_OF - timedelta(days=10))
    one, other = (
        collect_examples(each, shop_of(each, catalogue_of(ledger), cut, SETTINGS)) for each in (ledger, known)
    )
    assert one.features.equals(other.features)
    assert one.bought.tolist() == other.bought.tolist()
    assert one.returned.tolist() == other.returned.tolist()


def test_a_sample_of_what_was_not_bought_stands_for_all(monkeypatch):
    past = [(f"C{i}", f"P{j}", 40.5) for i in range(20) for j in range(10)]
    ledger = ledger_of([*past, *((f"C{i}", f"P{i % 10}", 5.5) for i in range(20))])
    everything = collect(ledger)
    monkeypatch.setattr(training_examples, "_NEGATIVES", 1500)
    sample = collect(ledger)
    assert sample.bought.sum() == everything.bought.sum() == 20
    assert len(sample.features) < len(everything.features)
    assert sample.share.tolist() == pytest.approx([0.3] * len(sample.features))
    assert set(everything.share) == {1.0}


def test_of_own_products_that_are_not_bought_again_more_are_kept(monkeypatch):
    """Everybody bought ten products of forty, and buys one of them again."""
    lines = [(f"C{i}", f"P{(7 * i + j) % 40:02}", 40.5) for i in range(20) for j in range(10)]
    again = [(f"C{i}", f"P{7 * i % 40:02}", 20.5) for i in range(20)]
    monkeypatch.setattr(training_examples, "_NEGATIVES", 1)
    monkeypatch.setattr(training_examples, "_FEWEST_OWN_KEPT", 0.5)
    sample = collect(ledger_of([*lines, *again]))
    own = sample.features["pair_orders"].to_numpy() > 0
    assert (own & ~sample.bought).sum() == pytest.approx(90, abs=25)
    assert set(sample.share[own]) == {0.5}
    assert set(sample.share[~own]) == {np.float32(0.02)}


def test_many_customers_are_drawn_by_lot(monkeypatch):
    monkeypatch.setattr(training_examples, "_MOST_CUSTOMERS", 6)
    monkeypatch.setattr(training_examples, "_MOST_BUYERS", 5)
    done = []
    collected = collect(two_tastes(), cut=AS_OF - timedelta(days=3), advance=done.append)
    assert (len(collected.customers), sum(done)) == (6, 5)


def test_an_empty_shop_has_no_examples_but_all_columns():
    nothing, something = collect(empty_shop()), collect(new_customer())
    assert nothing.features.is_empty()
    assert nothing.features.schema == something.features.schema
    assert nothing.ceiling == 1.0


def test_answers_are_of_customers_with_a_past():
    rows = [("A", "TEA", CUT, "o1", 1.0, 1.0), ("A", "TEA", CUT + timedelta(days=30), "o2", 1.0, 1.0)]
    ledger = ledger_of([("A", "MILK", 40.5), ("A", "TEA", 35.5)]).vstack(
        pl.DataFrame(rows, schema=LEDGER_SCHEMA, orient="row")
    )
    labels = find_labels(ledger, build_snapshot(ledger, CUT), 30)
    assert labels.look_up(np.array([0, 1])).tolist() == [np.inf, 0.0]
