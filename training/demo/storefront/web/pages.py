"""The pages of the shop: home, category, search, product, cart, checkout and account."""

import json
from typing import Any

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response as Answer

from training.demo.storefront.catalogue import Product
from training.demo.storefront.web import visit
from training.demo.storefront.web.pictures import draw_picture
from training.demo.storefront.web.rows import Wish, fetch_rows, of_customer, of_product, of_session, popular

blueprint = Blueprint("pages", __name__)
ROW = 6
"""Products that a row asks for."""
FIRST_ROW = 12
LIMITS = (6, FIRST_ROW, 20, 50)
"""What a visitor may ask the first row for; the last is over the cap of every placement."""


def _asked_for() -> int:
    asked = request.args.get("limit", FIRST_ROW, type=int)
    return asked if asked in LIMITS else FIRST_ROW


def _rows(wishes: list[Wish]) -> dict[str, Any]:
    rows = list(fetch_rows(visit.site(), wishes).values()) if wishes else []
    # the widget tells of its own rows
    visit.tell("impression", [card.shown for row in rows if not row.widget for card in row.cards])
    return {"rows": rows}


def _find(slug: str) -> Product:
    return visit.site().catalogue.find(slug) or abort(404)


@blueprint.get("/")
def home() -> str:
    """What is due, what may be discovered, what sells."""
    customer, limit = visit.customer_id(), _asked_for()
    if customer is None:
        wishes = [
            of_session("viewed", placement="home", session_id=visit.session_id(), limit=ROW, fallback="none"),
            popular(limit=limit),
        ]
    else:
        wishes = [
            of_customer("buy_again", customer, "buy-again", limit=limit),
            of_customer("for_you", customer, "recommendations", mix="discover", limit=ROW).in_browser(
                list="for-you", mix="discover", limit=ROW
            ),
            popular(limit=ROW),
        ]
    return render_template("home.html", limits=LIMITS, asked_for=limit, **_rows(wishes))


@blueprint.get("/c/<category>")
def category(category: str) -> str:
    """All products of a category, below those for this customer."""
    products = visit.site().catalogue.of_category(category) or abort(404)
    customer = visit.customer_id()
    query = {"category": category, "limit": ROW}
    wish = popular(**query) if customer is None else of_customer("category", customer, "recommendations", **query)
    title = visit.site().category(category)
    return render_template("category.html", category=category, title=title, products=products, **_rows([wish]))


@blueprint.get("/search")
def search() -> str:
    """The products that hold the words; best sellers beside nothing."""
    text = request.args.get("q", "")[:100].strip()
    products = visit.site().catalogue.search(text)
    rows = _rows([] if products else [popular(limit=ROW)])
    return render_template("search.html", text=text, products=products, **rows)


@blueprint.get("/p/<path:slug>")
def product(slug: str) -> str:
    """One product, what to buy instead, and what goes with it."""
    shown = _find(slug)
    visit.tell("view", [{"product_id": shown.product_id}])
    wishes = [
        of_product("similar", shown, "similar", limit=ROW, fallback="none"),
        of_product("together", shown, "bought-together", limit=ROW, fallback="none"),
    ]
    return render_template("product.html", product=shown, **_rows(wishes))


@blueprint.get("/i/<path:slug>.svg")
def picture(slug: str) -> Response:
    """The picture of a product, the same on every site."""
    shown = visit.shop().sites["en"].catalogue.find(slug) or abort(404)
    answer = Response(draw_picture(shown), mimetype="image/svg+xml")
    answer.headers["Cache-Control"] = "public, max-age=86400"
    return answer


@blueprint.get("/cart")
def cart() -> str:
    """What is in the cart, what goes with it, and what is due this week."""
    held = [product.product_id for product, _ in visit.cart()]
    customer = visit.customer_id()
    wishes = []
    if held:
        wish = of_session("cart", placement="cart", cart=held, limit=ROW, **visit.identity())
        wishes.append(wish.in_browser(list="cart", cart=json.dumps(held), limit=ROW))
    if customer is not None:
        query = {"due_within": "7d", "limit": ROW, "placement": "cart", "exclude": held}
        wishes.append(of_customer("due", customer, "buy-again", **query))
    return render_template("cart.html", lines=visit.cart(), total=visit.cart_total(), **_rows(wishes))


@blueprint.post("/cart")
def put() -> Answer:
    """Have so many of a product in the cart; without a quantity, one more. One that is no number changes nothing."""
    shown = _find(request.form.get("product", ""))
    held = session.get("cart", {}).get(shown.slug, 0)
    quantity = request.form.get("quantity", held + ("quantity" not in request.form), type=int)
    if not shown.in_stock:
        abort(404)
    visit.put_in_cart(shown, quantity, request.form.get("recommendation_id", ""))
    if "quantity" not in request.form:
        flash(visit.site().words["added"].format(product=shown.title))
    return redirect(url_for("pages.cart"))


@blueprint.get("/checkout")
def checkout() -> str | Answer:
    """Where an order is placed; nothing is to be filled in."""
    if not visit.cart():
        return redirect(url_for("pages.cart"))
    return render_template("checkout.html", lines=visit.cart(), total=visit.cart_total())


@blueprint.post("/checkout")
def order() -> Answer:
    """Place the order: the service knows of it before the next page is shown."""
    lines = {product.product_id: quantity for product, quantity in visit.cart()}
    if not lines:
        return redirect(url_for("pages.cart"))
    customer = visit.customer_id() or visit.become_guest()
    if visit.shop().orders.place(customer, lines, visit.led(), visit.shop().clock()) is None:
        flash(visit.site().words["checkout"]["failed"])
        return redirect(url_for("pages.checkout"))
    visit.empty_cart()
    return redirect(url_for("pages.thanks"))


@blueprint.get("/thanks")
def thanks() -> str:
    """After an order."""
    return render_template("thanks.html")


@blueprint.get("/token")
def token() -> str:
    """A fresh customer token, for a page that was open too long; "" for a visitor."""
    customer = visit.customer_id()
    return "" if customer is None else visit.site().backend.token(customer)


@blueprint.get("/account")
def account() -> str:
    """What is known of the customer: when products are due, and what was bought."""
    customer = visit.customer_id()
    if customer is None:
        return render_template("account.html", profile=None, due=[], orders=[])
    site, shop = visit.site(), visit.shop()
    profile = site.backend.call("GET", f"/v1/customers/{customer}/profile", locale=site.language)
    due = [(site.catalogue.find(one["product_id"]), one["due"]) for one in (profile or {}).get("due", ())]
    history = shop.people.get(visit.role())
    lines = [] if history is None else history.lines[:-9:-1]
    bought = [(site.catalogue.find(line.product_id), line.day.isoformat()) for line in lines]
    return render_template("account.html", profile=profile, due=due, orders=shop.orders.of(customer), bought=bought)
