"""Simulated purchases of the made-up shop's households.

Each need that a household buys here runs out after log-normal gaps; whatever ran out is bought on its next shopping
day, mostly as the household's favourite product. Days count from the first day of the shop.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from training.demo.assortment import STYLES, Need, ShopProduct

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

TASTES = {
    "everyone": 1.0,
    "baby": 0.12,
    "baker": 0.25,
    "cat": 0.2,
    "coffee": 0.5,
    "dog": 0.2,
    "family": 0.35,
    "health": 0.3,
    "home": 0.6,
    "host": 0.3,
    "meat": 0.55,
    "sweet": 0.4,
    "veggie": 0.3,
    "world": 0.35,
}
"""Taste → share of the households that have it."""
STRAY = 0.03
"""Appetite of a household for what is not to its taste, as a share of that of those who like it; never for meat."""
LOYALTY = 0.8
"""Share of purchases that are the household's favourite product of a need; the others are a substitute."""
STYLE_PULL = 6.0
"""How much likelier a household's favourite is to have the household's style."""
GAP_SD = 0.22
"""Standard deviation of the natural logarithm of one household's gaps of one need."""
KNOWN_SHARE = 0.5
"""Share of the households that bought here before the first day."""
ONE_ORDER_ONLY = 0.1
MEAN_STAY_DAYS = 700.0


