"""Each rule of a slate, by eye. Today is 20 November 2026."""

import math
from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from recommender.publication.lists import Own
from recommender.publication.product import Product
from recommender.slate.candidates import Candidate
from recommender.slate.due import due
from recommender.slate.placements import Limit, Placement
from recommender.slate.slate import Context, Slate, build_slate

AS_OF = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
PLACEMENT = Placement(cap=10, default_limit=5)


def make(product_id: str, category: str | None = None, probability: float | None = None, **product) -> Candidate:
    return Candidate(Product(product_id, category=category, **product), "discover", probability)


def make_own(product_id: str, *, days_ago: int, every: float, sd: float = 0.3) -> Candidate:
    last_day = (date(2026, 11, 20) - date(1970, 1, 1)).days - days_ago
    own = Own(0, 0.5, last_day, 6, math.log(every), sd, 0.9)
    return Candidate(Product(product_id), "buy_again", 0.5, own)


def make_popular(*product_ids: str) -> list[Candidate]:
    return [Candidate(Product(product_id), "popular") for product_id in product_ids]


def context(limit: int = 5, **known) -> Context:
    return Context(Limit(requested=limit, applied=limit, cap=PLACEMENT.cap), **known)


def shown(slate: Slate) -> list[str]:
    return [item.product.product_id for item in slate.items]


class TestOrderAndCap:
    def test_order_is_kept_and_ranks_start_at_1(self):
        slate = build_slate([make("b"), make("a"), make("c")], PLACEMENT, context(), AS_OF)
        assert [(item.rank, item.product.product_id) for item in slate.items] == [(1, "b"), (2, "a"), (3, "c")]
        assert (slate.suppressed, slate.fallback) == ({}, None)

    def test_it_stops_at_the_limit_and_counts_nothing_beyond(self):
        sold_out = make("x", in_stock=False)
        slate = build_slate([make("a"), sold_out, make("b"), make("y", in_stock=False)], PLACEMENT, context(2), AS_OF)
        assert shown(slate) == ["a", "b"]
        assert slate.suppressed == {"out_of_stock": 1}

    def test_no_limit_is_larger_than_the_cap(self):
        slate = build_slate([make(str(i)) for i in range(30)], PLACEMENT, context(30), AS_OF)
        assert len(slate.items) == PLACEMENT.cap

    @pytest.mark.parametrize("limit", [0, -1])
    def test_no_room_shows_nothing(self, limit):
        assert shown(build_slate([make("a")], PLACEMENT, context(limit), AS_OF)) == []

    def test_nothing_to_show_is_a_right_answer(self):
        assert build_slate([], PLACEMENT, context(), AS_OF) == Slate(items=(), suppressed={}, fallback=None)

    def test_a_product_is_shown_once_and_a_repeat_is_not_counted(self):
        slate = build_slate([make("a"), make("b"), make("a")], PLACEMENT, context(), AS_OF)
        assert shown(slate) == ["a", "b"]
        assert slate.suppressed == {}

    def test_an_item_carries_what_its_candidate_says(self):
        candidate = make_own("milk", days_ago=8, every=7)
        (item,) = build_slate([candidate], PLACEMENT, context(), AS_OF).items
        assert (item.kind, item.probability) == ("buy_again", 0.5)
        assert item.due == due(candidate.own, AS_OF)
        assert item.reason.code == "DUE_SOON"


class TestRules:
    def test_out_of_stock(self):
        slate = build_slate([make("a", in_stock=False), make("b")], PLACEMENT, context(), AS_OF)
        assert (shown(slate), slate.suppressed) == (["b"], {"out_of_stock": 1})

    def test_in_the_cart(self):
        slate = build_slate([make("a"), make("b")], PLACEMENT, context(cart=frozenset({"a"})), AS_OF)
        assert (shown(slate), slate.suppressed) == (["b"], {"in_cart": 1})

    def test_excluded_by_the_caller(self):
        slate = build_slate([make("a"), make("b")], PLACEMENT, context(exclude=frozenset({"b"})), AS_OF)
        assert (shown(slate), slate.suppressed) == (["a"], {"excluded": 1})

    def test_other_categories(self):
        candidates = [make("a", "tea"), make("b", "coffee"), make("c", None)]
        slate = build_slate(candidates, PLACEMENT, context(categories=frozenset({"tea"})), AS_OF)
        assert (shown(slate), slate.suppressed) == (["a"], {"other_category": 2})

    def test_under_the_floor(self):
        candidates = [make("a", probability=0.2), make("b", probability=0.19), make("c", probability=None)]
        placement = Placement(cap=10, default_limit=5, min_probability=0.2)
        slate = build_slate(candidates, placement, context(), AS_OF)
        assert (shown(slate), slate.suppressed) == (["a", "c"], {"low_probability": 1})

    def test_too_many_of_one_category(self):
        candidates = [make(f"tea {i}", "tea") for i in range(4)] + [make("mug", "mugs")]
        placement = Placement(cap=10, default_limit=5, max_per_category=2)
        slate = build_slate(candidates, placement, context(), AS_OF)
        assert (shown(slate), slate.suppressed) == (["tea 0", "tea 1", "mug"], {"category_cap": 2})

    def test_products_without_a_category_are_not_counted(self):
        placement = Placement(cap=10, default_limit=5, max_per_category=1)
        slate = build_slate([make("a"), make("b"), make("c")], placement, context(), AS_OF)
        assert shown(slate) == ["a", "b", "c"]

    def test_what_another_rule_left_out_does_not_count_against_its_category(self):
        placement = Placement(cap=10, default_limit=5, max_per_category=1)
        slate = build_slate([make("a", "tea", in_stock=False), make("b", "tea")], placement, context(), AS_OF)
        assert (shown(slate), slate.suppressed) == (["b"], {"out_of_stock": 1})

    def test_the_first_rule_that_objects_names_the_reason(self):
        everything = context(cart=frozenset({"a"}), exclude=frozenset({"a", "b"}), categories=frozenset({"tea"}))
        candidates = [make("a", in_stock=False), make("b"), make("c")]
        slate = build_slate(candidates, PLACEMENT, everything, AS_OF)
        assert slate.suppressed == {"out_of_stock": 1, "excluded": 1, "other_category": 1}


