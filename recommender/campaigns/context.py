"""What a campaign needs of one shop."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from recommender.events.event import Event
from recommender.experiments.experiment import Experiments
from recommender.settings import MailSettings, Settings
from recommender.slate.placements import Placement, find_placement
from recommender.storage.contacts import Contacts
from recommender.storage.shops import ShopStorage
from recommender.storage.versions import VersionStore

PLACEMENT = "email"
"""The placement whose rules mails follow."""


@dataclass(frozen=True)
class CampaignContext:
    """What a campaign needs of one shop.

    Attributes:
        store: where the versions are.
        contacts: the ledger of who was written to.
        placement: cap, floor and rules of a mail.
        rules: how often customers are written to.
        experiments: those that name the campaign decide who is held out.
        placements: others, by name, that an experiment may try instead.
        keep: is given the exposures to experiments; raises StoreError where they cannot be kept.
    """

    store: VersionStore
    contacts: Contacts
    placement: Placement
    rules: MailSettings
    experiments: Experiments = ()
    placements: Mapping[str, Placement] = field(default_factory=dict)
    keep: Callable[[Sequence[Event], datetime], object] = lambda *_: None


def open_context(storage: ShopStorage, settings: Settings, shop: str | None = None) -> CampaignContext:
    """The desk of `shop`, or of the settings' shop. A placement `email` set at run time wins over the settings'."""
    shop = shop or settings.shop
    store = storage.store(shop)
    placements = {**settings.placements, **store.follow().placements}
    return CampaignContext(
        store,
        storage.contacts(shop),
        find_placement(placements, PLACEMENT),
        settings.mail,
        settings.experiments,
        placements,
        partial(storage.event_log(shop).accept, bound=settings.max_waiting_events),
    )
