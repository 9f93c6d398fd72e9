"""Input drift: odd changes of the latest purchases against those that the live version was trained on.

A feed that broke, a shop that went missing, a new currency: a model learns from those as readily as from the truth, and
the gate, which judges it on the same purchases, does not see it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl

from recommender.publication.manifest import Publication
from training.ingest.ingest_report import IngestReport

DAYS = 14
"""The latest days that are looked at, the last of them whole."""
FEWEST_PURCHASES = 50
"""With fewer in DAYS before, chance decides."""
LEAST_LEFT = 0.5
"""Share of the purchases and customers a day that may be left without a word."""
MOST_UNKNOWN = 0.1
"""Share of the purchases whose product is not in the product file that is always taken for usual."""
LARGEST_JUMP = 0.1
"""Growth of a share of what could not be read, beside the live version's input, that is taken for usual."""
WEEKS = 4
"""A day is missed where the same weekday had purchases in each of so many weeks before."""
_IN_MANIFEST = "input"


@dataclass(frozen=True)
class InputProfile:
    """The profile of the latest DAYS of purchases, as plain JSON.

    Attributes:
        until: ISO date after the last of the days.
        purchases_per_day, customers_per_day: means over the days; a customer counts on each day again.
        currencies: of all archived purchases, and of the prices of files that name one.
        unknown_share: of the purchases, those of products that the product file does not name; None without one.
        missed: ISO dates without a purchase whose weekday had some in each of the WEEKS before.
        unpriced_share: of the purchases, those whose price is not known. None in a profile of an earlier release.
        unknown_status_share: of all good rows, those whose status is a word that is not known; None as above.
        anonymous_share: of all rows, those without a customer; None as above.
    """

    until: str
    purchases_per_day: float
    customers_per_day: float
    currencies: Sequence[str]
    unknown_share: float | None
    missed: Sequence[str]
    unpriced_share: float | None = None
    unknown_status_share: float | None = None
    anonymous_share: float | None = None


def profile_input(
    ledger: pl.DataFrame,
    until: datetime,
    currencies: Collection[str] = (),
    named: Collection[str] | None = None,
    report: IngestReport | None = None,
) -> InputProfile:
    """The profile of the DAYS before `until`.

    Args:
        ledger: as `training.ingest.ingest` returns it; it may be empty.
        until: aware; the day on which it lies is not over and not counted.
        currencies: seen in the archive and in files.
        named: products of the product file; None without one.
        report: of how the rows were read; None leaves the shares of what could not be read out.
    """
    end = until.date()
    days = ledger.with_columns(pl.col("ordered_at").dt.date().alias("day")).filter(pl.col("day") < end)
    latest = days.filter(pl.col("day") >= end - timedelta(days=DAYS))
    unknown = None if named is None else ~latest["product_id"].is_in(list(named))
    return InputProfile(
        until=end.isoformat(),
        purchases_per_day=len(latest) / DAYS,
        customers_per_day=latest.select("customer_id", "day").n_unique() / DAYS if len(latest) else 0.0,
        currencies=sorted(currencies),
        unknown_share=None if unknown is None else float(unknown.mean() or 0.0),  # type: ignore[arg-type]
        missed=[day.isoformat() for day in _missed(set(days["day"].unique()), end)],
        **({} if report is None else _unread_shares(latest, report)),
    )


def _unread_shares(latest: pl.DataFrame, report: IngestReport) -> dict[str, float]:
    unknown = sum(status["rows"] for status in report.statuses if status["meaning"] == "unknown")
    return {
        "unpriced_share": latest["unit_price"].null_count() / max(len(latest), 1),
        "unknown_status_share": unknown / max(report.rows_good, 1),
        "anonymous_share": report.without_customer / max(report.rows_read, 1),
    }


def find_drift(now: InputProfile, live: Mapping[str, Any] | None) -> list[str]:
    """Signs of drift in `now`, in words with figures; [] where there is none, or no live version to compare with.

    Args:
        now: the input of the version that was trained just now.
        live: `metrics` of the manifest of the version that answers; None where there is none.
    """
    found = (live or {}).get(_IN_MANIFEST)
    if found is None:
        return []
    before = InputProfile(**{key: found[key] for key in found if key in InputProfile.__dataclass_fields__})
    return [
        *_fewer("purchases", now.purchases_per_day, before.purchases_per_day, before),
        *_fewer("customers", now.customers_per_day, before.customers_per_day, before),
        *_new_currencies(now, before),
        *(f"no purchase on {day}, a day of the week that had some" for day in now.missed if day >= before.until),
        *_unknown_products(now, before),
        *_jump("of the purchases have no price that can be read", now.unpriced_share, before.unpriced_share),
        *_jump("of the rows have a status that is not known", now.unknown_status_share, before.unknown_status_share),
        *_jump("of the rows have no customer", now.anonymous_share, before.anonymous_share),
    ]


def record_drift(publication: Publication, profile: InputProfile, drift: Sequence[str], *, force: bool) -> Publication:
    """The same version with its input profile in the manifest and, where there is drift, refused by the gate.

    `force`: record the refusal as overruled.
    """
    manifest = publication.manifest
    gate = dict(manifest.gate)
    if drift:
        gate = {"verdict": "forced" if force else "refused", "reasons": [*gate.get("reasons", ()), *drift]}
    metrics = {**manifest.metrics, _IN_MANIFEST: asdict(profile)}
    return replace(publication, manifest=replace(manifest, metrics=metrics, gate=gate))


def _jump(what: str, now: float | None, before: float | None) -> list[str]:
    """A share that grew by more than LARGEST_JUMP beside the live version's input."""
    if now is None or before is None or now - before <= LARGEST_JUMP:
        return []
    return [f"{now:.0%} {what}, {before:.0%} in the input of the live version"]


def _missed(days: Collection[date], end: date) -> list[date]:
    latest = [end - timedelta(days=number) for number in range(DAYS, 0, -1)]
    return [
        day
        for day in latest
        if day not in days and all(day - timedelta(weeks=2 + week) in days for week in range(WEEKS))
    ]


def _fewer(what: str, now: float, usual: float, before: InputProfile) -> list[str]:
    if before.purchases_per_day * DAYS < FEWEST_PURCHASES or now >= usual * LEAST_LEFT:
        return []
    return [f"{now:,.1f} {what} a day in the last {DAYS} days, {usual:,.1f} in those before {before.until}"]


def _new_currencies(now: InputProfile, before: InputProfile) -> list[str]:
    new = sorted(set(now.currencies) - set(before.currencies)) if before.currencies else []
    return [f"purchases in {', '.join(new)}, so far all in {', '.join(before.currencies)}"] if new else []


def _unknown_products(now: InputProfile, before: InputProfile) -> list[str]:
    usual = max(MOST_UNKNOWN, 2 * (before.unknown_share or 0.0))
    if now.unknown_share is None or now.unknown_share <= usual:
        return []
    return [f"{now.unknown_share:.0%} of the purchases are of products that the product file does not name"]
