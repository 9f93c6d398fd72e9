"""Pins, boosts and blocks: by eye, and what holds for any."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from recommender.catalogue.overrides import NO_OVERRIDES, Record
from recommender.publication.lists import Own
from recommender.publication.product import Product
from recommender.slate.candidates import Candidate
from recommender.slate.merchandising import boosted
from recommender.slate.placements import CategoryBoost, Limit, OfCategory, OfProduct, Pin, Placement, ProductBoost
from recommender.slate.slate import Context, build_slate

AS_OF = datetime(2026, 11, 20, 12, tzinfo=UTC)
SOON, LATER = AS_OF + timedelta(hours=1), AS_OF + timedelta(days=2)
TODAY = AS_OF.toordinal() - datetime(1970, 1, 1, tzinfo=UTC).toordinal()


def make(product_id, probability=None, category=None, kind="discover", **product):
    return Candidate(Product(product_id, category=category, **product), kind, probability, source="discover")


def fill(candidates, *, limit=5, fallbacks=None, pinned=(), context=None, **rules):
    """The slate of a placement with `rules`; `pinned` are products."""
    placement = Placement(cap=10, default_limit=5, **rules)
    context = {"limit": Limit(requested=limit, applied=limit, cap=10)} | (context or {})
    known = {product.product_id: product for product in pinned}
    return build_slate(candidates, placement, Context(**context), AS_OF, fallbacks or {}, pinned=known)


def shown(slate):
    return [item.product.product_id for item in slate.items]


ABC = [make("a", 0.6), make("b", 0.4), make("c", 0.2)]


class TestPins:
    @pytest.mark.parametrize(("position", "expected"), [(1, "xabc"), (2, "axbc"), (4, "abcx"), (5, "abcx"), (6, "abc")])
    def test_a_pin_is_at_its_position_or_at_the_end_of_a_short_slate(self, position, expected):
        slate = fill(ABC, pins=[Pin(product_id="x", position=position)], pinned=[Product("x")])
        assert "".join(shown(slate)) == expected
        assert [item.rank for item in slate.items] == list(range(1, len(slate.items) + 1))

    def test_it_counts_in_the_limit(self):
        slate = fill(ABC, limit=2, pins=[Pin(product_id="x", position=2)], pinned=[Product("x")])
        assert shown(slate) == ["a", "x"]

    def test_one_that_is_on_the_list_moves_and_stays_what_it_is(self):
        slate = fill(ABC, pins=[Pin(product_id="c", position=1)], pinned=[Product("c")])
        assert shown(slate) == ["c", "a", "b"]
        assert (slate.items[0].probability, slate.items[0].reason.code) == (0.2, "CHOSEN_FOR_YOU")

    def test_one_on_no_list_says_that_the_shop_wants_it(self):
        slate = fill(ABC, pins=[Pin(product_id="x", position=1)], pinned=[Product("x")])
        assert (slate.items[0].reason.code, slate.items[0].probability, slate.fallback) == ("PINNED", None, None)

    def test_two_at_one_position_stand_behind_each_other(self):
        pins = [Pin(product_id=product_id, position=2) for product_id in "xy"]
        assert "".join(shown(fill(ABC, pins=pins, pinned=[Product("x"), Product("y")]))) == "axybc"

    def test_an_unknown_product_is_passed_over(self):
        slate = fill(ABC, pins=[Pin(product_id="x", position=1)])
        assert (shown(slate), slate.suppressed) == (["a", "b", "c"], {})

    @pytest.mark.parametrize(
        ("product", "context", "rules", "reason"),
        [
            (Product("x", in_stock=False), {}, {}, "out_of_stock"),
            (Product("x"), {"cart": frozenset("x")}, {}, "in_cart"),
            (Product("x"), {"exclude": frozenset("x")}, {}, "excluded"),
            (Product("x"), {"not_interested": frozenset("x")}, {}, "not_interested"),
            (Product("x"), {"categories": frozenset({"tea"})}, {}, "other_category"),
            (Product("x"), {}, {"blocks": [OfProduct(product_id="x")]}, "blocked"),
            (Product("x", category="tea"), {}, {"blocks": [OfCategory(category="tea")]}, "blocked"),
        ],
    )
    def test_rules_win_over_pins(self, product, context, rules, reason):
        slate = fill([], pins=[Pin(product_id="x", position=1)], pinned=[product], context=context, **rules)
        assert (shown(slate), slate.suppressed) == ([], {reason: 1})

    def test_what_was_just_bought_is_not_shown_for_a_pin(self):
        own = Own(0, 0.5, TODAY, 3, 3.0, 0.3, 0.9)
        bought = Candidate(Product("x"), "buy_again", 0.5, own, None, "buy_again")
        slate = fill([bought, *ABC], pins=[Pin(product_id="x", position=1)], pinned=[Product("x")])
        assert (shown(slate), slate.suppressed) == (["a", "b", "c"], {"not_due": 1})

    def test_the_floor_does_not_count_for_a_pin(self):
        slate = fill(ABC, pins=[Pin(product_id="c", position=1)], min_probability=0.5)
        assert (shown(slate), slate.suppressed) == (["c", "a"], {"low_probability": 1})

    def test_the_category_cap_counts_pins_first(self):
        candidates = [make("a", 0.6, "tea"), make("b", 0.4, "tea")]
        pins = [Pin(product_id="x", position=2)]
        slate = fill(candidates, pins=pins, pinned=[Product("x", category="tea")], max_per_category=2)
        assert (shown(slate), slate.suppressed) == (["a", "x"], {"category_cap": 1})

    def test_where_only_own_products_are_wanted_no_other_is_pinned(self):
        pins = [Pin(product_id="x", position=1), Pin(product_id="c", position=1)]
        slate = fill(ABC, pins=pins, pinned=[Product("x"), Product("c")], context={"own_only": True})
        assert shown(slate) == ["c", "a", "b"]

    def test_a_pin_of_a_fallback_is_not_shown_twice(self):
        fallbacks = {"popular": [Candidate(Product("x"), "popular", source="popular")]}
        slate = fill([], pins=[Pin(product_id="x", position=1)], pinned=[Product("x")], fallbacks=fallbacks)
        assert shown(slate) == ["x"]


class TestBoosts:
    def test_a_probability_is_multiplied_for_the_order_alone(self):
        slate = fill(ABC, boosts=[ProductBoost(product_id="c", factor=2.5)])
        assert [(item.product.product_id, item.probability) for item in slate.items] == [
            ("a", 0.6),
            ("c", 0.2),
            ("b", 0.4),
        ]

    def test_a_category_and_a_product_multiply(self):
        candidates = [make("a", 0.6), make("b", 0.4), make("c", 0.2, "tea")]
        boosts = [CategoryBoost(category="tea", factor=2), ProductBoost(product_id="c", factor=2)]
        assert [one.product.product_id for one in boosted(candidates, boosts)] == ["c", "a", "b"]

    def test_without_probabilities_the_place_counts(self):
        """Places 1 to 4 count 1, 1/2, 1/3 and 1/4: the last, times 1.5, comes before the third."""
        candidates = [make(one) for one in "abcd"]
        order = boosted(candidates, [ProductBoost(product_id="d", factor=1.5)])
        assert [one.product.product_id for one in order] == ["a", "b", "d", "c"]

    def test_less_than_one_moves_down(self):
        order = boosted(ABC, [ProductBoost(product_id="a", factor=0.5)])
        assert [one.product.product_id for one in order] == ["b", "a", "c"]

    def test_fallbacks_are_boosted_too_and_stay_behind(self):
        fallbacks = {"popular": [Candidate(Product(one), "popular", source="popular") for one in "xyz"]}
        slate = fill(ABC, fallbacks=fallbacks, boosts=[ProductBoost(product_id="z", factor=10)])
        assert "".join(shown(slate)) == "abczx"


class TestDates:
    @pytest.mark.parametrize(
        ("dates", "holds"),
        [
            ({}, True),
            ({"from": AS_OF}, True),
            ({"from": SOON}, False),
            ({"until": AS_OF}, False),
            ({"until": SOON}, True),
            ({"from": SOON, "until": AS_OF}, False),
            ({"from": AS_OF - timedelta(days=1), "until": LATER}, True),
        ],
    )
    def test_a_rule_holds_in_its_time_alone(self, dates, holds):
        assert (
            "x" in shown(fill(ABC, pins=[Pin(product_id="x", position=1, **dates)], pinned=[Product("x")]))
        ) == holds
        assert (shown(fill(ABC, boosts=[ProductBoost(product_id="c", factor=9, **dates)])) == ["c", "a", "b"]) == holds
        assert ("a" not in shown(fill(ABC, blocks=[OfProduct(product_id="a", **dates)]))) == holds

    def test_a_later_pin_of_the_same_product_counts_once_the_first_has_ended(self):
        pins = [Pin(product_id="x", position=1, until=AS_OF), Pin(product_id="x", position=3)]
        assert "".join(shown(fill(ABC, pins=pins, pinned=[Product("x")]))) == "abxc"

    def test_a_slate_says_when_a_date_would_change_it(self):
        block = OfProduct(product_id="z", **{"from": LATER})
        assert fill(ABC, blocks=[block], pins=[Pin(product_id="x", position=1, until=SOON)]).until == SOON.timestamp()
        assert fill(ABC, blocks=[OfProduct(product_id="a", until=AS_OF)]).until is None
        assert fill(ABC).until is None

    def test_and_when_a_product_that_was_looked_at_becomes_valid(self):
        live = NO_OVERRIDES.change([Record("a", 1, f'{{"valid_from":"{SOON.isoformat()}"}}'.encode(), trained=True)])
        slate = fill([Candidate(live.apply_to(one.product), one.kind, one.probability) for one in ABC])
        assert (shown(slate), slate.suppressed) == (["b", "c"], {"not_valid": 1})
        assert slate.until == SOON.timestamp()


class TestRules:
    @pytest.mark.parametrize(
        "rules",
        [
            {"pins": [{"product_id": "x", "position": 0}]},
            {"pins": [{"product_id": "x", "position": 51}]},
            {"pins": [{"product_id": "x", "position": True}]},
            {"pins": [{"product_id": "x"}]},
            {"pins": [{"product_id": "x", "position": 1, "from": 5}]},
            {"pins": [{"product_id": "x", "position": 1, "from": "2026-11-20T09:00:00"}]},
            {"boosts": [{"product_id": "x", "category": "y", "factor": 2}]},
            {"boosts": [{"product_id": "x", "factor": 0}]},
            {"boosts": [{"product_id": "x", "factor": "2"}]},
            {"boosts": [{"product_id": "x", "factor": float("inf")}]},
            {"blocks": [{}]},
            {"blocks": [{"product_id": ""}]},
            {"blocks": [{"product_id": "x", "position": 1}]},
        ],
    )
    def test_what_cannot_be_is_refused(self, rules):
        with pytest.raises(ValidationError):
            Placement(cap=10, default_limit=5, **rules)

    def test_they_come_back_from_json(self):
        rules = {"pins": [{"product_id": "x", "position": 1.0, "from": "2026-11-20T09:00:00+01:00"}]}
        rules |= {"boosts": [{"category": "tea", "factor": 2}], "blocks": [{"product_id": "y", "until": SOON}]}
        placement = Placement(cap=10, default_limit=5, **rules)
        assert Placement.model_validate_json(placement.model_dump_json()) == placement
        assert placement.pins[0].position == 1


IDS = "abcdefgh"
moments = st.none() | st.sampled_from([AS_OF - timedelta(days=1), AS_OF, SOON])
dates = st.fixed_dictionaries({"from": moments, "until": moments})
ids, categories = st.sampled_from(IDS), st.sampled_from(["tea", "coffee"])
factors = st.floats(0.1, 10)
products = {
    one: Product(one, category=("tea", "coffee", None)[i % 3], in_stock=i % 4 != 3) for i, one in enumerate(IDS)
}
pins = st.builds(lambda at, **rule: Pin(**rule, **at), at=dates, product_id=ids, position=st.integers(1, 8))
boosts = st.builds(lambda at, **rule: ProductBoost(**rule, **at), at=dates, product_id=ids, factor=factors) | st.builds(
    lambda at, **rule: CategoryBoost(**rule, **at), at=dates, category=categories, factor=factors
)
blocks = st.builds(lambda at, **rule: OfProduct(**rule, **at), at=dates, product_id=ids) | st.builds(
    lambda at, **rule: OfCategory(**rule, **at), at=dates, category=categories
)
lists = st.lists(
    st.builds(
        lambda one, probability: Candidate(products[one], "discover", probability, source="discover"),
        ids,
        st.none() | st.floats(0, 1),
    ),
    max_size=12,
)


@st.composite
def requests(draw):
    """Arguments of `fill`."""
    return {
        "candidates": draw(lists),
        "limit": draw(st.integers(0, 6)),
        "fallbacks": {"popular": draw(lists)},
        "pinned": [products[one] for one in draw(st.sets(ids))],
        "context": {"cart": draw(st.frozensets(ids, max_size=2))},
        "pins": draw(st.lists(pins, max_size=5)),
        "boosts": draw(st.lists(boosts, max_size=3)),
        "blocks": draw(st.lists(blocks, max_size=2)),
        "max_per_category": draw(st.none() | st.integers(1, 3)),
    }


class TestWhatHoldsForAny:
    @given(requests())
    def test_the_cap_and_no_product_twice(self, request_):
        ids = shown(fill(**request_))
        assert len(ids) <= request_["limit"]
        assert len(ids) == len(set(ids))

    @given(requests())
    def test_stock_blocks_and_cart_win(self, request_):
        for item in fill(**request_).items:
            assert item.product.in_stock
            assert item.product.product_id not in request_["context"]["cart"]
            assert not any(block.holds(AS_OF) and block.covers(item.product) for block in request_["blocks"])

    @given(requests())
    def test_the_category_cap_holds(self, request_):
        shown_of = [item.product.category for item in fill(**request_).items]
        most = request_["max_per_category"] or len(IDS)
        assert all(shown_of.count(category) <= most for category in ("tea", "coffee"))

    @given(requests())
    def test_rules_that_do_not_hold_change_nothing(self, request_):
        never = {"from": LATER}
        ended = {"pins": [Pin(product_id="a", position=1, **never)], "blocks": [OfProduct(product_id="a", **never)]}
        ended |= {"boosts": [ProductBoost(product_id="a", factor=9, **never)]}
        plain = fill(**request_ | {"pins": [], "boosts": [], "blocks": []})
        assert fill(**request_ | ended)._replace(until=None) == plain

    @given(lists)
    def test_a_boost_of_one_leaves_every_list_as_it_is(self, candidates):
        assert boosted(candidates, [CategoryBoost(category="tea", factor=1)]) == candidates

    @given(lists, st.lists(boosts, max_size=3))
    def test_boosts_lose_and_change_nothing(self, candidates, some):
        assert sorted(map(repr, boosted(candidates, some))) == sorted(map(repr, candidates))

    @given(requests())
    def test_one_pin_that_may_be_shown_is_at_its_position(self, request_):
        quiet = {"pinned": [products["a"]], "max_per_category": None, "blocks": [], "context": {}, "limit": 6}
        slate = fill(**request_ | quiet | {"pins": [Pin(product_id="a", position=3)]})
        assert shown(slate).index("a") == min(2, len(slate.items) - 1)
