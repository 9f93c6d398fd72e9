"""Flat rows: one row a customer with columns for each slot, for the importers of mail systems."""

from collections.abc import Sequence

import polars as pl

from recommender.campaigns.documents import LinkMaker, Links
from recommender.slate.item_json import Presentation, to_item
from recommender.slate.slate import Item
from recommender.storage.campaign import Campaign, Picks
from training.flat_files import Cell

_SLOT_COLUMNS: dict[str, pl.DataType | type[pl.DataType]] = {
    "product_id": pl.String,
    "title": pl.String,
    "price": pl.String,
    "currency": pl.String,
    "url": pl.String,
    "image_url": pl.String,
    "reason": pl.String,
    "kind": pl.String,
    "probability": pl.Float64,
    "due_at": pl.String,
}


class FlatRows:
    """Flat rows of one campaign's picks.

    Args:
        campaign: as it was begun.
        slots: number of products with columns; the campaign's own, or more where an experiment tries more.
        links: makes the links.
        told: language and currency.
    """

    def __init__(self, campaign: Campaign, slots: int, links: LinkMaker, told: Presentation) -> None:
        self.slots = slots
        self._told = told
        self._campaign = campaign
        self._links = links

    @property
    def schema(self) -> dict[str, pl.DataType | type[pl.DataType]]:
        """Type by column: customer_id, campaign_id, variant, products, those of each slot, then unsubscribe_url."""
        slots = {f"{name}_{i}": kind for i in range(1, self.slots + 1) for name, kind in _SLOT_COLUMNS.items()}
        first = {"customer_id": pl.String, "campaign_id": pl.String, "variant": pl.String, "products": pl.Int64}
        return {**first, **slots, "unsubscribe_url": pl.String}

    def row(self, picks: Picks) -> list[Cell]:
        """The cells of one customer, in the order of `schema`; None where there is no value."""
        links = self._links.links(self._campaign, picks)
        cells: list[Cell] = [picks.customer_id, self._campaign.campaign_id, picks.variant, len(picks.items)]
        for slot, item in enumerate(picks.items[: self.slots], start=1):
            cells += _slot(item, slot, links, self._told)
        cells += [None] * (len(_SLOT_COLUMNS) * (self.slots - len(picks.items)))
        return [*cells, links.unsubscribe_url]


def _slot(item: Item, slot: int, links: Links, told: Presentation) -> Sequence[Cell]:
    product, shown = item.product, to_item(item, told)
    return (
        product.product_id,
        product.title,
        product.price,
        shown["product"]["currency"],
        links.url(slot),
        links.image_url(slot),
        shown["reason"]["text"],
        item.kind,
        None if item.probability is None else round(item.probability, 4),
        None if item.due is None else item.due.at.isoformat(),
    )
