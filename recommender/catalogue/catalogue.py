"""The products of one version, kept as the text that was published and decoded when they are looked at."""

from array import array
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping

from recommender.publication.product import Product

MOST_DECODED = 16_384
"""Products that stay decoded, about 500 bytes each: most answers show some that an earlier one showed."""


class Catalogue(Mapping[int, Product]):
    """Products by product_index; all of a version, or those that one reading needs.

    Args:
        texts: JSON of each product, as `Product.to_json` wrote it.
    """

    __slots__ = ("_decoded", "texts")

    def __init__(self, texts: Mapping[int, bytes]) -> None:
        self.texts = texts
        self._decoded: OrderedDict[int, Product] = OrderedDict()

    def newcomer_index(self, product_id: str) -> int | None:  # noqa: ARG002
        """Where a product is that no training has seen; None for others."""
        return None

    def __getitem__(self, product_index: int) -> Product:
        product = self._decoded.get(product_index)
        if product is None:
            if len(self._decoded) >= MOST_DECODED:  # the oldest: cheaper than to know which was used last
                self._decoded.popitem(last=False)
            product = self._decoded[product_index] = Product.from_json(self.texts[product_index])
        return product

    def find(self, product_index: int) -> Product | None:
        """The product; None where Redis lost it, or holds what cannot be read."""
        decoded = self._decoded.get(product_index)
        if decoded is not None:
            return decoded
        try:
            return self[product_index]
        except (LookupError, ValueError, TypeError, AttributeError):
            return None

    def __iter__(self) -> Iterator[int]:
        return iter(self.texts)

    def __len__(self) -> int:
        return len(self.texts)


class PackedTexts(Mapping[int, bytes]):
    """Texts numbered from 0, in one piece of memory: half of what a dictionary of them takes."""

    __slots__ = ("_ends", "_text")

    def __init__(self) -> None:
        self._text = bytearray()
        self._ends = array("L", (0,))

    @property
    def n_bytes(self) -> int:
        """Memory that it takes, about."""
        return len(self._text) + self._ends.itemsize * len(self._ends)

    def extend(self, texts: Iterable[bytes]) -> None:
        """Add texts at the end."""
        for text in texts:
            self._text += text
            self._ends.append(len(self._text))

    def __getitem__(self, place: int) -> bytes:
        if not 0 <= place < len(self._ends) - 1:
            raise KeyError(place)
        return bytes(self._text[self._ends[place] : self._ends[place + 1]])

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self)))

    def __len__(self) -> int:
        return len(self._ends) - 1


def decode_product(text: bytes | None) -> Product | None:
    """A product from its JSON; None for nothing, and for what cannot be read."""
    try:
        return None if text is None else Product.from_json(text)
    except (ValueError, TypeError, AttributeError):
        return None


def entry_bytes(text: bytes | None) -> int:
    """Memory that one product takes in a dictionary: its text and, about, the objects around it."""
    return 160 + len(text or b"")
