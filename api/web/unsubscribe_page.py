"""Pages of the unsubscribe link in a mail, in the reader's language: nothing of the reader is in them."""

from functools import lru_cache
from html import escape

from api.web.page import render_page
from recommender.words.language import Language


@lru_cache(maxsize=64)
def ask_page(language: Language) -> bytes:
    """The page that asks, with one button that posts to the same address."""
    button = escape(language.words["unsubscribe"])
    form = f"""<form method="post">
<input type="hidden" name="List-Unsubscribe" value="One-Click">
<button>{button}</button>
</form>"""
    return _page(language, language.words["unsubscribe"], form)


@lru_cache(maxsize=64)
def done_page(language: Language) -> bytes:
    """The page that confirms it."""
    return _page(language, language.words["unsubscribed"])


def _page(language: Language, title: str, form: str = "") -> bytes:
    promise = escape(language.words["no_more_mails"])
    return render_page(
        escape(title), f"<p>{promise}</p>\n{form}", lang=language.tag, direction=language.notation.direction
    )
