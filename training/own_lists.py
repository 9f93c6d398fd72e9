"""Own lists: what another model ranked, served in place of the lists of a trained version."""

import hashlib
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from recommender.errors import UsageError
from recommender.publication.lists import OWN, Basis, ListName, ListTable
from recommender.publication.manifest import Manifest, Publication, name_version, version_as_of
from training.analytics.read_columns import read_columns
from training.dataset.ranked_lists import owners_of, starts_of
from training.selection.gate import check_lists
from training.tables.workspace import Workspace

_OWNERS = ("customer_id", "for_product_id")
_OF_PRODUCT: tuple[ListName, ...] = ("similar", "together")
_KEPT_FIGURES = ("customer_value", "reading", "prices")
"""Of the trained version's figures, those that do not speak of its lists."""


class OwnLists(NamedTuple):
    """Own lists as they were read, checked, in no order.

    Attributes:
        rows: owner, product_id String, rank Int64, score Float64 (null where there is none), and kind: `customer`,
            `similar` or `together`.
        source: the name of the file.
    """

    rows: pl.DataFrame
    source: str


def read_own_lists(file: Path, work: Workspace) -> OwnLists:
    """The own lists of a file, one row for a product on a list.

    Args:
        file: CSV, Parquet or JSON-lines of customer_id, or for_product_id and kind (`similar`, `together`); product_id;
            rank; and, where known, score: of a customer's list, the probability of a purchase within the horizon.
        work: for copies of the file.

    Raises:
        UnreadableFileError, MissingColumnError: see `read_columns`.
        UsageError: a row has no rank, no owner or two, or no kind that is known; a list holds a product twice; a
            probability lies outside 0 to 1, or rises along a list.
    """
    names = [*_OWNERS, "product_id", "rank", "score", "kind"]
    rows, unusable = read_columns(file, names, work, optional=[*_OWNERS, "score", "kind"])
    if unusable:
        raise UsageError(f"{unusable} rows of {file} have no product_id or no rank; every row of a list needs both")
    rows = rows.with_columns(
        pl.col("rank").cast(pl.Float64, strict=False).cast(pl.Int64, strict=False).alias("place"),
        pl.col("score").cast(pl.Float64, strict=False).alias("value"),
    )
    _refuse(rows, pl.col("place").is_null(), file, "rank {rank!r} is no number")
    _refuse(rows, pl.col("score").is_not_null() & pl.col("value").is_null(), file, "score {score!r} is no number")
    one_owner = pl.col("customer_id").is_null() != pl.col("for_product_id").is_null()
    _refuse(rows, ~one_owner, file, "a row needs a customer_id or a for_product_id, and not both")
    known = pl.col("customer_id").is_not_null() | pl.col("kind").is_in(_OF_PRODUCT).fill_null(value=False)
    _refuse(rows, ~known, file, "kind {kind!r} of product {for_product_id!r} is neither 'similar' nor 'together'")
    of_customer = pl.col("customer_id").is_not_null()
    lists = rows.select(
        owner=pl.coalesce(_OWNERS),
        product_id="product_id",
        rank="place",
        score="value",
        kind=pl.when(of_customer).then(pl.lit("customer")).otherwise("kind"),
    )
    _check_lists(lists, file)
    return OwnLists(lists, str(file))


def read_rankings(file: Path, work: Workspace) -> pl.DataFrame:
    """The customers' lists of a file: customer_id, product_id, rank; see `read_own_lists`.

    Raises:
        UsageError: there is none, too.
    """
    rows = read_own_lists(file, work).rows.filter(kind="customer")
    if rows.is_empty():
        raise UsageError(f"{file} holds no list of a customer; give customer_id, product_id and rank")
    return rows.select("product_id", "rank", customer_id="owner")


def _refuse(rows: pl.DataFrame, wrong: pl.Expr, file: Path, told: str) -> None:
    if first := rows.filter(wrong).head(1).to_dicts():
        raise UsageError(f"{file}: {told.format(**first[0])}; mend the file and publish again")


def _check_lists(lists: pl.DataFrame, file: Path) -> None:
    twice = pl.struct("kind", "owner", "product_id").is_duplicated()
    _refuse(lists, twice, file, "product {product_id!r} is twice on a list of {owner!r}")
    personal = lists.filter(kind="customer").sort("owner", "rank", "product_id")
    _refuse(
        personal,
        ~pl.col("score").is_between(0, 1),
        file,
        "score {score} of customer {owner!r} is no probability from 0 to 1: scale the scores, or leave them out (then "
        "what was bought before stands first)",
    )
    _refuse(
        personal,
        pl.col("score") > pl.col("score").shift(1).over("owner"),
        file,
        "the score of product {product_id!r} is higher than the one before it on the list of customer {owner!r}: "
        "ranks and scores must agree",
    )


