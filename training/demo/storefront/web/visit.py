"""Who visits the shop, in which language, and with what in the cart: kept in a signed cookie, nowhere else."""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from flask import current_app, g, request, session

from recommender.words.language import LANGUAGES
from training.demo.storefront.catalogue import Product
from training.demo.storefront.clock import DemoClock
from training.demo.storefront.orders import Orders
from training.demo.storefront.people import VISITOR, History
from training.demo.storefront.web.site import Site

MOST_OF_ONE = 99
"""Of one product in a cart."""
MOST_IN_CART = 40
"""Products in a cart: a cookie holds 4 kB."""
LONGEST_NAME = 64
"""Characters of a recommendation id."""
GUEST = "guest"
"""A visitor who ordered something, and has an account since."""


@dataclass(frozen=True)
class Shop:
    """What all visits share.

    Attributes:
        sites: language → the shop in it.
        people: role → the customer who plays it.
        service_port: where browsers find the service, on the host that they know the shop by.
    """

    sites: Mapping[str, Site]
    people: Mapping[str, History]
    orders: Orders
    clock: DemoClock
    service_port: int

    @property
    def today(self) -> date:
        """The day by the demo's clock, UTC."""
        return self.clock().date()


def shop() -> Shop:
    """The shop that is answering."""
    found: Shop = current_app.extensions["storefront"]
    return found


def site() -> Site:
    """The shop in the visitor's language: the one chosen, else the browser's."""
    if "site" not in g:
        language = session.get("language") or request.accept_languages.best_match(LANGUAGES) or "en"
        g.site = shop().sites[language if language in LANGUAGES else "en"]
    found: Site = g.site
    return found


def role() -> str:
    """The role of the visitor; a regular customer at first, so that there is something to see."""
    chosen = session.get("role", "weekly")
    return chosen if chosen in (VISITOR, GUEST) or chosen in shop().people else VISITOR


def customer_id() -> str | None:
    """The customer who visits; None for a visitor who has not said who they are."""
    history = shop().people.get(role())
    if role() == GUEST:
        return str(session.get("guest"))
    return None if history is None else history.customer_id


def become(new_role: str) -> None:
    """Be somebody else from now on, with an empty cart."""
    session["role"] = new_role
    empty_cart()
    session.pop("session_id", None)


def become_guest() -> str:
    """Have an account from now on; its customer id."""
    session["role"], session["guest"] = GUEST, f"G-{secrets.token_hex(4)}"
    return str(session["guest"])


def session_id() -> str:
    """The id of this visit."""
    if "session_id" not in session:
        session["session_id"] = f"visit-{secrets.token_hex(8)}"
    return str(session["session_id"])


def identity() -> dict[str, str]:
    """The visitor, as an event or a request names them."""
    customer = customer_id()
    return {"session_id": session_id()} if customer is None else {"customer_id": customer}


def tell(event_type: str, deeds: Iterable[Mapping[str, object]]) -> None:
    """Tell the service what the visitor did just now, an event for each of `deeds`; nothing of none."""
    when = {"occurred_at": shop().clock().isoformat(), **identity()}
    events = [{"event_id": secrets.token_hex(8), "event_type": event_type, **when, **one} for one in deeds]
    if events:
        site().backend.tell(events)


def cart() -> list[tuple[Product, int]]:
    """Products in the cart with their quantities, in the order in which they were put there."""
    found = ((site().catalogue.find(slug), quantity) for slug, quantity in session.get("cart", {}).items())
    return [(product, quantity) for product, quantity in found if product is not None]


def cart_total() -> str:
    """What the cart costs; nothing in it costs nothing."""
    total = sum((Decimal(product.price) * quantity for product, quantity in cart()), Decimal(0))
    return site().money(total, next(iter(site().catalogue.products)).currency)


def led() -> dict[str, str]:
    """Product id → the recommendation that led to it, of products in the cart."""
    found = {product.product_id: session.get("led", {}).get(product.slug) for product, _ in cart()}
    return {product_id: name for product_id, name in found.items() if name}


def put_in_cart(product: Product, quantity: int, recommendation_id: str = "") -> None:
    """Have so many of a product in the cart; 0 takes it out. A full cart takes no further product.

    `recommendation_id` names the answer that led to it; "" none.
    """
    held = dict(session.get("cart", {}))
    held.pop(product.slug, None) if quantity < 1 else held.update({product.slug: min(quantity, MOST_OF_ONE)})
    if len(held) <= MOST_IN_CART:
        session["cart"] = held
        led = session.get("led", {}) | ({product.slug: recommendation_id[:LONGEST_NAME]} if recommendation_id else {})
        session["led"] = {slug: name for slug, name in led.items() if slug in held}


def empty_cart() -> None:
    """Take everything out."""
    session.pop("cart", None)
    session.pop("led", None)
