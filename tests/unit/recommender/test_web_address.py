import re
from unittest.mock import patch

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from recommender import web_address
from recommender.web_address import LONGEST_ADDRESS, shop_address

WRITTEN = st.tuples(
    st.sampled_from(["", "/", "//", "http://", "https://", "HTTPS://", "javascript:", "http:/"]),
    st.text("aZ9.-:@/?#[]%\\\"'<> \n\t`{|}é\u200b\u202e", max_size=20),
).map("".join)


@pytest.mark.parametrize(
    "address",
    [
        "https://shop.example/p/1?a=b#c",
        "http://SHOP.example",
        "https://shop.example:8443/p",
        "/p/milk",
        "/",
        "/p//milk",
    ],
)
def test_an_address_of_a_host_and_a_path_of_the_shop_are_shown(address):
    assert shop_address(address) == address


@pytest.mark.parametrize(
    "address",
    [
        None,
        "",
        "p",
        "//evil.example",
        "javascript:alert(1)",
        "https://a@evil.example",
        "https://",
        "https://e.example/ b",
    ],
)
def test_what_is_neither_is_not(address):
    assert shop_address(address) is None


def test_an_address_of_another_host_than_those_allowed_is_not():
    assert shop_address("https://www.shop.example/p", ["shop.example"])
    assert shop_address("https://notshop.example/p", ["shop.example"]) is None


def test_an_address_that_is_too_long_is_not():
    assert shop_address("/" * LONGEST_ADDRESS) is None  # begins with two
    assert shop_address("/" + "p" * (LONGEST_ADDRESS - 1))
    assert shop_address("/" + "p" * LONGEST_ADDRESS) is None


@given(WRITTEN)
@example("https://shop.example:99999/")
@example("https://./")
@example("https://-/p")
def test_what_is_plain_is_shown_only_where_a_closer_look_shows_it_too(text):
    with patch.object(web_address, "_PLAIN", re.compile("(?!)")):
        looked_at = shop_address(text)
    assert shop_address(text) == looked_at
