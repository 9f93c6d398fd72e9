"""What a version means, in plain sentences for a colleague or an owner: no figure that takes statistics."""

from collections.abc import Iterator, Mapping
from typing import Any

from recommender.publication.manifest import Publication

_VERDICTS = {
    "passed": "It may answer: nothing speaks against it.",
    "refused": "It should not answer: {reasons}. The version before it keeps answering.",
    "forced": "It answers because somebody wanted it to, although: {reasons}.",
    "skipped": "There was too little data to judge it by; look at a few customers before you rely on it.",
}


def describe_meaning(publication: Publication) -> list[str]:
    """The sentences, the most important first; [] where the version says nothing of all this."""
    manifest, told = publication.manifest, publication.insights
    sentences = [*_verdict(manifest.gate)]
    if told is not None:
        titles = {one.product_id: one.title or one.product_id for one in publication.products}
        sentences += _shop(told.document)
        sentences += _rhythm(told.document, titles)
        sentences += _due(told.document)
    return sentences


def _verdict(gate: Mapping[str, Any]) -> Iterator[str]:
    sentence = _VERDICTS.get(str(gate.get("verdict")))
    if sentence is not None:
        yield sentence.format(reasons="; ".join(map(str, gate.get("reasons", ()))) or "it says no reason")


def _shop(told: Mapping[str, Any]) -> Iterator[str]:
    kpis, days, currency = told["kpis"], told["window_days"], told.get("currency")
    if not kpis["customers"]:
        return
    back, gap, churn = (kpis[name] for name in ("repeat_purchase_rate", "median_days_between_orders", "churn_rate"))
    usual = "" if gap is None else f"; half of these come every {gap:,.0f} days or more often"
    yield f"{back or 0.0:.0%} of its {kpis['customers']:,} customers have ordered again{usual}."
    if churn is not None:
        yield f"Churn in {days} days: {churn:.0%} of who ordered in the {days} days before have not ordered since."
    now = told["value"]["now"]
    expected = sum(row[2] for row in now)
    if expected:
        money = f"{expected:,.0f} {currency}" if currency else f"{expected:,.0f} (no currency is known)"
        yield (
            f"In the next {told['horizon_days']} days its customers are expected to spend {money}, "
            f"{now[0][2] / expected:.0%} of it the best tenth of them."
        )


def _rhythm(told: Mapping[str, Any], titles: Mapping[str, str]) -> Iterator[str]:
    best = max(told["repurchase"]["rows"], key=lambda row: row[2], default=None)
    if best is not None and best[2]:
        yield (
            f"{titles.get(best[0], best[0])} brings most customers back: {best[2]:,} of {best[1]:,} buyers, "
            f"half of the times within {best[4]:,.0f} days."
        )


def _due(told: Mapping[str, Any]) -> Iterator[str]:
    due = told["due"]
    if due["pairs"]:
        week = sum(sum(row[:7]) for row in due["counts"])
        yield (
            f"Due within 7 days of {due['from']}: {week:,} purchases; within {due['days']} days: {due['pairs']:,} of "
            f"{due['customers']:,} customers. The console lists whom to write to."
        )
