"""Training examples: features of candidates before a past cut, labelled by the purchases after it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, Self

import numpy as np
import polars as pl
from numpy.random import Generator
from numpy.typing import NDArray

from recommender.days import SECONDS_PER_DAY, day_of
from training.dataset.batches import Rows, customer_batches, for_each_batch
from training.dataset.id_map import IdMap
from training.dataset.pair_history import Ints
from training.dataset.pair_keys import find_keys
from training.dataset.snapshot import Snapshot
from training.parts.customer_parts import lines_of
from training.ranking.candidate_pairs import Candidates
from training.ranking.features import Evidence, build_features, customer_table, find_candidates, find_evidence
from training.ranking.shop_evidence import ShopEvidence

_MOST_CUSTOMERS, _MOST_BUYERS = 20_000, 8_000
"""Customers of one window who are learned from, and those of them whose candidates are; more teach little new."""
_NEGATIVES = 16_000
"""Candidates not bought that are kept of one window, about; on Online Retail II that is one in twelve."""
_FEWEST_KEPT, _FEWEST_OWN_KEPT = 0.02, 0.08
"""Least share of the candidates not bought that is kept, and of those that the customer bought before: of these there
are ten times fewer, and they are harder to tell from what is bought."""
_PAIRS_PER_CUSTOMER = 250
"""About as many candidates a customer has."""

_Part = tuple[pl.DataFrame, NDArray[np.bool_], NDArray[np.float32], NDArray[np.float32]]
"""Features of one batch, what was bought, the share that is kept of others like it, and the weight."""


@dataclass(frozen=True)
class Examples:
    """The training examples of one cut: customers labelled by their return, candidates by their purchase.

    Attributes:
        customers: (m rows) Float32, as `training.ranking.features.customer_table` returns them, of customers with a
            past.
        returned: (m,) whether the customer bought anything within the horizon.
        features: (n rows) Float32, as `training.ranking.features.build_features` returns them, of customers who
            returned.
        bought: (n,) whether the product was bought within the horizon.
        share: (n,) of the candidates not bought that are of the same kind, own or new, those that are in `features`,
            above 0; the others were left out by lot.
        weight: (n,) 1 / √(own or new products that the customer bought), at most 1: lists are judged by customer, and
            who buys a hundred products must not count as a hundred do.
        n_bought: pairs of an examined customer and a product bought within the horizon, candidate or not.
    """

    customers: pl.DataFrame
    returned: NDArray[np.bool_]
    features: pl.DataFrame
    bought: NDArray[np.bool_]
    share: NDArray[np.float32]
    weight: NDArray[np.float32]
    n_bought: int

    def to_frames(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        """The customers and the features with all that is known of each row, and of the whole."""
        customers = self.customers.with_columns(_returned=self.returned, _n_bought=self.n_bought)
        return customers, self.features.with_columns(_bought=self.bought, _share=self.share, _weight=self.weight)

    @classmethod
    def from_frames(cls, customers: pl.DataFrame, features: pl.DataFrame) -> Self:
        """The inverse of `to_frames`."""
        return cls(
            customers=customers.drop("_returned", "_n_bought"),
            returned=customers["_returned"].to_numpy(),
            features=features.drop("_bought", "_share", "_weight"),
            bought=features["_bought"].to_numpy(),
            share=features["_share"].to_numpy(),
            weight=features["_weight"].to_numpy(),
            n_bought=next(iter(customers["_n_bought"]), 0),
        )

    @property
    def ceiling(self) -> float:
        """Share of what was bought that was among the candidates: no ranking of them can recall more. 1 if nothing."""
        return int(self.bought.sum()) / self.n_bought if self.n_bought else 1.0


def collect_examples(
    ledger: pl.DataFrame, shop: ShopEvidence, advance: Callable[[int], None] = lambda _: None
) -> Examples:
    """The training examples of one cut, `shop.as_of`.

    Features are of the purchases before the cut, labels of those in [cut, cut + horizon_days). Of many customers,
    20,000 are sampled to learn who returns, and 8,000 of those who returned to learn what they buy.

    Args:
        ledger: as `training.ingest.ingest` returns it; what is from cut + horizon_days on changes nothing.
        shop: learned from this ledger before the cut; of its settings, `horizon_days` and `seed` are read.
        advance: is called with the number of customers done.
    """
    settings = shop.settings
    seed = (settings.seed, day_of(int(shop.as_of.timestamp())))
    drawn = _draw_customers(ledger, shop.as_of, settings.horizon_days, np.random.default_rng(seed))
    part = lines_of(ledger, [*drawn.everyone, *drawn.buyers])
    evidence = find_evidence(part, shop)
    labels = find_labels(part, evidence.snapshot, settings.horizon_days)
    everyone, buyers = (evidence.snapshot.customers.rows(each) for each in drawn)
    share = min(1.0, max(_FEWEST_KEPT, _NEGATIVES / max(1, len(buyers) * _PAIRS_PER_CUSTOMER)))

    def examples_of_batch(number: int, batch: Rows) -> _Part:
        # a generator for each batch: their order of work changes nothing
        return _sample(
            evidence, find_candidates(evidence, batch), labels, share, np.random.default_rng([*seed, number])
        )

    batches = customer_batches(buyers, len(shop.products))
    features, bought, shares, weights = zip(
        *[_no_examples(evidence), *for_each_batch(examples_of_batch, batches, advance)], strict=True
    )
    return Examples(
        customers=customer_table(evidence, everyone).to_frame(),
        returned=np.isin(everyone, labels.customer_index),
        features=pl.concat(features),
        bought=np.concatenate(bought),
        share=np.concatenate(shares),
        weight=np.concatenate(weights),
        n_bought=int(np.isin(labels.customer_index, buyers).sum()),
    )


class _Drawn(NamedTuple):
    """Ids of the customers who are learned from: of `everyone` who returns, of `buyers` what they buy."""

    everyone: list[str]
    buyers: list[str]


def _draw_customers(ledger: pl.DataFrame, cut: datetime, horizon_days: int, lot: Generator) -> _Drawn:
    known, later = (
        ledger.lazy().filter(some).select(pl.col("customer_id").unique()).collect()["customer_id"]
        for some in (
            pl.col("ordered_at") < cut,
            pl.col("ordered_at").is_between(cut, cut + timedelta(days=horizon_days), closed="left"),
        )
    )
    customers = IdMap(known.sort())
    everyone = _draw(np.arange(len(customers)), _MOST_CUSTOMERS, lot)
    buyers = _draw(customers.rows(later), _MOST_BUYERS, lot)
    return _Drawn(*([customers[row] for row in rows.tolist()] for rows in (everyone, buyers)))


@dataclass(frozen=True)
class Labels:
    """Labels: the pairs bought within the horizon by customers with a past, each pair once, by key.

    Attributes:
        customer_index: (n,) int64.
        keys: (n,) int64, rising: customer_index · n_products + product_index; -1, which no candidate has, for products
            unknown at the time.
        wait_days: (n,) float32 days from the cut to the first purchase.
    """

    customer_index: Ints
    keys: Ints
    wait_days: NDArray[np.float32]

    def look_up(self, keys: Ints) -> NDArray[np.float32]:
        """Days until each pair was bought, (n,) float32; infinite where it was not."""
        position = find_keys(self.keys, keys)
        wait_days = np.full(len(keys), np.inf, dtype=np.float32)
        wait_days[position >= 0] = self.wait_days[position[position >= 0]]
        return wait_days


def find_labels(ledger: pl.DataFrame, snapshot: Snapshot, horizon_days: int) -> Labels:
    """The labels of a ledger; the horizon starts with `snapshot.as_of`."""
    end = snapshot.as_of + timedelta(days=horizon_days)
    bought = (
        ledger.lazy()
        .filter(pl.col("ordered_at").is_between(snapshot.as_of, end, closed="left"))
        .group_by("customer_id", "product_id")
        .agg((pl.col("ordered_at").min() - snapshot.as_of).dt.total_seconds(fractional=True).alias("seconds"))
        .sort("customer_id", "product_id")
        .collect()
    )
    customer = snapshot.customers.indices(bought["customer_id"].to_list(), unknown="mark").astype(np.int64)
    product = snapshot.products.indices(bought["product_id"].to_list(), unknown="mark").astype(np.int64)
    keys = np.where(product >= 0, customer * len(snapshot.products) + product, -1)
    kept = np.flatnonzero(customer >= 0)
    kept = kept[np.argsort(keys[kept], kind="stable")]
    wait_days = (bought["seconds"].to_numpy() / SECONDS_PER_DAY).astype(np.float32)
    return Labels(customer[kept], keys[kept], wait_days[kept])


def _draw(customers: Ints, most: int, lot: Generator) -> Ints:
    """At most `most` of `customers`, in their order."""
    return customers if len(customers) <= most else np.sort(lot.choice(customers, most, replace=False))


def _sample(evidence: Evidence, candidates: Candidates, labels: Labels, share: float, lot: Generator) -> _Part:
    """All candidates that were bought, and a share of the others."""
    keys = candidates.customer_index * len(evidence.snapshot.products) + candidates.product_index
    bought, own = np.isfinite(labels.look_up(keys)), find_keys(evidence.pair_keys, keys) >= 0
    shares = np.where(own, max(share, _FEWEST_OWN_KEPT), share).astype(np.float32)
    kept = bought | (lot.random(len(keys)) < shares)
    weights = _weigh(candidates.customer_index, own, bought)
    return build_features(evidence, candidates.keep(kept)).to_frame(), bought[kept], shares[kept], weights[kept]


def _weigh(customer: Ints, own: NDArray[np.bool_], bought: NDArray[np.bool_]) -> NDArray[np.float32]:
    """(n,) of each candidate, 1 / √(candidates of its customer and kind that were bought), at most 1."""
    group = 2 * customer + own
    n_bought = np.bincount(group[bought], minlength=int(group.max(initial=-1)) + 1)
    return (1 / np.sqrt(np.maximum(n_bought[group], 1))).astype(np.float32)


def _no_examples(evidence: Evidence) -> _Part:
    """A batch without customers: gives the columns where there are no others."""
    nobody = find_candidates(evidence, np.zeros(0, dtype=np.int64))
    return build_features(evidence, nobody).to_frame(), np.zeros(0, np.bool_), *np.zeros((2, 0), np.float32)
