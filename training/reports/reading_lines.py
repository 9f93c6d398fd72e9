"""What reading left out, changed or took for something, a line for each."""

from collections.abc import Iterator

from training.ingest.ingest_report import IngestReport


def reading_lines(report: IngestReport) -> list[str]:
    """The lines, what was left out first; [] where every row went on as it is."""
    return [*_left_out(report), *_refunds(report), *_taken(report), *_products(report)]


def _left_out(report: IngestReport) -> Iterator[str]:
    for reason, rows in report.quarantined.items():
        yield f"{rows:,} bad rows left out: {reason} ({report.quarantine})"
    for reason, rows in report.left_out.items():
        yield f"{rows:,} rows left out: {reason}"
    for one in report.suspicious:
        share, a_day = one["share"], one["orders_per_day"]
        yield (
            f"customer {one['customer_id']!r} left out as a till or bot: {one['purchases']:,} purchases, {share:.1%} "
            f"of all, {a_day:.1f} orders a day"
        )
    if report.prices_ignored:
        yield f"{report.prices_ignored:,} rows kept without a price: theirs is not a number"


def _refunds(report: IngestReport) -> Iterator[str]:
    refunds = report.refunds
    if refunds["lines"]:
        yield (
            f"{refunds['lines']:,.0f} refunds netted ({refunds['by_price']:,.0f} told by a negative price): "
            f"{refunds['purchases_gone']:,.0f} purchases gone, {refunds['unmatched_lines']:,.0f} refunds found none"
        )
    if refunds["own_lines"]:
        yield f"{refunds['own_lines']:,.0f} rows went back themselves, wholly or in part"
    if refunds["money_only"]:
        yield f"{refunds['money_only']:,.0f} rows with a negative price left out: too little for goods, as of discounts"


def _taken(report: IngestReport) -> Iterator[str]:
    for note in report.notes:
        yield note["text"] + ("" if note["rows"] is None else f" ({note['rows']:,} rows)")
    if report.duplicates:
        yield f"{report.duplicates:,} purchases repeat another line exactly and are kept"


def _products(report: IngestReport) -> Iterator[str]:
    for name, what in (
        ("repeated_in_file", "lines of a product that stands on a later line, too"),
        ("unusable_in_file", "lines left out: broken, or without a product_id"),
        ("quarantined_in_file", "lines and cells not taken"),
    ):
        if count := report.catalogue[name]:
            yield f"product file: {count:,} {what}"
