"""Rows as ready HTML: for shops that put their pages together on their servers, and for visitors without scripts."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from recommender.words.language import Language

PARAMETER = "reprise"
"""Query parameter of a product's page: the recommendation that led there, as the script writes and reads it."""


def render_fragment(answer: Mapping[str, Any], language: Language, heading: str, product_url: str) -> str:
    """A section of HTML with the products of an answer; "" where it has none.

    Args:
        answer: of a list, as JSON.
        language: of its texts.
        heading: "" for none.
        product_url: the address of a product's page, with {id}; "" for that of the product's data.
    """
    cards = [_card(answer, item, language, product_url) for item in answer["items"]]
    if not cards:
        return ""
    title = Markup('<h2 dir="auto">{}</h2>\n').format(heading) if heading else Markup()
    start = Markup('<section class="reprise" data-recommendation-id="{}">\n').format(answer["recommendation_id"])
    return start + title + Markup("<ul>\n") + Markup("\n").join(cards) + Markup("\n</ul>\n</section>\n")


def _card(answer: Mapping[str, Any], item: Mapping[str, Any], language: Language, product_url: str) -> Markup:
    product = item["product"]
    image = product["image_url"]
    picture = Markup('<img src="{}" alt="" loading="lazy">').format(image) if image else Markup()
    name = picture + Markup('<span dir="auto">{}</span>').format(product["title"] or item["product_id"])
    url = product_url.replace("{id}", quote(item["product_id"], safe="")) or product["url"]
    price, currency = product["price"], product["currency"]
    written = "" if price is None else language.notation.money(price, currency)
    return Markup('<li data-product-id="{}">{} <span>{}</span> <small dir="auto" lang="{}">{}</small></li>').format(
        item["product_id"],
        Markup('<a href="{}">{}</a>').format(_link(url, answer, item), name) if url else name,
        written,
        language.tag,
        item["reason"]["text"],
    )


def _link(url: str, answer: Mapping[str, Any], item: Mapping[str, Any]) -> str:
    shown = (answer["recommendation_id"], str(item["rank"]), answer["placement"], item["product_id"])
    address, hash_sign, rest = url.partition("#")
    joint = "&" if "?" in address else "?"
    return f"{address}{joint}{PARAMETER}={quote('~'.join(shown), safe='~')}{hash_sign}{rest}"