class TestWeeklyMilkBuyer:
    @pytest.mark.parametrize("days_ago", [0, 1, 3])
    def test_milk_is_not_suggested_just_after_it_was_bought(self, days_ago):
        slate = build_slate([make_own("milk", days_ago=days_ago, every=7)], PLACEMENT, context(), AS_OF)
        assert (shown(slate), slate.suppressed) == ([], {"not_due": 1})

    @pytest.mark.parametrize("days_ago", [4, 5, 7, 30])
    def test_milk_is_suggested_from_half_a_week_on(self, days_ago):
        slate = build_slate([make_own("milk", days_ago=days_ago, every=7)], PLACEMENT, context(), AS_OF)
        assert (shown(slate), slate.suppressed) == (["milk"], {})

    def test_a_purchase_after_as_of_is_not_due(self):
        slate = build_slate([make_own("milk", days_ago=-1, every=7)], PLACEMENT, context(), AS_OF)
        assert slate.suppressed == {"not_due": 1}

    def test_days_are_days_in_utc(self):
        in_auckland = AS_OF.astimezone(timezone(timedelta(hours=13)))  # there it is the 21st
        slate = build_slate([make_own("milk", days_ago=3, every=7)], PLACEMENT, context(), in_auckland)
        assert slate.suppressed == {"not_due": 1}

    def test_an_absurd_interval_breaks_nothing(self):
        own = Own(0, 0.5, 1, 2, 60_000.0, 0.3, 0.9)  # float16 goes that far
        slate = build_slate([Candidate(Product("milk"), "buy_again", 0.5, own)], PLACEMENT, context(), AS_OF)
        assert slate.suppressed == {"not_due": 1}

    @pytest.mark.parametrize(("within", "expected"), [(1, []), (2, ["milk"]), (14, ["milk"]), (10**12, ["milk"])])
    def test_due_within_days(self, within, expected):
        milk = make_own("milk", days_ago=5, every=7)  # due on the 22nd
        slate = build_slate([milk], PLACEMENT, context(due_within_days=within), AS_OF)
        assert shown(slate) == expected
        assert slate.suppressed == ({} if expected else {"not_due": 1})

    def test_due_within_days_asks_nothing_of_products_never_bought(self):
        assert shown(build_slate([make("tea")], PLACEMENT, context(due_within_days=1), AS_OF)) == ["tea"]


class TestFallbacks:
    LISTS = {"trending": make_popular("t1", "t2"), "popular": make_popular("p1", "p2")}  # noqa: RUF012

    def test_they_fill_up_in_the_order_of_the_placement(self):
        slate = build_slate([make("a")], PLACEMENT, context(4), AS_OF, self.LISTS)
        assert shown(slate) == ["a", "t1", "t2", "p1"]
        assert slate.fallback == "trending"
        assert [item.reason.code for item in slate.items] == ["CHOSEN_FOR_YOU", "TRENDING", "TRENDING", "BEST_SELLER"]

    def test_they_are_not_touched_where_the_candidates_suffice(self):
        slate = build_slate([make("a"), make("b")], PLACEMENT, context(2), AS_OF, self.LISTS)
        assert (shown(slate), slate.fallback) == (["a", "b"], None)

    def test_the_first_that_gave_a_product_is_named(self):
        sold_out = [Candidate(Product("t1", in_stock=False), "popular")]
        slate = build_slate([], PLACEMENT, context(), AS_OF, {"trending": sold_out, "popular": make_popular("p1")})
        assert (shown(slate), slate.fallback, slate.suppressed) == (["p1"], "popular", {"out_of_stock": 1})

    def test_none_is_named_where_none_gave_a_product(self):
        slate = build_slate([make("a")], PLACEMENT, context(), AS_OF, {"trending": [], "other": make_popular("x")})
        assert (shown(slate), slate.fallback) == (["a"], None)

    def test_what_was_left_out_does_not_come_back_as_a_fallback(self):
        milk = make_own("milk", days_ago=1, every=7)
        slate = build_slate([milk], PLACEMENT, context(), AS_OF, {"popular": make_popular("milk", "tea")})
        assert (shown(slate), slate.suppressed) == (["tea"], {"not_due": 1})

    def test_a_placement_without_fallbacks_stays_short(self):
        placement = Placement(cap=10, default_limit=5, fallbacks=())
        assert shown(build_slate([make("a")], placement, context(), AS_OF, self.LISTS)) == ["a"]

    def test_the_category_cap_counts_over_all_lists(self):
        placement = Placement(cap=10, default_limit=5, max_per_category=1)
        slate = build_slate([make("a", "tea")], placement, context(), AS_OF, {"popular": [make("b", "tea")]})
        assert (shown(slate), slate.suppressed) == (["a"], {"category_cap": 1})
