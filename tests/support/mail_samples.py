"""A campaign and the picks of one customer, as a run gives them, for tests of mails."""

import math
from collections.abc import Sequence
from dataclasses import replace

from recommender.publication.lists import Own
from recommender.publication.product import Product
from recommender.slate.candidates import Candidate
from recommender.slate.due import due
from recommender.slate.item_json import Presentation
from recommender.slate.reasons import explain
from recommender.slate.slate import Item
from recommender.storage.campaign import Campaign, Picks
from recommender.words.language import get_language
from tests.support.small_shop import NOW, TODAY, VERSION

SECRET = "a secret of the tests, long enough"
SHOP_SITE = "https://shop.example"
COFFEE = Product("COFFEE", "Coffee beans", "Coffee", "12.90", f"{SHOP_SITE}/coffee", f"{SHOP_SITE}/i/coffee.svg")
MILK = Product("MILK", "Whole milk, 1 l", "Dairy", "1.20", f"{SHOP_SITE}/milk?a=1&b=2", f"{SHOP_SITE}/i/milk.svg")
KETTLE = Product("KETTLE", "Kettle", "Kitchen", "1299", f"{SHOP_SITE}/kettle")
TOLD = Presentation(get_language("en"))
CAMPAIGN = Campaign("2026-w47", "due_soon", 4, VERSION, NOW)


def own(product: Product, *, days_ago: int = 30, purchases: int = 6, every_days: int = 35, rank: int = 1) -> Item:
    """A product that the customer bought, with its true reason."""
    kept = Own(0, 0.8, TODAY - days_ago, purchases, math.log(every_days), 0.2, 0.9)
    when = due(kept, NOW)
    reason = explain(Candidate(product, "buy_again", 0.8, own=kept), when, NOW.date())
    return Item(product, rank, "buy_again", 0.8, when, reason)


def other(product: Product, rank: int = 1) -> Item:
    """A product that the customer never bought."""
    return Item(product, rank, "discover", 0.2, None, explain(Candidate(product, "discover", 0.2), None, NOW.date()))


def picks(*items: Item, spares: Sequence[str] = ()) -> Picks:
    """What one mail to ANNA shows, by default two products of hers and one that is new to her."""
    shown = items or (own(COFFEE), own(MILK, days_ago=6, purchases=20, every_days=7), other(KETTLE))
    ranked = tuple(item._replace(rank=rank) for rank, item in enumerate(shown, start=1))
    return Picks("ANNA", ranked, tuple(spares))


def hostile(**fields: str) -> Picks:
    """A mail whose only product has these fields."""
    return picks(own(replace(COFFEE, **fields)))
