"""Small shops for campaigns, described a customer at a time; NOW is that of small_shop.py, 2026-11-20 at noon."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from recommender.campaigns.context import CampaignContext
from recommender.campaigns.run import begin_campaign, run_campaign
from recommender.campaigns.selection import Decision
from recommender.events.event import Event
from recommender.publication.lists import LIST_NAMES, WHOLE_SHOP, ListName
from recommender.publication.manifest import Manifest, Publication
from recommender.publication.product import Product
from recommender.settings import MailSettings
from recommender.slate.placements import DEFAULT_PLACEMENTS, Placement
from recommender.storage.campaign import Campaign
from recommender.storage.shops import ShopStorage
from tests.fakes.shops import MemoryShopStorage
from tests.fakes.versions import MemoryVersionStore
from tests.support.profiles import make_profile, make_table
from tests.support.small_shop import NOW, TODAY, VERSION, Rows, model, table

NO_QUIET_DAYS = MailSettings(quiet_days_after_order=0, most_per_week=50, holdout=0)
EMAIL = DEFAULT_PLACEMENTS["email"].model_copy(update={"max_per_category": None})


@dataclass(frozen=True)
class Own:
    """A product that was bought `times`, the last time `days_ago`, every `gap_days`."""

    product_id: str
    probability: float = 0.5
    days_ago: int = 7
    gap_days: float = 7.0
    times: int = 5
    share: float = 0.9


@dataclass(frozen=True)
class Customer:
    """Somebody with own products and such as may be discovered, likeliest first."""

    own: Sequence[Own] = ()
    discover: Mapping[str, float] = field(default_factory=dict)
    profile: Mapping[str, Any] = field(default_factory=dict)


def make_version(
    customers: Mapping[str, Customer],
    products: Sequence[Product | str],
    *,
    together: Mapping[str, Mapping[str, float]] | None = None,
    popular: Sequence[str] = (),
    best_of: Mapping[str, Sequence[str]] | None = None,
    version: str = VERSION,
) -> Publication:
    """A version of these customers; a product may be an id alone."""
    known = [Product(one) if isinstance(one, str) else one for one in products]
    index = {product.product_id: i for i, product in enumerate(known)}

    def ranked(scores: Mapping[str, float]) -> Any:
        return model(*((index[product_id], score) for product_id, score in scores.items()))

    rows: dict[ListName, Rows] = {
        "similar": {},
        "together": {product_id: ranked((together or {}).get(product_id, {})) for product_id in index},
        "buy_again": {name: model(*(_own(one, index) for one in who.own)) for name, who in customers.items()},
        "discover": {name: ranked(who.discover) for name, who in customers.items()},
        "popular": {
            owner: ranked(dict.fromkeys(best, 9.0)) for owner, best in {WHOLE_SHOP: popular, **(best_of or {})}.items()
        },
        "trending": {WHOLE_SHOP: ranked({})},
    }
    tables = {name: table(name, rows[name]) for name in LIST_NAMES}
    profiles = make_table(*(_profile(name, who) for name, who in customers.items()))
    lists = {name: len(tables[name]) for name in LIST_NAMES}
    counts = {"profiles": len(customers), "products": len(known), "customers": len(customers)}
    manifest = Manifest(version, "2026-11-20T02:00:00Z", "2026-11-20T02:05:00Z", counts, lists)
    return Publication(manifest, known, tables, profiles=profiles)


def _own(own: Own, index: Mapping[str, int]) -> tuple[float, ...]:
    gap = math.log(own.gap_days)
    return (index[own.product_id], own.probability, TODAY - own.days_ago, own.times, gap, 0.2, own.share)


def _profile(name: str, who: Customer) -> Any:
    days_ago = min((own.days_ago for own in who.own), default=7)
    fields = {"first_day": TODAY - 300, "last_day": TODAY - days_ago, "usual_gap_days": 7.0}
    return make_profile(name, **{**fields, **who.profile})


class CampaignShop:
    """A shop that campaigns are run in.

    Args:
        publication: what it has published.
        placement: of mails.
        storage: None: one in memory.
        experiments: as the settings have them.
    """

    def __init__(
        self,
        publication: Publication,
        placement: Placement = EMAIL,
        storage: ShopStorage | None = None,
        rules: MailSettings = NO_QUIET_DAYS,
        experiments: Any = (),
    ) -> None:
        self.storage = storage or MemoryShopStorage({"default": MemoryVersionStore()})
        self.store = self.storage.store("default")
        self.store.publish(publication, keep=3)
        self.context = CampaignContext(self.store, self.storage.contacts("default"), placement, rules, experiments)
        self._told = 0

    def tell(self, event_type: str, customer_id: str, product_id: str | None = None, at: datetime = NOW) -> None:
        """One event."""
        self._told += 1
        known = {"event_id": f"e{self._told}", "event_type": event_type, "customer_id": customer_id}
        event = Event.model_validate({**known, "product_id": product_id, "occurred_at": at})
        self.storage.event_log("default").accept([event], max(at, NOW), 1_000)

    def begin(self, name: str, audience: str = "everyone", slots: int | None = None, days: float = 0) -> Campaign:
        """Begin a campaign some days from NOW."""
        return begin_campaign(self.context, name, audience, slots, NOW + timedelta(days=days))

    def run(self, name: str = "c", audience: str = "everyone", **terms: Any) -> dict[str, Decision]:
        """Begin and run a campaign; outcomes by customer."""
        return self.outcomes(self.begin(name, audience, **terms))

    def outcomes(self, campaign: Campaign, **how: Any) -> dict[str, Decision]:
        """Run a campaign that was begun."""
        blocks = list(run_campaign(campaign, self.context, **how))
        return {outcome.customer_id: outcome for block in blocks for outcome in block.outcomes}

    def treat(self, **changes: Any) -> None:
        """Change the desk."""
        self.context = replace(self.context, **changes)


def shown(outcome: Decision) -> list[str]:
    """The products of a mail."""
    assert outcome.picks is not None, outcome.reason
    return [item.product.product_id for item in outcome.picks.items]
