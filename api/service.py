"""What the views share: settings, shops, clock."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import cast

from flask import Flask, current_app, g

from api.answers import Prepared, prepare_private
from api.desk import Desk, Outcome
from api.exposures import Exposure, Exposures
from api.impressions import Impressions, Shown
from api.logs import make_logger
from api.shops import Shops
from recommender.campaigns.jobs import Jobs
from recommender.event_log import EventLog
from recommender.placements import Placement
from recommender.settings import Settings
from recommender.shelf import Shelf
from recommender.store import Store

_EXTENSION = "reprise"


@dataclass(frozen=True)
class Service:
    """What one app was assembled from.

    Attributes:
        shops: what the callers' shops have published.
        clock: the aware moment of an answer.
        new_recommendation_id: a fresh id for an answer that nobody shares.
        impressions: keeps what was shown; None where the shop reports that itself.
    """

    settings: Settings
    shops: Shops
    clock: Callable[[], datetime]
    new_recommendation_id: Callable[[], str]
    impressions: Impressions | None = None

    def attach(self, app: Flask) -> None:
        """Make `service()` find this one while `app` answers."""
        app.extensions[_EXTENSION] = self

    @property
    def shelf(self) -> Shelf:
        """The lists of the caller's shop."""
        return self.shops.shelf(g.caller.shop)

    @property
    def store(self) -> Store:
        """The store of the caller's shop."""
        return self.shops.warehouse.store(g.caller.shop)

    @property
    def event_log(self) -> EventLog:
        """The events of the caller's shop."""
        return self.shops.warehouse.event_log(g.caller.shop)

    @property
    def jobs(self) -> Jobs:
        """The campaigns of the caller's shop whose picks were asked for."""
        return self.shops.warehouse.jobs(g.caller.shop)

    @property
    def placements(self) -> Mapping[str, Placement]:
        """The placements of the caller's shop: those of the settings, and in their place those set since."""
        return self.shelf.state.placements

    @cached_property
    def exposures(self) -> Exposures:
        """Keeps who came across an experiment."""
        return Exposures(self.shops.warehouse, self.settings.max_waiting_events, make_logger(self.settings.log_level))

    def note_exposures(self, shop: str, customer_id: str | None, recommendation_id: str, outcome: Outcome) -> None:
        """Keep what an answer's customer was assigned to, whatever it showed."""
        for one in outcome.assignments if customer_id is not None else ():
            names = (one.experiment, one.variant, customer_id or "", outcome.placement, recommendation_id)
            self.exposures.note(Exposure(shop, *names, self.clock()))

    def answer_person(
        self, shop: str, customer_id: str | None, session_id: str | None, outcome: Outcome, name: str
    ) -> Prepared:
        """The answer for one person, or one session, under the id `name`; what it shows is kept where asked for."""
        if self.impressions is not None:
            self.impressions.note(Shown(shop, customer_id, session_id, name, outcome, self.clock()))
        if outcome.assignments:
            self.note_exposures(shop, customer_id, name, outcome)
        return prepare_private(outcome, name)

    def desk(self, shop: str, *, in_loop: bool = False) -> Desk:
        """`shop` while one request is answered, by a thread or in an event loop."""
        shelf = self.shops.shelf(shop)
        return Desk(shop, shelf, shelf.state, self.clock(), self.settings.experiments, in_loop)


def service() -> Service:
    """The service of the app that is answering."""
    return cast(Service, current_app.extensions[_EXTENSION])
