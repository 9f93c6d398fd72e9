"""In which currency the prices of a version are shown, in words."""

from recommender.publication.manifest import Manifest


def describe_currency(manifest: Manifest) -> str | None:
    """Why prices are shown without a currency, and the remedy; None where they have one, or nothing is said of any."""
    prices = manifest.metrics.get("prices", {})
    found = prices.get("purchases_in", ())
    if prices.get("currency") is not None or len(found) < 2:
        return None
    return (
        f"Prices whose product has no currency are shown without one: purchases are in {', '.join(found)}; set "
        "REPRISE_CURRENCY, or a currency for each product"
    )
