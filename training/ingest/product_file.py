"""The catalogue: the shop's product file, completed by titles and categories of the purchases."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import polars as pl

from recommender.currency import currencies
from recommender.publication.product import ADDRESSES
from recommender.reading import ReadingOptions
from recommender.web_address import shop_address
from training.cells.findings import READ, Note, Question, ReadCells
from training.cells.ids import SCIENTIFIC, read_ids
from training.cells.numbers import read_numbers
from training.cells.source_column import SourceColumn
from training.cells.texts import text_of
from training.ingest.columns import PRODUCTS, header_notes, take_columns
from training.ingest.products.prices import plain_prices
from training.ingest.products.product_formats import OUR_OWN, product_format
from training.ingest.products.stock import in_stock, stock_notes
from training.ingest.rows import QUARANTINE_CHARACTERS
from training.ingest.schema import CATALOGUE, LOST_DIGITS
from training.tables.files import BROKEN, LINE, NO_ROWS, reading
from training.tables.scan import scan_file
from training.tables.workspace import Workspace

LAST_PURCHASES = 10
"""A product without a price of the shop's costs the median of what its last purchases cost."""
_HOST_FIRST = re.compile(r"[\w-]+(\.[\w-]+)+(:\d+)?(/|\?|#|$)")
"""An address that begins with what may be a host, and not with a scheme or a path."""

_WRONG = {"price": "is no number, or negative", "currency": "is no code of ISO 4217, such as EUR"} | dict.fromkeys(
    ADDRESSES, "is neither an http or https address of an allowed host nor a path of the shop"
)
"""Why a cell is not taken, by its column."""
_ADVICE = dict.fromkeys(ADDRESSES, "; write https:// before it, or name its host in REPRISE_LINK_HOSTS")


@dataclass(frozen=True)
class NamedProducts:
    """The products of a product file.

    Attributes:
        products: schema CATALOGUE, one row per product.
        repeated: lines whose product stood on a later line too; the last line counts.
        unusable: lines without a product_id or with a rounded one, and broken ones.
        bad: file, line, reason and cells as text: what of a line was not taken, and why.
        notes: what was taken for something, changed or not taken.
        questions: what is unclear in the file.
    """

    products: pl.DataFrame
    repeated: int
    unusable: int
    bad: pl.DataFrame
    notes: Sequence[Note] = ()
    questions: Sequence[Question] = ()


