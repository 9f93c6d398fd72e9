"""Pages of the unsubscribe link in a mail, in the reader's language: nothing of the reader is in them."""

from functools import lru_cache
from html import escape
from typing import NamedTuple

from api.web.page import render_page
from recommender.words.language import Language


class _Button(NamedTuple):
    """A button that posts to `action`, beside the address of the page; `word` is what it says."""

    word: str
    action: str


_LEAVE, _FEWER, _BACK = (
    _Button("unsubscribe", "unsubscribe"),
    _Button("fewer_mails", "fewer-mails"),
    _Button("subscribe_again", "subscribe"),
)


@lru_cache(maxsize=64)
def ask_page(language: Language, shop: str | None) -> bytes:
    """The page that asks, with a button for each answer; `shop` is its name, None where nobody gave one."""
    return _page(language, shop, "mails_of", "ask_about_mails", _LEAVE, _FEWER)


@lru_cache(maxsize=64)
def done_page(language: Language, shop: str | None) -> bytes:
    """The page that confirms that there are no more mails, with the way back."""
    return _page(language, shop, "unsubscribed", "no_more_mails", _BACK)


@lru_cache(maxsize=64)
def fewer_page(language: Language, shop: str | None) -> bytes:
    """The page that confirms that there are fewer mails."""
    return _page(language, shop, "fewer_mails_set", "one_a_month", _BACK, _LEAVE)


@lru_cache(maxsize=64)
def subscribed_page(language: Language, shop: str | None) -> bytes:
    """The page that confirms that there are mails again."""
    return _page(language, shop, "subscribed", "mails_again", _LEAVE, _FEWER)


def _page(language: Language, shop: str | None, title: str, sentence: str, *buttons: _Button) -> bytes:
    name = shop or language.words["this_shop"]
    said, told = (escape(language.words[one].format(shop=name)) for one in (title, sentence))
    forms = "\n".join(
        f"""<form method="post" action="{one.action}">
<input type="hidden" name="List-Unsubscribe" value="One-Click">
<button>{escape(language.words[one.word])}</button>
</form>"""
        for one in buttons
    )
    return render_page(said, f"<p>{told}</p>\n{forms}", lang=language.tag, direction=language.notation.direction)
