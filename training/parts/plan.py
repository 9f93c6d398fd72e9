"""Plan of a job: what it will need of memory, disk and time.

The figures are upper bounds of trainings on Online Retail II and on the shops of `tests/benchmarks/large_shop.py`.
"""

import os
from dataclasses import dataclass
from typing import NamedTuple

import polars as pl

from recommender.errors import SettingsError
from recommender.settings import Settings
from training.parts.memory import memory_limit

LINES_OF_A_PART = 500_000
"""Ledger lines whose customers are ranked at a time: more are no quicker, and take more than was learned from."""
LARGE_SHOP = 1_000_000
"""Purchases from which a few past windows teach as much as many, at a fraction of their time and memory."""
_MIB, _GIB = 2**20, 2**30
_BASE, _CORE = 350 * _MIB, 64 * _MIB
"""The process with its libraries, and the scores of the batch that a core works on."""
_LINE, _CUSTOMER, _PRODUCT = 225, 400, 4_000
"""Bytes a line, customer and product while a shop is learned from."""
_LEARNED_LINE, _LEARNED_OF_LARGE = 970, 300_000_000
"""Bytes a line of the examples and of what fits them, and bytes of all in a large shop, which draws them. When they are
gone, parts take their place, and less of it."""
_RECORD_BYTES, _COPIES = 22, 3
"""Of a product on both lists of a customer: kept by part, joined, and saved."""
_EXAMPLES = 200 * _MIB
_SECONDS, _LINE_SECONDS, _CUSTOMER_SECONDS = 50.0, 8e-5, 1e-3
"""Processor time: of the examples, a line and a customer."""
_MANY_WINDOWS = 2
"""Times as long a line takes in a shop that is not large."""
_DESCRIBED_SECONDS = 1e-5
"""Processor time of a line whose customers are described."""


class ShopSize(NamedTuple):
    """The size of a shop."""

    lines: int
    customers: int
    products: int


@dataclass(frozen=True)
class Plan:
    """The plan of a job.

    Attributes:
        memory, disk: bytes, at most.
        minutes: about, on as many cores as there are.
    """

    size: ShopSize
    memory: int
    disk: int
    minutes: float

    def __str__(self) -> str:
        lines, customers, products = self.size
        return (
            f"{lines:,} lines, {customers:,} customers and {products:,} products take up to {self.memory / _GIB:.1f} "
            f"GiB of memory, {self.disk / _GIB:.1f} GiB under REPRISE_HOME and about {max(1, self.minutes):.0f} min"
        )


def size_of(ledger: pl.DataFrame, catalogue: pl.DataFrame) -> ShopSize:
    """The size of a shop; products are those of the catalogue."""
    return ShopSize(len(ledger), ledger["customer_id"].n_unique(), len(catalogue))


def plan_job(size: ShopSize, settings: Settings) -> Plan:
    """The plan of a training, a ranking or one window of an evaluation.

    Args:
        size: of the shop.
        settings: `memory` and `list_length` are read.

    Raises:
        SettingsError: it will not do with the memory that it may use; the message names the least that would.
    """
    whole = _described(size) + _CORE * (os.cpu_count() or 1) + _PRODUCT * size.products
    needed = whole + (_LEARNED_OF_LARGE if size.lines > LARGE_SHOP else _LEARNED_LINE * size.lines)
    _refuse_too_little(size, needed, memory_limit(settings))
    return Plan(
        size=size,
        memory=needed,
        disk=_EXAMPLES + _COPIES * _RECORD_BYTES * settings.list_length * size.customers,
        minutes=_processor_seconds(size) / 60 / (os.cpu_count() or 1),
    )


def plan_description(size: ShopSize, settings: Settings) -> Plan:
    """The plan of a description of all customers, which takes no disk and no parts.

    Raises:
        SettingsError: see `plan_job`.
    """
    needed = _described(size)
    _refuse_too_little(size, needed, memory_limit(settings))
    return Plan(size, needed, disk=0, minutes=_DESCRIBED_SECONDS * size.lines / 60)


def _described(size: ShopSize) -> int:
    return _BASE + _LINE * size.lines + _CUSTOMER * size.customers


def _refuse_too_little(size: ShopSize, needed: int, limit: int) -> None:
    if needed > limit:
        raise SettingsError(
            f"{size.lines:,} lines of {size.customers:,} customers and {size.products:,} products need "
            f"{_in_mib(needed)} of memory, and {_in_mib(limit)} may be used; set REPRISE_MEMORY='{_in_mib(needed)}' or "
            "more where the machine has it, or take a shorter history"
        )


def _processor_seconds(size: ShopSize) -> float:
    times = 1 if size.lines > LARGE_SHOP else _MANY_WINDOWS
    return _SECONDS + times * _LINE_SECONDS * size.lines + _CUSTOMER_SECONDS * size.customers


def _in_mib(n_bytes: int) -> str:
    return f"{-(-n_bytes // _MIB)} MiB"
