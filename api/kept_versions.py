"""Lists of a published version that is not the current one, for the variants of an experiment that get it."""

from collections.abc import Sequence
from dataclasses import replace

from recommender.errors import StoreUnavailableError
from recommender.live_catalogue import LiveProducts
from recommender.publication import ListKey
from recommender.shelf import Shelf
from recommender.store import Reading


def read_version(shelf: Shelf, version: str | None, keys: Sequence[ListKey], people: Sequence[str]) -> Reading | None:
    """As `Shelf.read`, from `version` where it is kept; from the current one where it is not, or None.

    Of another version nothing is at hand: each call is one round trip. While Redis does not answer, the last copies
    of the current version stand in. Raises as `Shelf.read`.
    """
    position = shelf.state.position
    if version in (None, position.version) or not shelf.answering:
        return shelf.read(keys, people)
    live = position.live_catalogue
    try:
        reading = shelf.store.read([*keys, *live.newcomers.keys_behind(keys)], version, None, people)
    except StoreUnavailableError:
        shelf.answering = False
        return shelf.read(keys, people)
    if reading is None or not live.records:
        return reading
    lists, products = live.newcomers.complete(reading.lists), LiveProducts(reading.products, live)
    return replace(reading, lists=lists, products=products)
