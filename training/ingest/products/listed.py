"""Products that are several: ids such as `TEA, MUG` or `2x TEA | MUG`, where an export writes a row per order."""

import polars as pl

from training.cells.findings import Note

_BETWEEN = r"\s*[,;|\n]\s*"
_COUNT = r"^\d+\s*[x\x{D7}*]\s*|\s*[x\x{D7}*]\s*\d+$|\s*\(\d+\)$"
_SHOWN = 3


def several_in_one(products: pl.DataFrame) -> list[Note]:
    """A note on ids all of whose parts are products, on their own or both at the start and further on in others.

    Args:
        products: product_id, len (its rows); the order decides which are shown.
    """
    likely = products.filter(pl.col("product_id").str.contains(_BETWEEN))
    if likely.is_empty():
        return []
    parts = likely.with_columns(_parts().alias("parts")).filter(pl.col("parts").list.len() > 1)
    single = products.join(likely, on="product_id", how="anti").select(_bare(pl.col("product_id")))["product_id"]
    first = parts["parts"].list.first()
    later = parts["parts"].list.slice(1).explode()
    known = pl.concat([single, first.filter(first.is_in(later.implode()))]).unique()
    all_known = pl.col("parts").list.eval(pl.element().is_in(known.implode())).list.all()
    found = parts.filter(all_known)
    if found.is_empty():
        return []
    shown = ", ".join(repr(each[:60]) for each in found["product_id"].head(_SHOWN))
    text = f"product_id: cells such as {shown} may hold several products, and count as one; export a row for each"
    return [Note("several_products", text, int(found["len"].sum()))]


def _parts() -> pl.Expr:
    """The parts of an id without their counts."""
    texts = pl.col("product_id").str.replace_all(_BETWEEN, "\n").str.split("\n")
    return texts.list.eval(_bare(pl.element())).list.eval(pl.element().filter(pl.element() != ""))


def _bare(name: pl.Expr) -> pl.Expr:
    """Without brackets, quote marks and a count, such as `2x` or `(2)`."""
    return name.str.replace_all(_COUNT, "").str.strip_chars(" []{}'\"")