def read_products(
    file: Path, work: Workspace, hosts: Collection[str] = (), reading_options: ReadingOptions | None = None
) -> NamedProducts:
    """The products of a file of product_id and any of the catalogue's other columns; other columns are ignored.

    Feeds and exports of shop systems are known by their header. A price that is no number or is negative, a currency
    that is none, and an address that may not be shown (see `shop_address`), are not taken, and listed in `bad`. A
    product is in stock unless its cell says otherwise, by a word or by a number of pieces
    (`training.ingest.products.stock`).

    Args:
        file: of any kind that `scan_file` reads.
        work: for copies of it.
        hosts: those that addresses may name; empty for any.
        reading_options: what the user says about columns and cells.

    Raises:
        UnreadableFileError: the file is absent, empty, of the wrong kind or encoding.
        MissingColumnError: it has no product_id, or not the columns that are named.
    """
    options = reading_options or ReadingOptions()
    table = scan_file(file, options.model_copy(update={"sheet": None}), work)
    frame = table.frame
    with reading(file):
        format_ = product_format(frame.collect_schema().names())
        frame = format_.prepare(frame)
        schema = frame.collect_schema()
        seen = [name for name in schema.names() if name not in {LINE, BROKEN}]
        taken = take_columns(seen, format_.columns, options.product_columns, str(file), PRODUCTS)
        frame, ways = plain_prices(frame, taken["price"]) if "price" in taken and not options.decimal else (frame, [])
        price = read_numbers(SourceColumn(frame, taken["price"]), options) if "price" in taken else None
        cells = {ours: text_of(theirs, schema[theirs]) for ours, theirs in taken.items()}
        ids = read_ids("product_id", SourceColumn(frame, taken["product_id"]))
        read = {**(_priced(price) if price else {}), **cells, "product_id": ids.value.fill_null(cells["product_id"])}
        if price:
            read["price"] = _price(price.value)
        columns = [_product_file_column(name, read, hosts) for name in CATALOGUE.names()]
        named = [cell.alias(READ + ours) for ours, cell in cells.items()]
        lines = frame.select(LINE, BROKEN, *columns, *named).collect()
    no_row = pl.col(BROKEN).is_in(NO_ROWS).fill_null(value=False)
    listed, n_lines = lines.filter(~no_row), len(lines)
    no_product = pl.col("product_id").is_null() | pl.col("product_id").str.contains(SCIENTIFIC)
    usable = listed.filter(~no_product & pl.col(BROKEN).is_null()).select(CATALOGUE.names())
    products = usable.unique("product_id", keep="last", maintain_order=True)
    notes = [] if format_ is OUR_OWN else [Note("product_format", f"the product file is read as {format_.about}")]
    if n_lines > len(listed):
        said = f"{file.name}: lines that are the header again or totals are left out"
        notes.append(Note("no_rows", said, n_lines - len(listed)))
    notes += header_notes(taken, seen, format_.columns, options.product_columns, PRODUCTS)
    return NamedProducts(
        products,
        repeated=len(usable) - len(products),
        unusable=len(listed) - len(usable),
        bad=_not_taken(listed, [ours for ours in ("product_id", *_WRONG) if ours in taken], file),
        questions=[_of_products(question) for question in price.questions] if price else (),
        notes=[
            *(Note(code, f"{file.name}: {said}") for code, said in table.remarks.items()),
            *notes,
            *ways,
            *(price.notes if price else ()),
            *_id_notes(listed, ids, file),
            *_cell_notes(listed, taken),
        ],
    )


def _of_products(question: Question) -> Question:
    """A question with the option that names the columns of this file."""
    return replace(question, remedy=question.remedy.replace("--columns", "--product-columns"))


def _priced(price: ReadCells) -> dict[str, pl.Expr]:
    """The currency that prices name, where they do."""
    return {} if price.currency is None else {"currency": price.currency}


def _id_notes(listed: pl.DataFrame, ids: ReadCells, file: Path) -> list[Note]:
    """What ids were changed or left out."""
    counted = [(note, int(listed.select(note.where.fill_null(value=False).sum()).item())) for note in ids.counted]
    return [Note(note.code, f"{file.name}: {note.text}", rows) for note, rows in counted if rows]


def _cell_notes(listed: pl.DataFrame, taken: Mapping[str, str]) -> list[Note]:
    """What was not taken of prices and addresses, and words for stock that are not known."""
    notes = []
    for ours in (ours for ours in _WRONG if ours in taken):
        lost = listed.filter(pl.col(READ + ours).is_not_null() & pl.col(ours).is_null())[READ + ours]
        if len(lost):
            text = f"products, column {taken[ours]!r}: {lost[0][:60]!r} {_WRONG[ours]}, so it is not taken"
            notes.append(Note(f"{ours}_not_taken", text + _ADVICE.get(ours, ""), len(lost)))
    if "in_stock" in taken:
        notes += stock_notes(taken["in_stock"], listed[f"{READ}in_stock"])
    return notes


def _not_taken(listed: pl.DataFrame, cells: Collection[str], file: Path) -> pl.DataFrame:
    """`NamedProducts.bad`: a row for every line and reason."""
    not_given = {name: pl.col(READ + name).is_not_null() & pl.col(name).is_null() for name in cells}
    rules: Mapping[str, pl.Expr] = {
        "broken line": pl.col(BROKEN).is_not_null(),
        "no product_id": pl.col("product_id").is_null(),
        LOST_DIGITS: pl.col("product_id").str.contains(SCIENTIFIC),
        **{f"{name} {_WRONG[name]}": wrong for name, wrong in not_given.items() if name in _WRONG},
    }
    read = [pl.col(READ + name).str.head(QUARANTINE_CHARACTERS).alias(name) for name in cells]
    where = (pl.lit(str(file)).alias("file"), pl.col(LINE).alias("line"))
    return pl.concat(
        listed.filter(rule).select(*where, pl.lit(reason).alias("reason"), *read) for reason, rule in rules.items()
    ).sort("line", maintain_order=True)


