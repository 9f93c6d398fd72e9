"""Lists of a published version that is not the current one, for the variants of an experiment that get it."""

from collections.abc import Sequence
from dataclasses import replace

from recommender.asking import Asking, Question
from recommender.errors import StoreUnavailableError
from recommender.live_catalogue import LiveProducts
from recommender.publication import ListKey
from recommender.shelf import Shelf
from recommender.store import Reading


def reading_of(
    shelf: Shelf, version: str | None, keys: Sequence[ListKey], people: Sequence[str]
) -> Asking[Reading | None]:
    """As `Shelf.reading`, from `version` where it is kept; from the current one where it is not, or None.

    Of another version nothing is at hand: each call is one round trip. While Redis does not answer, the last copies
    of the current version stand in. Raises as `Shelf.reading`.
    """
    position = shelf.state.position
    if version in (None, position.version) or not shelf.answering:
        return (yield from shelf.reading(keys, people))
    live, store = position.live_catalogue, shelf.store
    asked = ([*keys, *live.newcomers.keys_behind(keys)], version, None, people)
    try:
        reading: Reading | None = yield Question(lambda: store.read(*asked), lambda: store.read_soon(*asked))
    except StoreUnavailableError:
        shelf.answering = False
        return (yield from shelf.reading(keys, people))
    if reading is None or not live.records:
        return reading
    lists, products = live.newcomers.complete(reading.lists), LiveProducts(reading.products, live)
    return replace(reading, lists=lists, products=products)
