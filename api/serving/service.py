"""The service: settings, shops and clock that all views share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import cast

from flask import Flask, current_app, g

from api.background.event_sink import EventSink
from api.background.impressions import impression_event
from api.security.browser_events import EventLimits
from api.serving.slates import SlateBuilder, SlateResult
from api.serving.tenants import Tenants
from api.telemetry.logs import make_logger
from api.web.accept_language import accepted_language
from recommender.experiments.exposure import exposure_event
from recommender.settings import Settings
from recommender.slate.item_json import Presentation
from recommender.slate.placements import Placement
from recommender.storage.cache import ListCache
from recommender.storage.event_log import EventLog
from recommender.storage.pick_jobs import PickJobs
from recommender.storage.versions import VersionStore
from recommender.words.language import Language

_EXTENSION = "reprise"


@dataclass(frozen=True)
class Service:
    """The parts of one app that its views use.

    Attributes:
        shops: the caches and stores of all shops.
        clock: the aware moment of an answer.
        new_recommendation_id: a fresh id for a personal answer.
        impressions: keeps what was shown; None where the shop reports that itself.
        event_limits: bounds on what browsers tell.
    """

    settings: Settings
    shops: Tenants
    clock: Callable[[], datetime]
    new_recommendation_id: Callable[[], str]
    impressions: EventSink | None = None
    event_limits: EventLimits = field(default_factory=EventLimits)

    def attach(self, app: Flask) -> None:
        """Make `service()` find this one while `app` answers."""
        app.extensions[_EXTENSION] = self

    @property
    def cache(self) -> ListCache:
        """The lists of the caller's shop."""
        return self.shops.cache(g.principal.shop)

    @property
    def store(self) -> VersionStore:
        """The store of the caller's shop."""
        return self.shops.storage.store(g.principal.shop)

    @property
    def event_log(self) -> EventLog:
        """The events of the caller's shop."""
        return self.shops.storage.event_log(g.principal.shop)

    @property
    def jobs(self) -> PickJobs:
        """The campaigns of the caller's shop whose picks were asked for."""
        return self.shops.storage.jobs(g.principal.shop)

    @property
    def placements(self) -> Mapping[str, Placement]:
        """The placements of the caller's shop: those of the settings, and in their place those set since."""
        return self.cache.state.placements

    @cached_property
    def exposures(self) -> EventSink:
        """The sink of exposures: which customers met an experiment."""
        bound, logger = self.settings.max_waiting_events, make_logger(self.settings.log_level)
        return EventSink("exposures", self.shops.storage, bound, logger, most_waiting=50_000, at_once=500)

    def note_exposures(self, shop: str, customer_id: str | None, recommendation_id: str, result: SlateResult) -> None:
        """Record the assignments of an answer's customer, whatever it showed."""
        if customer_id is None:
            return
        at, where = self.clock(), {"placement": result.placement, "recommendation_id": recommendation_id}
        for one in result.assignments:
            make = partial(exposure_event, one.experiment, one.variant, customer_id, at, **where)
            self.exposures.note(shop, [make], once=(one.experiment, customer_id, at.date()))

    def note_shown(
        self, shop: str, customer_id: str | None, session_id: str | None, result: SlateResult, name: str
    ) -> None:
        """Record the impressions and exposures of an answer under the id `name`."""
        if self.impressions is not None and result.slate.items and (customer_id or session_id):
            make = partial(
                impression_event,
                placement=result.placement,
                recommendation_id=name,
                customer_id=customer_id,
                session_id=session_id,
                at=self.clock(),
            )
            self.impressions.note(shop, [partial(make, item) for item in result.slate.items])
        if result.assignments:
            self.note_exposures(shop, customer_id, name, result)

    @cached_property
    def language(self) -> Language:
        """Of answers to requests that want no language that there is."""
        return self.settings.language

    def accepted(self, accept_language: str | None) -> Language:
        """The best match of an Accept-Language, else the setting's."""
        return accepted_language(accept_language) or self.language

    def builder(self, shop: str, accept_language: str | None, *, in_loop: bool = False) -> SlateBuilder:
        """The slate builder of one request with this Accept-Language, answered by a thread or in an event loop."""
        cache, now = self.shops.cache(shop), self.clock()
        language = self.accepted(accept_language) if accept_language else self.language
        told = Presentation(language, self.settings.currency, now.astimezone(UTC).date())
        return SlateBuilder(shop, cache, cache.state, now, told, self.settings.experiments, in_loop)


def service(app: Flask | None = None) -> Service:
    """The service of `app`; None is the one that is answering."""
    return cast(Service, (app or current_app).extensions[_EXTENSION])
