"""A new customer's taste from a few purchases, by the product factors of the current version.

One step of alternating least squares for one customer, Hu, Koren, Volinsky (2008), Collaborative Filtering for Implicit
Feedback Datasets, equation (4): with the products' factors Y held fixed and confidence c for what was bought,

    x = (Yᵀ Y + Yᵀ (C - I) Y + λ I)⁻¹ Yᵀ C p
"""

import struct
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

_HEADER = struct.Struct("<ddi")


@dataclass(frozen=True)
class ProductFactors:
    """What is needed of a model to fold a customer in.

    Attributes:
        factors: (n_products, f) float16 or float32, by product_index; rows of products without buyers are 0.
        regularization: λ.
        alpha: confidence of a purchase made now.
    """

    factors: NDArray[np.floating]
    regularization: float
    alpha: float

    def to_bytes(self) -> bytes:
        """Regularization, alpha and f, then the factors as float16, row by row; little-endian."""
        header = _HEADER.pack(self.regularization, self.alpha, self.factors.shape[1])
        return header + self.factors.astype("<f2").tobytes()

    @classmethod
    def from_bytes(cls, wire: bytes) -> "ProductFactors":
        """The inverse of `to_bytes`. Raises ValueError where `wire` is nothing of the kind."""
        try:
            regularization, alpha, f = _HEADER.unpack_from(wire)
        except struct.error as error:
            raise ValueError(f"no product factors: {error}") from None
        return cls(np.frombuffer(wire, "<f2", offset=_HEADER.size).reshape(-1, f), regularization, alpha)

    @cached_property
    def _gram(self) -> NDArray[np.float32]:
        factors = self.factors.astype(np.float32)
        identity = np.eye(factors.shape[1], dtype=np.float32)
        return factors.T @ factors + np.float32(self.regularization) * identity

    def rank(self, bought: NDArray[np.integer], k: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """The products that a customer who bought these may want, best first, and their predicted preference.

        Args:
            bought: product indices, unique; () gives nothing.
            k: most products.

        Returns:
            Up to k product indices, none of `bought`, all with a preference above 0; ties by index.
        """
        known = self.factors[bought].astype(np.float32)
        confidence = np.float32(self.alpha)
        taste = np.linalg.solve(self._gram + (confidence - 1) * known.T @ known, confidence * known.sum(axis=0))
        scores = self.factors.astype(np.float32) @ taste
        scores[bought] = 0
        order = np.argsort(-scores, kind="stable")[:k]
        order = order[scores[order] > 0]
        return order.astype(np.int32), scores[order].astype(np.float32)
