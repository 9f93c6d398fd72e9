"""Products: which come back after how many days, who is due, and what goes with them."""

from collections.abc import Mapping, Sequence
from typing import Any

from api.console.page import Block, Column, Facts, Form, Link, Note, Page, Table
from api.console.visit import Visit, address
from recommender.catalogue.catalogue import decode_product
from recommender.publication.lists import ListKey, ListName
from recommender.publication.product import Product

MOST_FOUND = 50
MOST_SHOWN = 100
"""Products of a page; a file has all."""
_PER_TRIP = 500
_FIGURES = ("buyers", "back", "lower", "median", "upper", "due_7", "due_14", "due_30")
_RHYTHMS = (
    Column("product", "id"), Column("title"), Column("buyers", "number"), Column("back", "number"),
    Column("share_back", "share"), Column("lower", "days"), Column("median", "days"), Column("upper", "days"),
    Column("due_7", "number"), Column("due_14", "number"), Column("due_30", "number"),
)  # fmt: skip
_LIST = (Column("rank", "number"), Column("product", "id"), Column("title"), Column("category"), Column("in_stock"))


def show(visit: Visit) -> Page:
    """One product, what was searched for, or those with the most buyers."""
    product_id, text = visit.asked("product"), visit.asked("search")
    form = Form("look-up", {"label": "search", "name": "search", "value": text[:200]})
    if not visit.is_answering:
        return Page("products", blocks=[Note(visit.lacks)])
    if product_id:
        return _one(visit, product_id, form)
    if visit.version is None:
        return Page("products", blocks=[Note(visit.lacks)])
    rows = _rhythms(visit)
    if text:
        return _found(visit, form, rows, text)
    if not rows:
        return Page("products", blocks=[form, Note(visit.lacks)])
    of = (visit.insights or {})["repurchase"]["of"]
    note = visit.t("products.note", n=len(rows), of=of)
    return Page("products", [_lead(visit, rows)], [form, _table(visit, rows, note)], currency=visit.currency)


def titles(visit: Visit, product_ids: Sequence[str]) -> dict[str, Product | None]:
    """The products of the version that answers, by id; None for those that it does not know."""
    if visit.version is None or not visit.is_answering:
        return dict.fromkeys(product_ids)
    found: dict[str, bytes] = {}
    for first in range(0, len(product_ids), _PER_TRIP):
        found |= visit.store.find_products(visit.version, product_ids[first : first + _PER_TRIP])
    return {one: decode_product(found.get(one)) for one in product_ids}


def _rhythms(visit: Visit) -> list[list[Any]]:
    told = visit.insights.get("repurchase") if visit.insights else None
    return list(told["rows"]) if told else []


def _lead(visit: Visit, rows: Sequence[Sequence[Any]]) -> str:
    """The product with the most customers who come back, in a sentence."""
    best = max(rows, key=lambda row: row[2])
    if not best[2]:
        return visit.t("products.nobody_back")
    name = titles(visit, [best[0]])[best[0]]
    title = best[0] if name is None else name.title or best[0]
    return visit.t("products.lead", product=title, n=round(best[4]), back=best[2], buyers=best[1])


def _table(visit: Visit, rows: Sequence[Sequence[Any]], note: str) -> Table:
    named = rows if visit.asked("as") else rows[:MOST_SHOWN]
    names = titles(visit, [row[0] for row in named])
    return Table(
        "rhythms", _RHYTHMS, [_row(row, names) for row in rows], visit.t("products.nothing_found"), note, MOST_SHOWN
    )


def _row(row: Sequence[Any], names: Mapping[str, Product | None]) -> tuple[Any, ...]:
    product_id, buyers, back, *rest = row
    product = names.get(product_id)
    link = Link(product_id, address("products", product=product_id))
    share = back / buyers if buyers else None
    return link, product.title if product else None, buyers, back, share, *rest


def _found(visit: Visit, form: Form, rows: Sequence[Sequence[Any]], text: str) -> Page:
    found = _search(visit, text[:200])
    known = {row[0]: row for row in rows}
    unknown = [None] * len(_FIGURES)
    wanted = [known.get(one) or [one, *unknown] for one in found]
    note = visit.t("products.found", n=len(found)) if visit.cache.state.catalogue else visit.t("products.too_many")
    return Page("products", blocks=[form, _table(visit, wanted, note)])


def _search(visit: Visit, text: str) -> list[str]:
    """Ids of the first MOST_FOUND products with every word of a text, and the one that is called so.

    Titles are looked through where the catalogue is in memory, which leaves out that of a very large shop.
    """
    words = text.casefold().split()
    catalogue = visit.cache.state.catalogue
    found = [text] if any(titles(visit, [text]).values()) else []
    for index in catalogue or ():
        raw = catalogue.texts[index].decode("utf-8", "replace").casefold() if catalogue else ""
        if words and all(word in raw for word in words):  # far fewer are then decoded
            product = catalogue.find(index) if catalogue else None
            if product is not None and product.product_id not in found and _has(product, words):
                found.append(product.product_id)
        if len(found) >= MOST_FOUND:
            break
    return found


def _has(product: Product, words: Sequence[str]) -> bool:
    said = f"{product.product_id} {product.title or ''} {product.category or ''}".casefold()
    return all(word in said for word in words)


def _one(visit: Visit, product_id: str, form: Form) -> Page:
    product = titles(visit, [product_id])[product_id]
    overrides = visit.cache.state.position.overrides
    live = overrides.apply_to(product) if product else overrides.new_product(product_id)
    if live is None:
        return Page("products", blocks=[form, Note(visit.t("products.unknown", product=product_id[:200]), warns=True)])
    objection = live.objection(visit.now.timestamp())
    state = visit.t("products.shown") if objection is None else visit.t(f"rules.{objection}")
    price = float(live.price) if live.price else None
    row = next((row for row in _rhythms(visit) if row[0] == product_id), [product_id, *[None] * len(_FIGURES)])
    blocks: list[Block] = [
        form,
        Facts([("title", "text", live.title), ("category", "text", live.category), ("price", "money", price),
               ("state", "text", state)]),
        Form("block", {"product": product_id, "blocked": objection == "blocked"}, needs_admin=True),
        Table("rhythm", _RHYTHMS, [_row(row, {product_id: product})]),
        *_lists(visit, product_id),
    ]  # fmt: skip
    return Page("products", blocks=blocks, subject=live.title or product_id, currency=live.currency or visit.currency)


def _lists(visit: Visit, product_id: str) -> list[Block]:
    names: tuple[ListName, ...] = ("similar", "together")
    reading = visit.cache.read([ListKey(name, product_id) for name in names])
    blocks: list[Block] = []
    for name in names:
        found = None if reading is None else reading.lists.get(ListKey(name, product_id))
        products = () if found is None or reading is None else map(reading.products.find, found.indices())
        rows = [
            (rank, Link(one.product_id, address("products", product=one.product_id)), one.title, one.category,
             visit.t("words.yes" if one.in_stock else "words.no"))
            for rank, one in enumerate((one for one in products if one is not None), start=1)
        ]  # fmt: skip
        blocks.append(Table(name, _LIST, rows, visit.t("products.no_list"), shown=20))
    return blocks
