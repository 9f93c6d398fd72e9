import inspect
import re

import pytest

from recommender import errors
from recommender.errors import InvalidRequestError, RepriseError

CLASSES = [kind for _, kind in inspect.getmembers(errors, inspect.isclass)]


@pytest.mark.parametrize("kind", CLASSES)
def test_every_error_is_a_reprise_error_and_is_drawn_in_the_tree(kind):
    assert issubclass(kind, RepriseError)
    assert re.search(rf"\b{kind.__name__}\b", errors.__doc__)


def test_the_tree_draws_nothing_that_is_not_there():
    assert set(re.findall(r"\w+Error\b", errors.__doc__)) == {kind.__name__ for kind in CLASSES}


def test_the_tree_draws_who_is_below_whom():
    depths = {name: line.index(name) for line in errors.__doc__.splitlines() for name in re.findall(r"\w+Error", line)}
    for kind in set(CLASSES) - {RepriseError}:
        assert depths[kind.__name__] == depths[kind.__base__.__name__] + 4


def test_codes_are_unique_and_readable_by_machines():
    codes = [kind.code for kind in CLASSES]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", code) for code in codes)


def test_an_invalid_request_names_its_fields():
    error = InvalidRequestError("limit is wrong", [{"field": "limit", "message": "must be above 0"}])
    assert str(error) == "limit is wrong"
    assert error.errors == [{"field": "limit", "message": "must be above 0"}]
