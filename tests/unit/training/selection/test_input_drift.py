from dataclasses import asdict, replace
from datetime import timedelta

import polars as pl
import pytest

from tests.support.worlds import AS_OF, empty_shop, ledger_of
from training.selection.input_drift import InputProfile, find_drift, profile_input, record_drift

NORMAL = InputProfile(
    until="2026-11-06",
    purchases_per_day=10.0,
    customers_per_day=5.0,
    currencies=("EUR",),
    unknown_share=0.0,
    missed=(),
)
NOW = replace(NORMAL, until="2026-11-20")


def found(now: InputProfile, before: InputProfile = NORMAL) -> list[str]:
    return find_drift(now, {"input": asdict(before)})


def daily(days: int, *, without: int | None = None) -> pl.DataFrame:
    """ANNA buys MILK every noon of the last `days` days, but not on that of `without` days ago."""
    return ledger_of([("ANNA", "MILK", number + 0.5) for number in range(days) if number != without])


class TestProfile:
    def test_purchases_and_customers_a_day(self):
        ledger = ledger_of([("ANNA", "MILK", 0.5), ("ANNA", "BREAD", 0.5), ("BEN", "MILK", 3.5), ("BEN", "MILK", 20.5)])
        profile = profile_input(ledger, AS_OF)
        assert profile == InputProfile("2026-11-20", 3 / 14, 2 / 14, [], None, [])

    def test_the_day_that_is_not_over_does_not_count(self):
        profile = profile_input(daily(20), AS_OF - timedelta(hours=6))
        assert (profile.until, profile.purchases_per_day) == ("2026-11-19", 1.0)

    def test_an_empty_shop(self):
        assert profile_input(empty_shop(), AS_OF, ["EUR"], []) == InputProfile("2026-11-20", 0, 0, ["EUR"], 0.0, [])

    def test_products_that_the_file_does_not_name(self):
        ledger = ledger_of([("ANNA", "MILK", 0.5), ("ANNA", "NEW", 1.5), ("ANNA", "OLD", 99.5)])
        assert profile_input(ledger, AS_OF, named=["MILK"]).unknown_share == 0.5
        assert profile_input(ledger, AS_OF).unknown_share is None

    def test_a_day_is_missed_whose_weekday_always_had_purchases(self):
        assert profile_input(daily(60, without=2), AS_OF).missed == ["2026-11-17"]
        assert profile_input(daily(60), AS_OF).missed == []

    def test_a_shop_that_is_closed_on_sundays_misses_no_sunday(self):
        ledger = daily(60).filter(pl.col("ordered_at").dt.weekday() != 7)
        assert profile_input(ledger, AS_OF).missed == []

    def test_a_young_shop_misses_nothing(self):
        assert profile_input(daily(30, without=2), AS_OF).missed == []


class TestDrift:
    def test_nothing_is_odd_about_the_same_again(self):
        assert found(NOW) == []

    @pytest.mark.parametrize("live", [None, {}, {"scores": {}}])
    def test_with_nothing_to_compare_with_nothing_is_odd(self, live):
        assert find_drift(replace(NOW, purchases_per_day=0.0, missed=("2026-11-18",)), live) == []

    @pytest.mark.parametrize(("purchases", "odd"), [(20.0, 0), (5.0, 0), (4.9, 1), (0.0, 1)])
    def test_half_of_the_purchases_is_odd_and_more_is_not(self, purchases, odd):
        assert len(found(replace(NOW, purchases_per_day=purchases))) == odd

    def test_fewer_customers_are_told_with_figures(self):
        (told,) = found(replace(NOW, customers_per_day=2.0))
        assert told == "2.0 customers a day in the last 14 days, 5.0 in those before 2026-11-06"

    def test_a_shop_with_few_purchases_is_left_to_chance(self):
        small = replace(NORMAL, purchases_per_day=1.0)
        assert found(replace(NOW, purchases_per_day=0.2), small) == []

    def test_a_new_currency(self):
        (told,) = found(replace(NOW, currencies=("EUR", "USD")))
        assert told == "purchases in USD, so far all in EUR"

    def test_the_first_currencies_are_not_new(self):
        assert found(NOW, replace(NORMAL, currencies=())) == []

    def test_a_day_missed_since_the_live_version_and_none_before(self):
        assert found(replace(NOW, missed=("2026-11-05",))) == []
        (told,) = found(replace(NOW, missed=("2026-11-05", "2026-11-06")))
        assert "2026-11-06" in told

    @pytest.mark.parametrize(
        ("share", "usual", "odd"), [(0.1, 0.0, 0), (0.11, 0.0, 1), (0.11, 0.06, 0), (None, 0.0, 0)]
    )
    def test_unknown_products(self, share, usual, odd):
        assert len(found(replace(NOW, unknown_share=share), replace(NORMAL, unknown_share=usual))) == odd


class TestRecord:
    @pytest.fixture
    def publication(self, make_publication):
        made = make_publication("v1", {})
        return replace(made, manifest=replace(made.manifest, gate={"verdict": "passed", "reasons": []}))

    def test_the_profile_is_on_record_and_can_be_compared_with(self, publication):
        manifest = record_drift(publication, NOW, [], force=False).manifest
        assert manifest.gate == {"verdict": "passed", "reasons": []}
        read = type(manifest).from_json(manifest.to_json())
        assert find_drift(NOW, read.metrics) == []
        assert len(find_drift(replace(NOW, purchases_per_day=1.0), read.metrics)) == 1

    @pytest.mark.parametrize(("force", "verdict"), [(False, "refused"), (True, "forced")])
    def test_drift_is_refused_unless_it_is_forced(self, publication, force, verdict):
        gate = record_drift(publication, NOW, ["odd"], force=force).manifest.gate
        assert gate == {"verdict": verdict, "reasons": ["odd"]}


class TestFormatOfASupplier:
    """Shares of what could not be read, beside those of the live version."""

    READ = replace(NORMAL, unpriced_share=0.02, unknown_status_share=0.0, anonymous_share=0.25)

    @pytest.mark.parametrize(
        ("change", "sign"),
        [
            (
                {"unpriced_share": 0.9},
                "90% of the purchases have no price that can be read, 2% in the input of the live",
            ),
            ({"unknown_status_share": 0.2}, "20% of the rows have a status that is not known, 0% in the input"),
            ({"anonymous_share": 0.5}, "50% of the rows have no customer, 25% in the input of the live version"),
        ],
    )
    def test_a_jump_is_drift(self, change, sign):
        (found_sign,) = found(replace(self.READ, until="2026-11-20", **change), self.READ)
        assert found_sign.startswith(sign)

    @pytest.mark.parametrize(
        "change", [{"unpriced_share": 0.1}, {"anonymous_share": 0.0}, {"unknown_status_share": 0.1}]
    )
    def test_what_moves_a_little_or_down_is_none(self, change):
        assert found(replace(self.READ, until="2026-11-20", **change), self.READ) == []

    def test_a_version_of_an_earlier_release_has_none_to_compare_with(self):
        assert found(replace(self.READ, until="2026-11-20", unpriced_share=1.0), NORMAL) == []

    def test_a_later_release_may_know_more(self):
        assert find_drift(NOW, {"input": {**asdict(NORMAL), "new": 1}}) == []
