"""Context of a campaign: the stores, rules and experiments of its shop."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from recommender.events.event import Event
from recommender.experiments.experiment import Experiments
from recommender.results.store import Decided
from recommender.settings import MailSettings, Settings
from recommender.slate.placements import Placement, find_placement
from recommender.storage.contacts import Contacts
from recommender.storage.shops import ShopStorage
from recommender.storage.versions import VersionStore

PLACEMENT = "email"
"""The placement whose rules mails follow."""


@dataclass(frozen=True)
class CampaignContext:
    """The stores, rules and experiments of one shop, as its campaigns use them.

    Attributes:
        store: the published versions.
        contacts: the ledger of mails to customers.
        placement: cap, floor and rules of a mail.
        rules: how often a customer is written to at most, and who may be.
        experiments: of the shop; those that apply to a campaign decide who is held out.
        placements: others, by name, that an experiment may try instead.
        keep_exposures: writes exposures to the event log; raises StoreError where it cannot.
        keep_decided: keeps what a campaign decided about a block of customers; the same.
    """

    store: VersionStore
    contacts: Contacts
    placement: Placement
    rules: MailSettings
    experiments: Experiments = ()
    placements: Mapping[str, Placement] = field(default_factory=dict)
    keep_exposures: Callable[[Sequence[Event], datetime], object] = lambda *_: None
    keep_decided: Callable[[str, int, Decided], object] = lambda *_: None


def open_context(storage: ShopStorage, settings: Settings, shop: str | None = None) -> CampaignContext:
    """The context of `shop`, or of the settings' shop; placements set at run time win over the settings'."""
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
        storage.results(shop).note_decided,
    )