def with_own_lists(base: Publication, lists: OwnLists, now: datetime) -> Publication:
    """A version with own lists in place of those of `base`; who has none in the file keeps those of `base`.

    What a customer bought before goes to `buy_again`, with its rhythm, so that it is held back until it is due; the
    rest to `discover`. Lists end at the `list_length` that `base` was trained with.

    Args:
        base: a trained version: its products, rhythms, profiles and product factors stay.
        lists: as `read_own_lists` returns them.
        now: aware; the new version's `created_at`.

    Returns:
        The version. The gate's verdict is `skipped`, as nobody can judge lists by what they may have learned from, or
        `refused` where lists are broken. `metrics["own_lists"]`: rows by what became of them.

    Raises:
        UsageError: no row is of a customer or product that `base` knows.
    """
    longest = int(base.manifest.settings.get("list_length") or len(base.products))
    products = pl.DataFrame({"product_id": [one.product_id for one in base.products]}).with_row_index("product")
    known = lists.rows.join(products, on="product_id")
    parts: dict[ListName, pl.DataFrame] = {name: known.filter(kind=name) for name in _OF_PRODUCT}
    personal = known.filter(kind="customer").join(
        _bought(base.tables["buy_again"]), on=["owner", "product"], how="left"
    )
    parts["buy_again"] = personal.filter(pl.col("position").is_not_null())
    parts["discover"] = personal.filter(pl.col("position").is_null())
    tables, taken = dict(base.tables), {}
    for name, part in parts.items():
        owners = part if name in _OF_PRODUCT else personal
        tables[name], taken[name] = _replace(base.tables[name], part, owners["owner"], longest)
    if not any(taken.values()):
        raise UsageError(
            f"no row of {lists.source} is of a customer and a product that {base.manifest.version} knows; the ids must "
            f"be those of the purchases that it was trained on"
        )
    unknown = len(lists.rows) - len(known)
    left_out = {"unknown_product": unknown, "unknown_owner_or_too_long": len(known) - sum(taken.values())}
    return _named(base, tables, {"of": base.manifest.version, "rows": taken, "left_out": left_out}, lists, now)


def describe_own_lists(manifest: Manifest) -> str:
    """What became of the rows of own lists, in a sentence."""
    told = manifest.metrics["own_lists"]
    taken = ", ".join(f"{rows:,} {name}" for name, rows in told["rows"].items() if rows)
    unknown, other = told["left_out"]["unknown_product"], told["left_out"]["unknown_owner_or_too_long"]
    return (
        f"Lists of {told['of']} replaced by {taken}; left out: {unknown:,} rows of unknown products, {other:,} of "
        f"unknown customers or beyond the length of a list"
    )


def _bought(table: ListTable) -> pl.DataFrame:
    """What each customer bought before: owner, product, and the position of its record."""
    owners = pl.Series(table.owner_ids, dtype=pl.String).gather(owners_of(table.starts))
    columns = {"owner": owners, "product": table.records["product_index"].astype(np.uint32)}
    return pl.DataFrame(columns).with_row_index("position")


def _replace(table: ListTable, rows: pl.DataFrame, owners: pl.Series, longest: int) -> tuple[ListTable, int]:
    """The table with `rows` in place of all lists of `owners`, and how many of them were taken."""
    numbers = pl.DataFrame({"owner": table.owner_ids}, schema={"owner": pl.String}).with_row_index("number")
    replaced = numbers.join(owners.to_frame("owner"), on="owner", how="semi")["number"].to_numpy()
    place = pl.int_range(pl.len()).over("number")
    rows = rows.join(numbers, on="owner").sort("number", "rank", "product_id").filter(place < longest)
    own = table.records.dtype == OWN
    records = table.records[rows["position"].to_numpy()] if own else np.zeros(len(rows), table.records.dtype)
    records["product_index"] = rows["product"].to_numpy()
    records["score"] = rows["score"].fill_null(float("nan")).to_numpy()
    kept = ~np.isin(owners_of(table.starts), replaced)
    owner = np.concatenate([owners_of(table.starts)[kept], rows["number"].to_numpy()])
    order = np.argsort(owner, kind="stable")
    basis = table.basis.copy()
    basis[replaced] = Basis.MODEL
    starts = starts_of(np.bincount(owner, minlength=len(table)))
    return ListTable(table.owner_ids, starts, np.concatenate([table.records[kept], records])[order], basis), len(rows)


def _named(
    base: Publication, tables: dict[ListName, ListTable], told: dict[str, Any], lists: OwnLists, now: datetime
) -> Publication:
    """The version under a name of its own, with the gate's verdict."""
    digest = hashlib.sha256(base.manifest.version.encode())
    for table in tables.values():
        digest.update(table.records.tobytes())
    figures = {name: base.manifest.metrics[name] for name in _KEPT_FIGURES if name in base.manifest.metrics}
    manifest = replace(
        base.manifest,
        version=name_version(version_as_of(base.manifest.version), digest.hexdigest()[:4]),
        created_at=now.isoformat(),
        metrics={**figures, "own_lists": told},
        sources=[*base.manifest.sources, lists.source],
    )
    publication = replace(base, manifest=manifest, tables=tables)
    faults = check_lists(publication)
    reasons = faults or ("own lists are not judged; `reprise evaluate --also` compares such lists on a past window",)
    gate = {"verdict": "refused" if faults else "skipped", "reasons": list(reasons)}
    return replace(publication, manifest=replace(manifest, gate=gate))