def _product_file_column(name: str, read: Mapping[str, pl.Expr], hosts: Collection[str]) -> pl.Expr:
    """One catalogue column from a product file's cells."""
    if name not in read:
        absent = True if name == "in_stock" else None
        return pl.lit(absent, CATALOGUE[name]).alias(name)
    if name in ADDRESSES:
        address = partial(_address, hosts=hosts)
        return read[name].map_elements(address, return_dtype=pl.String).alias(name)
    if name == "currency":
        return pl.when(read[name].is_in(currencies())).then(read[name]).alias(name)
    if name in {"in_stock", "replenishable"}:
        is_yes = in_stock(read[name])
        return (is_yes.fill_null(value=True) if name == "in_stock" else is_yes).alias(name)
    return read[name].alias(name)


def _address(text: str, hosts: Collection[str]) -> str | None:
    """An address that may be shown; one without scheme gets https where a host is plainly its beginning."""
    if _HOST_FIRST.match(text) and (text.lower().startswith("www.") or hosts):
        return shop_address(f"https://{text}", hosts)
    return shop_address(text, hosts)


def _price(number: pl.Expr) -> pl.Expr:
    """`12.90`; null for null, NaN, infinite and negative numbers."""
    cents = pl.when(number.is_finite() & (number >= 0) & (number < 1e15)).then((number * 100).round()).cast(pl.Int64)
    return pl.format("{}.{}", cents // 100, (cents % 100).cast(pl.String).str.zfill(2))


def build_catalogue(
    purchases: pl.DataFrame, ledger: pl.DataFrame, named: NamedProducts | None
) -> tuple[pl.DataFrame, dict[str, int]]:
    """The catalogue: one row per product of the product file or the ledger, sorted by product_id.

    Args:
        purchases: product_id, and title and category where the purchase file has them.
        ledger: sorted by time.
        named: the product file; None without one.

    Returns:
        The catalogue (schema CATALOGUE) and the counts of `IngestReport.catalogue`. What the product file leaves empty
        is filled from the purchases: the commonest title and category, and the median of the last prices.
    """
    listed = named.products if named else pl.DataFrame(schema=CATALOGUE)
    sold = ledger.group_by("product_id").agg(
        _price(pl.col("unit_price").drop_nulls().tail(LAST_PURCHASES).median()).alias("price")
    )
    for name in ("title", "category"):
        sold = sold.join(_commonest(purchases, name), on="product_id", how="left")
    both = listed.join(sold, on="product_id", how="full", coalesce=True, suffix="_sold")
    filled = both.with_columns(
        *(pl.coalesce(name, f"{name}_sold").alias(name) for name in ("title", "category", "price")),
        pl.when(pl.col("price").is_not_null()).then("currency"),  # of the file's price, not of a purchase's
        pl.col("in_stock").fill_null(value=True),
    )
    catalogue = filled.select(CATALOGUE.names()).sort("product_id")
    return catalogue, {
        "products": len(catalogue),
        "from_file": len(listed),
        "sold_but_not_in_file": len(catalogue) - len(listed),
        "never_sold": len(catalogue) - len(sold),
        "repeated_in_file": named.repeated if named else 0,
        "unusable_in_file": named.unusable if named else 0,
        "quarantined_in_file": len(named.bad) if named else 0,
    }


def _commonest(purchases: pl.DataFrame, name: str) -> pl.DataFrame:
    """product_id and its most frequent `name`, the alphabetically first of equals."""
    if name not in purchases.columns:
        return pl.DataFrame(schema={"product_id": pl.String, name: pl.String})
    counts = purchases.filter(pl.col(name).is_not_null()).group_by("product_id", name).len()
    best = counts.sort("len", name, descending=[True, False]).unique("product_id", keep="first", maintain_order=True)
    return best.select("product_id", name)