@dataclass(frozen=True)
class Shop:
    """The made-up shop's assortment and time: `days` days from `start` on. Product i meets need i mod n_needs."""

    needs: Sequence[Need]
    cache: Sequence[ShopProduct]
    start: date
    days: int

    @property
    def n_rare(self) -> int:
        """Number of products that are never sold, and of those sold once or twice."""
        return max(1, len(self.cache) // 50)

    def products_of(self, need: int) -> Ints:
        """Indices of the products that meet one need, the standard product first."""
        return np.arange(need, len(self.cache), len(self.needs))


@dataclass(frozen=True)
class Households:
    """The customers: arrays of n_households.

    `tastes` is (n_households, len(TASTES)); a household shops every `visit_days` days, from `first_visit` on.
    """

    joined: Floats
    left: Floats
    tempo: Floats
    wallet: Floats
    tastes: Flags
    style: Ints
    visit_days: Ints
    first_visit: Ints


class Wants(NamedTuple):
    """Wants of households: household, need and day. Three arrays of one length."""

    household: Ints
    need: Ints
    day: Floats


class Lines(NamedTuple):
    """Purchase lines, one per order and product, by time; `minute` counts from the start of the first day."""

    minute: Ints
    household: Ints
    product: Ints
    quantity: Ints


def draw_households(n: int, days: int, rng: Generator) -> Households:
    """The households: half from before the first day, the others joining until the last; most leave at some time."""
    joined = np.where(rng.random(n) < KNOWN_SHARE, 0.0, np.floor(rng.random(n) * days))
    stay = np.where(rng.random(n) < ONE_ORDER_ONLY, 0.5, 10 + rng.exponential(MEAN_STAY_DAYS, n))
    visit_days = rng.choice([2, 3, 4, 5, 7], n, p=[0.15, 0.25, 0.2, 0.15, 0.25])
    return Households(
        joined=joined,
        left=np.minimum(joined + stay, days),
        tempo=rng.lognormal(0.0, 0.2, n),
        wallet=rng.uniform(0.4, 1.0, n),
        tastes=rng.random((n, len(TASTES))) < np.array(list(TASTES.values())),
        style=rng.choice(len(STYLES), n, p=[0.35, 0.25, 0.25, 0.15]),
        visit_days=visit_days,
        # the first shopping day is the day of joining
        first_visit=(joined % visit_days).astype(np.int64),
    )


def simulate(shop: Shop, homes: Households, rng: Generator) -> Lines:
    """Purchase lines of households that buy what they ran out of, and its companions, on their next shopping day."""
    weights = _popularity(shop, rng)
    favourites = _favourites(shop, weights, homes, rng)
    appetite = _appetite(shop, homes)
    wants = [_first_orders(shop, appetite, homes, rng)]
    stretch = np.array([product.stretch for product in shop.cache])[favourites]
    for position, need in enumerate(shop.needs):
        buyer = np.flatnonzero(rng.random(len(appetite)) < appetite[:, position])
        buyer, day = _run_out(buyer, need.gap_days * stretch[buyer, position], homes, rng)
        keep = rng.random(len(day)) < _season(need, shop, day)
        wants.append(Wants(buyer[keep], np.full(keep.sum(), position), day[keep]))
    shopping = _with_companions(Wants(*map(np.concatenate, zip(*wants, strict=True))), shop, rng)
    product = _sell_rarely(_choose(shopping, shop, weights, favourites, rng), shop, weights, rng)
    return _checkout(shopping, product, shop, homes, rng)


def _popularity(shop: Shop, rng: Generator) -> Floats:
    """(n_products,): 1 for the standard product of a need, less for its substitutes, 0 for those that hardly sell."""
    number = np.arange(len(shop.cache))
    weights = 1.0 / (1.0 + 0.6 * (number // len(shop.needs)).astype(np.float64))
    weights[rng.choice(number[len(shop.needs) :], 2 * shop.n_rare, replace=False)] = 0.0
    return weights


def _favourites(shop: Shop, weights: Floats, homes: Households, rng: Generator) -> Ints:
    """(n_households, n_needs): the product that a household mostly buys for a need."""
    style = np.array([product.style for product in shop.cache])
    pull = np.where(homes.style[:, None] == style, STYLE_PULL, 1.0) * weights
    # the largest of log weight plus Gumbel noise is a draw in proportion to the weights
    with np.errstate(divide="ignore"):
        score = np.log(pull) + rng.gumbel(size=pull.shape)
    choices = map(shop.products_of, range(len(shop.needs)))
    return np.stack([products[score[:, products].argmax(axis=1)] for products in choices], axis=1)


def _appetite(shop: Shop, homes: Households) -> Floats:
    """(n_households, n_needs): the chance that a household buys a need in this shop."""
    column = np.array([list(TASTES).index(need.taste) for need in shop.needs])
    stray = np.array([0.0 if need.taste == "meat" else STRAY for need in shop.needs])
    reach = np.array([need.reach for need in shop.needs])
    chance: Floats = reach * np.where(homes.tastes[:, column], 1.0, stray) * homes.wallet[:, None]
    return chance


def _first_orders(shop: Shop, appetite: Floats, homes: Households, rng: Generator) -> Wants:
    """What each household buys on the day it joins: one to five needs that are sold all year and soon used up."""
    usual = np.array([need.peak is None and need.new_days is None and need.gap_days < 60 for need in shop.needs])
    score = np.log(np.where(usual, appetite + 1e-6, 1e-12)) + rng.gumbel(size=appetite.shape)
    size = np.minimum(1 + rng.poisson(1.0, len(score)), 5)
    best = np.argsort(-score, axis=1, kind="stable")[:, :5]
    household, place = np.nonzero(np.arange(5) < size[:, None])
    return Wants(household, best[household, place], homes.joined[household])


def _run_out(buyer: Ints, gap_days: Floats, homes: Households, rng: Generator) -> tuple[Ints, Floats]:
    """Households and days on which one need runs out, from the day a household takes it up until it leaves."""
    gap = gap_days / homes.tempo[buyer] * rng.lognormal(0.0, 0.15, len(buyer))
    joined, left = homes.joined[buyer], homes.left[buyer]
    # four in ten are taken up on joining, the others at any time after: there is always something to discover
    taken_up = joined + (left - joined) * np.maximum(rng.uniform(-0.7, 1.0, len(buyer)), 0.0)
    n_gaps = 3 + int(1.5 * (left - joined).max(initial=0.0) / gap.min(initial=np.inf))
    gaps = gap[:, None] * rng.lognormal(0.0, GAP_SD, (len(buyer), n_gaps))
    gaps[:, 0] *= rng.random(len(buyer))  # a pack is already open
    day = taken_up[:, None] + gaps.cumsum(axis=1)
    row, column = np.nonzero(day < left[:, None])
    return buyer[row], day[row, column]


def _season(need: Need, shop: Shop, day: Floats) -> Floats:
    """The share of wants that is left on each day: 1 all year, less before a launch or away from a season's peak."""
    if need.peak is not None:
        peak, width = need.peak
        apart = (shop.start.timetuple().tm_yday + day - peak + 182.6) % 365.25 - 182.6
        share: Floats = np.exp(-0.5 * (apart / width) ** 2)
        return share
    if need.new_days is not None:
        return np.clip((day - shop.days + need.new_days) / need.new_days, 0.0, 1.0)
    return np.ones(len(day))


def _with_companions(wants: Wants, shop: Shop, rng: Generator) -> Wants:
    """Pasta brings sauce: the companion is wanted at the same moment, as often as the need says."""
    position = {need.key: index for index, need in enumerate(shop.needs)}
    pairs = [need.companion or ("", 0.0) for need in shop.needs]
    companion = np.array([position.get(key, -1) for key, _ in pairs])[wants.need]
    share = np.array([share for _, share in pairs])[wants.need]
    also = (companion >= 0) & (rng.random(len(share)) < share)
    return Wants(
        np.concatenate([wants.household, wants.household[also]]),
        np.concatenate([wants.need, companion[also]]),
        np.concatenate([wants.day, wants.day[also]]),
    )


def _choose(wants: Wants, shop: Shop, weights: Floats, favourites: Ints, rng: Generator) -> Ints:
    """The product bought for each want: the household's favourite, or now and then a substitute."""
    product = favourites[wants.household, wants.need]
    disloyal = rng.random(len(product)) > LOYALTY
    for position in range(len(shop.needs)):
        products = shop.products_of(position)
        chance = weights[products] / weights[products].sum()
        here = np.flatnonzero(disloyal & (wants.need == position))
        product[here] = rng.choice(products, len(here), p=chance)
    return product


def _sell_rarely(product: Ints, shop: Shop, weights: Floats, rng: Generator) -> Ints:
    """Half of the products that nobody chose are bought once or twice after all, by chance."""
    rare = rng.permutation(np.flatnonzero(weights == 0.0))[: shop.n_rare]
    sold = np.repeat(rare, rng.integers(1, 3, len(rare)))[: len(product)]
    product[rng.choice(len(product), len(sold), replace=False)] = sold
    return product


def _checkout(wants: Wants, product: Ints, shop: Shop, homes: Households, rng: Generator) -> Lines:
    """Everything wanted since the last shopping day goes into one order, equal products into one line."""
    every, first = homes.visit_days[wants.household], homes.first_visit[wants.household]
    day = first + every * np.ceil((wants.day - first) / every).astype(np.int64)
    day = np.where(day < shop.days, day, day - every)
    minute = day * 1440 + _minute_of_day(len(homes.joined), shop.days, rng)[wants.household, day]
    (minute, household, product), quantity = np.unique(
        np.stack([minute, wants.household, product]), axis=1, return_counts=True
    )
    return Lines(minute, household, product, quantity)


def _minute_of_day(n: int, days: int, rng: Generator) -> Ints:
    """(n, days): when a household shops, most after work, between 7:00 and 21:59."""
    usual = rng.choice([10 * 60, 12 * 60 + 30, 17 * 60 + 30, 19 * 60], (n, 1), p=[0.2, 0.15, 0.4, 0.25])
    return np.clip(rng.normal(usual, 70.0, (n, days)), 7 * 60, 22 * 60 - 1).astype(np.int64)
