"""The made-up shop's Persian site: the same products and lists under Persian titles, with prices in rials."""

import re
import tomllib
from dataclasses import replace
from decimal import Decimal
from functools import lru_cache
from importlib.resources import files

from recommender.publication.manifest import Publication
from recommender.words.language import get_language

RIALS_PER_EURO = 1_200_000
_WORDS = tomllib.loads(files("training.demo").joinpath("persian.toml").read_text("utf-8"))
_TITLE = re.compile(rf"({'|'.join(_WORDS['brands'])}) (.+) (\S+)")
_UNIT = re.compile(rf"(?<=[0-9])({'|'.join(_WORDS['units'])})$")


def in_persian(publication: Publication) -> Publication:
    """The version as the Persian site shows it; categories keep their names, which are ids."""
    return replace(
        publication,
        products=[
            replace(
                product,
                title=None if product.title is None else persian_title(product.title),
                price=None if product.price is None else rials(product.price),
                currency="IRR",
            )
            for product in publication.products
        ],
    )


@lru_cache(maxsize=2_000)
def persian_title(title: str) -> str:
    """A title of the made-up shop in Persian; one that is not of it stays as it is."""
    found = _TITLE.fullmatch(title)
    if found is None:
        return title
    brand, need, size = found.groups()
    size = _UNIT.sub(lambda unit: f" {_WORDS['units'][unit[1]]}", size.replace("x", "\u00d7"))
    return get_language("fa").notation.digits(f"{_WORDS['needs'][need]} {_WORDS['brands'][brand]}، {size}")


def rials(euros: str) -> str:
    """A price in euros as one in rials, rounded to ten thousand."""
    return f"{round(Decimal(euros) * RIALS_PER_EURO / 10_000) * 10_000}"
