"""Rows of recommended products: what a page asks for, and what it says of the answers."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from training.demo.storefront.catalogue import Product
from training.demo.storefront.web.site import Site

Fact = tuple[str, str]
"""A label, and what there is to say under it."""


class Wish(NamedTuple):
    """A row that a page wants.

    Attributes:
        name: of the row, among the words.
        path: path and query of the request for it.
        body: of a POST.
        widget: attributes of the element that asks for the same in the browser; none where the page does it all.
    """

    name: str
    path: str
    body: Mapping[str, Any] | None = None
    widget: Mapping[str, object] = {}

    @property
    def request(self) -> dict[str, Any]:
        """The request, as a batch holds it."""
        return {"path": self.path} if self.body is None else {"path": self.path, "body": dict(self.body)}

    def in_browser(self, **attributes: object) -> "Wish":
        """The same, with the attributes of the element that asks for it in the browser."""
        return self._replace(widget=attributes)


class Card(NamedTuple):
    """One recommended product, and why it is shown.

    Attributes:
        shown: what events of it say of the answer: its id, placement, rank, kind and reason.
    """

    product: Product
    shown: Mapping[str, Any]
    reason: str
    due: str | None
    why: Sequence[Fact]


class Row(NamedTuple):
    """A row of a page.

    Attributes:
        name: of its words.
        answered: whether the service gave an answer.
        cards: what is shown.
        hidden: what rules left out, and how many products each.
        limit: `requested`, `applied` and `cap` of the answer.
        widget: see `Wish`.
    """

    name: str
    answered: bool
    cards: Sequence[Card]
    hidden: Sequence[Fact]
    limit: Mapping[str, Any]
    widget: Mapping[str, object]


def of_customer(name: str, customer_id: str, route: str, **query: object) -> Wish:
    """A row of one customer's own list."""
    return Wish(name, f"/v1/customers/{quote(customer_id, safe='')}/{route}?{urlencode(query, doseq=True)}")


def of_product(name: str, product: Product, route: str, **query: object) -> Wish:
    """A row of what has to do with a product."""
    wish = Wish(name, f"/v1/products/{quote(product.product_id, safe='')}/{route}?{urlencode(query, doseq=True)}")
    return wish.in_browser(list=route, product=product.product_id, **query)


def popular(**query: object) -> Wish:
    """A row of what sells."""
    return Wish("popular", f"/v1/popular?{urlencode(query)}")


def of_session(name: str, **body: object) -> Wish:
    """A row of whatever is known of a visit."""
    return Wish(name, "/v1/recommendations", {field: value for field, value in body.items() if value})


def fetch_rows(site: Site, wishes: Sequence[Wish]) -> dict[str, Row]:
    """The rows by name, all of one request."""
    answers = site.backend.rows([wish.request for wish in wishes], site.language)
    return {wish.name: _row(site, wish, answer) for wish, answer in zip(wishes, answers, strict=True)}


def _row(site: Site, wish: Wish, answer: Mapping[str, Any] | None) -> Row:
    if answer is None:
        return Row(wish.name, answered=False, cards=(), hidden=(), limit={}, widget=wish.widget)
    words = site.words["hidden"]
    hidden = [(words.get(rule, rule), site.number(n)) for rule, n in answer["suppressed"].items()]
    found = [(site.catalogue.find(item["product_id"]), item) for item in answer["items"]]
    cards = [
        Card(
            product,
            {
                "product_id": item["product_id"],
                "recommendation_id": answer["recommendation_id"],
                "placement": answer["placement"],
                "rank": item["rank"],
                "kind": item["kind"],
                "reason": item["reason"]["code"],
            },
            item["reason"]["text"],
            (item["due"] or {}).get("text"),
            _why(site, item, answer),
        )
        for product, item in found
        if product is not None
    ]
    return Row(wish.name, answered=True, cards=cards, hidden=hidden, limit=answer["limit"], widget=wish.widget)


def _why(site: Site, item: Mapping[str, Any], answer: Mapping[str, Any]) -> list[Fact]:
    """All that the answer says of one product, in words."""
    words, reason, due = site.words["why"], item["reason"], item["due"]
    evidence, facts = reason["evidence"], [(words["reason"], reason["text"])]
    if "purchases" in evidence:
        facts += [
            (words["times"], site.number(evidence["purchases"])),
            (words["last"], site.day(evidence["last_purchased_on"]) or ""),
            (words["interval"], site.number(evidence["interval_days"])),
        ]
    if "because" in evidence:
        facts.append((words["because"], evidence["because"]))
    if due is not None:
        chances = {f"p{days.removesuffix('d')}": site.percent(p) for days, p in due["probability"].items()}
        facts += [
            (words["due"], due["text"]),
            (words["window"], words["window_text"].format(from_=site.day(due["from"]), to=site.day(due["to"]))),
            (words["chance"], words["chance_text"].format(**chances)),
        ]
    if item["probability"] is not None:
        facts.append((words["score"], site.percent(item["probability"])))
    rank, n = site.number(item["rank"]), site.number(len(answer["items"]))
    facts.append((words["where"], words["where_text"].format(rank=rank, n=n, placement=answer["placement"])))
    return facts
