"""What holds for every slate, placement and limit, whatever is asked."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from recommender.errors import UnknownPlacementError
from recommender.publication.lists import Own
from recommender.publication.product import Product
from recommender.slate.candidates import Candidate, merge_by_probability, with_probability
from recommender.slate.placements import (
    ABSOLUTE_CAP,
    DEFAULT_PLACEMENTS,
    Limit,
    Placement,
    clamp_limit,
    find_placement,
)
from recommender.slate.slate import Context, Slate, build_slate

AS_OF = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
TODAY = 20_777  # days from 1970-01-01 to AS_OF
CATEGORIES = ("tea", "coffee", None)
# Few products, so that lists overlap; each has one category and one stock everywhere.
PRODUCTS = [Product(f"p{i}", category=CATEGORIES[i % 3], in_stock=i % 4 != 0) for i in range(16)]
IDS = frozenset(product.product_id for product in PRODUCTS)

products = st.sampled_from(PRODUCTS)
probabilities = st.none() | st.floats(0, 1)
owns = st.builds(
    Own,
    product_index=st.just(0),
    score=st.just(0.5),
    last_day=st.integers(TODAY - 400, TODAY),
    purchases=st.integers(1, 50),
    log_gap=st.floats(0, 7, width=16),
    log_gap_sd=st.floats(0, 2, width=16),
    return_share=st.floats(0, 1, width=16),
)
own_candidates = st.builds(lambda *of: Candidate(of[0], "buy_again", *of[1:]), products, probabilities, owns)
discover_candidates = st.builds(lambda *of: Candidate(of[0], "discover", *of[1:]), products, probabilities)
popular_candidates = st.builds(lambda product: Candidate(product, "popular"), products)
id_sets = st.frozensets(st.sampled_from(sorted(IDS)), max_size=4)


@st.composite
def placements(draw: st.DrawFn) -> Placement:
    cap = draw(st.integers(1, 6) | st.integers(1, ABSOLUTE_CAP))
    return Placement(
        cap=cap,
        default_limit=draw(st.integers(1, cap)),
        max_per_category=draw(st.none() | st.integers(1, 4)),
        min_probability=draw(st.sampled_from([0.0, 0.1, 0.5])),
        fallbacks=draw(st.sampled_from([(), ("trending",), ("popular", "trending"), ("trending", "popular")])),
    )


@st.composite
def requests(draw: st.DrawFn) -> dict[str, object]:
    """Arguments of `build_slate`."""
    placement = draw(placements())
    applied = draw(st.integers(0, 20))
    return {
        "candidates": draw(st.lists(own_candidates | discover_candidates, max_size=25)),
        "placement": placement,
        "context": Context(
            limit=Limit(requested=applied, applied=applied, cap=placement.cap),
            cart=draw(id_sets),
            exclude=draw(id_sets),
            categories=draw(st.sampled_from([frozenset(), frozenset(), frozenset({"tea"})])),
            due_within_days=draw(st.none() | st.integers(0, 60)),
        ),
        "as_of": AS_OF,
        "fallbacks": draw(
            st.dictionaries(st.sampled_from(["trending", "popular"]), st.lists(popular_candidates, max_size=8))
        ),
    }


def shown(slate: Slate) -> list[str]:
    return [item.product.product_id for item in slate.items]


def looked_at(request) -> list[Candidate]:
    """All that might be looked at, in order: candidates, then fallbacks."""
    fallbacks = (request["fallbacks"].get(name, []) for name in request["placement"].fallbacks)
    return [*request["candidates"], *chain.from_iterable(fallbacks)]


def is_subsequence(short: list[str], long: list[str]) -> bool:
    rest = iter(long)
    return all(element in rest for element in short)


class TestSlate:
    @given(requests())
    def test_never_above_the_cap_or_the_applied_limit(self, request_):
        n = len(build_slate(**request_).items)
        assert n <= request_["placement"].cap
        assert n <= request_["context"].limit.applied

    @given(requests())
    def test_no_product_twice(self, request_):
        ids = shown(build_slate(**request_))
        assert len(ids) == len(set(ids))

    @given(requests())
    def test_order_is_kept(self, request_):
        offered = [candidate.product.product_id for candidate in looked_at(request_)]
        assert is_subsequence(shown(build_slate(**request_)), offered)

    @given(requests())
    def test_nothing_that_must_not_be_shown(self, request_):
        context = request_["context"]
        slate = build_slate(**request_)
        assert not context.cart & set(shown(slate))
        assert not context.exclude & set(shown(slate))
        assert all(item.product.in_stock for item in slate.items)
        assert not context.categories or all(item.product.category in context.categories for item in slate.items)

    @given(requests())
    def test_the_category_cap_holds(self, request_):
        most = request_["placement"].max_per_category
        counts = Counter(item.product.category for item in build_slate(**request_).items)
        del counts[None]
        assert most is None or all(count <= most for count in counts.values())

    @given(requests())
    def test_the_floor_holds(self, request_):
        floor = request_["placement"].min_probability
        items = build_slate(**request_).items
        assert all(item.probability is None or item.probability >= floor for item in items)

    @given(requests())
    def test_nothing_is_due_later_than_asked(self, request_):
        days = request_["context"].due_within_days
        items = build_slate(**request_).items
        last = None if days is None else AS_OF.date() + timedelta(days=days)
        assert all(last is None or item.due is None or item.due.at <= last for item in items)

    @given(requests())
    def test_each_product_is_counted_once(self, request_):
        slate = build_slate(**request_)
        offered = {candidate.product.product_id for candidate in looked_at(request_)}
        assert sum(slate.suppressed.values()) + len(slate.items) <= len(offered)
        assert all(count > 0 for count in slate.suppressed.values())

    @given(requests())
    def test_a_slate_with_room_left_accounts_for_every_product(self, request_):
        slate = build_slate(**request_)
        offered = {candidate.product.product_id for candidate in looked_at(request_)}
        room = min(request_["context"].limit.applied, request_["placement"].cap)
        assert len(slate.items) == room or sum(slate.suppressed.values()) + len(slate.items) == len(offered)

    @given(requests())
    def test_ranks_are_1_to_n(self, request_):
        ranks = [item.rank for item in build_slate(**request_).items]
        assert ranks == list(range(1, len(ranks) + 1))

    @given(requests())
    def test_a_fallback_is_named_only_where_the_candidates_ran_out(self, request_):
        slate = build_slate(**request_)
        alone = build_slate(**{**request_, "fallbacks": {}})
        assert alone.fallback is None
        assert shown(slate)[: len(alone.items)] == shown(alone)
        assert (slate.fallback is not None) == (len(slate.items) > len(alone.items))

    @given(requests())
    def test_the_same_request_gives_the_same_slate(self, request_):
        assert repr(build_slate(**request_)) == repr(build_slate(**request_))

    @given(placements(), st.integers(0, 60))
    def test_nothing_offered_gives_an_empty_slate(self, placement, limit):
        context = Context(clamp_limit(placement, limit))
        assert build_slate([], placement, context, AS_OF, {"popular": []}) == Slate((), {}, None)


class TestMerge:
    @given(st.lists(own_candidates, max_size=12), st.lists(discover_candidates, max_size=12))
    def test_it_is_a_permutation_that_keeps_the_order_within_each_list(self, buy_again, discover):
        merged = list(merge_by_probability(buy_again, with_probability(discover)))
        assert [candidate for candidate in merged if candidate.kind == "buy_again"] == buy_again
        assert [candidate for candidate in merged if candidate.kind == "discover"] == discover
        assert len(merged) == len(buy_again) + len(discover)

    @given(st.lists(st.floats(0, 1), max_size=12), st.lists(st.floats(0, 1), max_size=12))
    def test_sorted_lists_give_a_sorted_list(self, own_probabilities, new_probabilities):
        buy_again = [Candidate(PRODUCTS[0], "buy_again", p) for p in sorted(own_probabilities, reverse=True)]
        discover = [Candidate(PRODUCTS[1], "discover", p) for p in sorted(new_probabilities, reverse=True)]
        merged = [candidate.probability for candidate in merge_by_probability(buy_again, with_probability(discover))]
        assert merged == sorted(merged, reverse=True)


class TestClampLimit:
    @given(placements(), st.integers(1, 10_000))
    def test_fewer_is_granted_and_more_is_clamped(self, placement, requested):
        assert clamp_limit(placement, requested) == Limit(
            requested=requested, applied=min(requested, placement.cap), cap=placement.cap
        )

    @given(placements())
    def test_no_wish_gives_the_default(self, placement):
        assert clamp_limit(placement, None) == Limit(requested=None, applied=placement.default_limit, cap=placement.cap)

    @given(placements(), st.none() | st.integers(1, 10_000))
    def test_never_above_the_cap_and_never_empty(self, placement, requested):
        limit = clamp_limit(placement, requested)
        assert 1 <= limit.applied <= limit.cap <= ABSOLUTE_CAP

    @given(placements(), st.integers(1, 100), st.integers(1, 100))
    def test_asking_for_more_never_gives_less(self, placement, one, other):
        less, more = sorted((one, other))
        assert clamp_limit(placement, less).applied <= clamp_limit(placement, more).applied


class TestPlacements:
    @given(st.integers(1, ABSOLUTE_CAP), st.integers(1, ABSOLUTE_CAP))
    def test_the_default_is_never_over_the_cap(self, cap, default_limit):
        if default_limit <= cap:
            assert Placement(cap=cap, default_limit=default_limit).cap == cap
        else:
            with pytest.raises(ValidationError, match=f"default_limit {default_limit} is over the cap {cap}"):
                Placement(cap=cap, default_limit=default_limit)

    @given(st.integers().filter(lambda cap: not 1 <= cap <= ABSOLUTE_CAP))
    def test_no_cap_outside_1_to_the_absolute_cap(self, cap):
        with pytest.raises(ValidationError):
            Placement(cap=cap, default_limit=1)

    def test_the_defaults_are_those_of_the_documentation(self):
        caps = {name: (placement.default_limit, placement.cap) for name, placement in DEFAULT_PLACEMENTS.items()}
        assert caps == {"product-page": (6, 12), "home": (12, 20), "cart": (4, 8), "email": (4, 8)}

    @given(st.text())
    def test_a_placement_is_found_or_the_message_lists_those_there_are(self, name):
        if name in DEFAULT_PLACEMENTS:
            assert find_placement(DEFAULT_PLACEMENTS, name) is DEFAULT_PLACEMENTS[name]
        else:
            with pytest.raises(UnknownPlacementError, match="cart, email, home, product-page"):
                find_placement(DEFAULT_PLACEMENTS, name)
