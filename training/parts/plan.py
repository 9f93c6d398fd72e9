"""Plan of a job: what it will need of memory, disk and time, and how large its parts are.

The figures are upper bounds of trainings on shops that `tests/benchmarks/large_shop.py` made up.
"""

import os
from dataclasses import dataclass
from typing import NamedTuple

import polars as pl

from recommender.errors import SettingsError
from recommender.settings import Settings
from training.parts.memory import memory_limit

MOST_LINES = 500_000
"""Ledger lines of a part: larger ones are no quicker."""
_MIB, _GIB = 2**20, 2**30
_BASE, _CORE = 350 * _MIB, 64 * _MIB
"""The process with its libraries, and the scores of the batch that a core works on."""
_LINE, _CUSTOMER, _PRODUCT, _PART_LINE = 225, 400, 4_000, 450
"""Bytes a line, customer and product while a shop is learned from, and a line of the part that is ranked."""
_LEARNED_LINE, _MOST_LEARNED = 300, 1_000_000
"""Bytes a line of the examples and of what fits them; of more lines they are drawn. Parts follow when they are gone."""
_RECORD_BYTES, _COPIES = 22, 3
"""Of a product on both lists of a customer: kept by part, joined, and saved."""
_EXAMPLES = 200 * _MIB
_SECONDS, _LINE_SECONDS, _CUSTOMER_SECONDS = 40.0, 8e-5, 1e-3
"""Processor time: of the examples, a line and a customer."""
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
        lines_of_a_part: ledger lines whose customers are ranked at a time.
    """

    size: ShopSize
    memory: int
    disk: int
    minutes: float
    lines_of_a_part: int

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
    limit = memory_limit(settings)
    whole = _described(size) + _CORE * (os.cpu_count() or 1) + _PRODUCT * size.products
    lines = min(MOST_LINES, size.lines, max(1, (limit - whole) // _PART_LINE))
    needed = whole + max(_LEARNED_LINE * min(size.lines, _MOST_LEARNED), _PART_LINE * lines)
    _refuse_too_little(size, needed, limit)
    return Plan(
        size=size,
        memory=needed,
        disk=_EXAMPLES + _COPIES * _RECORD_BYTES * settings.list_length * size.customers,
        minutes=_processor_seconds(size) / 60 / (os.cpu_count() or 1),
        lines_of_a_part=max(1, lines),
    )


def plan_description(size: ShopSize, settings: Settings) -> Plan:
    """The plan of a description of all customers, which takes no disk and no parts.

    Raises:
        SettingsError: see `plan_job`.
    """
    needed = _described(size)
    _refuse_too_little(size, needed, memory_limit(settings))
    return Plan(size, needed, disk=0, minutes=_DESCRIBED_SECONDS * size.lines / 60, lines_of_a_part=max(1, size.lines))


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
    return _SECONDS + _LINE_SECONDS * size.lines + _CUSTOMER_SECONDS * size.customers


def _in_mib(n_bytes: int) -> str:
    return f"{-(-n_bytes // _MIB)} MiB"
