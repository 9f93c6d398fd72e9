import random
from string import ascii_letters
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.campaigns.links import LONGEST_TOKEN, MailLink, address, cart_address, link_of, read_link, sign, tag
from recommender.errors import ForgedLinkError
from recommender.person import decode_id
from tests.support.mail_samples import SECRET, picks

LINK = MailLink("default", "w47", "ANNA", ("MILK", "BREAD", "TEA"), 2)
IDS = st.text(min_size=1, max_size=20)


@pytest.mark.parametrize(
    ("url", "tagged"),
    [
        ("https://s.example/p", "https://s.example/p?utm_source=a%26b&utm_medium=email&utm_campaign=w47"),
        (
            "https://s.example/p?x=1#top",
            "https://s.example/p?x=1&utm_source=a%26b&utm_medium=email&utm_campaign=w47#top",
        ),
        (
            "https://s.example/?utm_source=own&utm_campaign=",
            "https://s.example/?utm_source=own&utm_campaign=&utm_medium=email",
        ),
    ],
)
def test_addresses_of_the_shop_are_tagged_once(url, tagged):
    assert tag(url, "a&b", "w47") == tagged
    assert tag(tagged, "a&b", "w47") == tagged
    assert tag(url, None, "w47") == url


@pytest.mark.parametrize("product_id", ["COFFEE-1KG", "a/b?c&d", "käse 🧀", "{product_id}", "half \ud800"])
def test_any_id_stands_in_the_address_of_a_basket(product_id):
    led_to = cart_address("https://s.example/add?id={product_id}&n=1", product_id)
    assert led_to.isascii()
    assert decode_id(unquote_to_bytes(led_to)) == f"https://s.example/add?id={product_id}&n=1"


@given(shop=IDS, campaign_id=IDS, customer_id=IDS, product_ids=st.lists(IDS, max_size=8).map(tuple))
def test_a_link_is_read_as_it_was_signed(shop, campaign_id, customer_id, product_ids):
    link = MailLink(shop, campaign_id, customer_id, product_ids, len(product_ids))
    token = sign(link, SECRET)
    assert read_link(token, SECRET) == link
    assert sign(link, SECRET) == token
    assert set(token) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")


@given(st.data())
def test_no_change_of_a_single_character_is_taken(data):
    token = sign(LINK, SECRET)
    at = data.draw(st.integers(0, len(token) - 2))  # of the last character base64 leaves bits unused
    other = data.draw(st.characters(codec="utf-8").filter(lambda one: one != token[at]))
    with pytest.raises(ForgedLinkError):
        read_link(token[:at] + other + token[at + 1 :], SECRET)


@given(st.integers(0, 200))
def test_nor_is_one_that_was_cut(length):
    token = sign(LINK, SECRET)
    with pytest.raises(ForgedLinkError):
        read_link(token[: min(length, len(token) - 1)], SECRET)


def test_nor_is_one_of_another_secret():
    with pytest.raises(ForgedLinkError):
        read_link(sign(LINK, "another secret, of another service"), SECRET)


def test_spares_are_left_out_where_an_address_would_be_too_long():
    draw = random.Random(1)  # what repeats would be packed into little
    ids = tuple("".join(draw.choices(ascii_letters, k=250)) for _ in range(8))
    link = MailLink("default", "w47", "ANNA", ids, 4)
    token = sign(link, SECRET)
    assert len(token) <= LONGEST_TOKEN
    read = read_link(token, SECRET)
    assert read.slots == 4
    assert 4 <= len(read.product_ids) < 8
    assert ids[: len(read.product_ids)] == read.product_ids


def test_picks_are_never_left_out():
    link = MailLink("default", "w47", "ANNA", tuple(chr(19968 + i) * 500 + str(i) for i in range(9)), 8)
    assert len(read_link(sign(link, SECRET), SECRET).product_ids) >= 8


def test_a_link_of_a_mail_holds_its_picks_then_its_spares():
    link = link_of("default", "w47", picks(spares=["TEA", "OLD"]))
    assert link == ("default", "w47", "ANNA", ("COFFEE", "MILK", "KETTLE", "TEA", "OLD"), 3)


def test_addresses():
    assert address("https://x.example/", "T", 1, "click") == "https://x.example/v1/m/T/1/click"
    assert address("https://x.example/base", "T", "unsubscribe") == "https://x.example/base/v1/m/T/unsubscribe"
