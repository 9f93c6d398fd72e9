import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from recommender.errors import UnknownPlacementError
from recommender.slate.placements import ABSOLUTE_CAP, DEFAULT_PLACEMENTS, Placement, clamp_limit, find_placement

PLACEMENT = Placement(cap=12, default_limit=6)


@pytest.mark.parametrize(("requested", "applied"), [(None, 6), (1, 1), (12, 12), (13, 12), (10**9, 12)])
def test_a_caller_may_ask_for_fewer_never_for_more(requested, applied):
    limit = clamp_limit(PLACEMENT, requested)
    assert limit._asdict() == {"requested": requested, "applied": applied, "cap": 12}


@given(cap=st.integers(1, ABSOLUTE_CAP), default=st.integers(1, ABSOLUTE_CAP), requested=st.none() | st.integers(1))
def test_never_more_than_the_cap(cap, default, requested):
    placement = Placement(cap=cap, default_limit=min(default, cap))
    assert 1 <= clamp_limit(placement, requested).applied <= cap


@pytest.mark.parametrize(
    ("name", "default_limit", "cap"),
    [("product-page", 6, 12), ("home", 12, 20), ("cart", 4, 8), ("email", 4, 8)],
)
def test_the_defaults(name, default_limit, cap):
    placement = DEFAULT_PLACEMENTS[name]
    assert (placement.default_limit, placement.cap) == (default_limit, cap)


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"cap": 51}, "less_than_equal"),
        ({"cap": 0}, "greater_than_equal"),
        ({"min_probability": 1.5}, "less_than_equal"),
        ({"min_probability": float("nan")}, "less_than_equal"),
        ({"max_per_category": 0}, "greater_than_equal"),
        ({"mix": "both"}, "literal_error"),
        ({"fallbacks": ["random"]}, "literal_error"),
        ({"caps": 3}, "extra_forbidden"),
    ],
)
def test_what_cannot_be_is_refused(fields, fault):
    with pytest.raises(ValidationError) as refused:
        Placement(**{"cap": 12, "default_limit": 6, **fields})
    assert [(error["loc"][0], error["type"]) for error in refused.value.errors()] == [(*fields, fault)]


def test_a_default_limit_over_the_cap_is_refused():
    with pytest.raises(ValidationError, match="default_limit 13 is over the cap 12"):
        Placement(cap=12, default_limit=13)


def test_a_placement_cannot_be_changed():
    with pytest.raises(ValidationError) as refused:
        PLACEMENT.cap = 50
    assert refused.value.errors()[0]["type"] == "frozen_instance"
    assert PLACEMENT.cap == 12


def test_an_unknown_placement_is_told_with_those_there_are():
    with pytest.raises(UnknownPlacementError, match="no placement 'hom'; there are: cart, email, home, product-page"):
        find_placement(DEFAULT_PLACEMENTS, "hom")


def test_a_placement_is_found_by_its_name():
    assert find_placement(DEFAULT_PLACEMENTS, "home") is DEFAULT_PLACEMENTS["home"]
