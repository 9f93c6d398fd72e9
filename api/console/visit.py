"""Visit: what a view of the console knows of its request, and where it finds its figures."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from flask import request

from api.console.session import PATH, Session
from api.console.words import Words
from api.serving.service import Service
from recommender.publication.manifest import Manifest
from recommender.storage.cache import ListCache
from recommender.storage.versions import VersionStore

LONGEST_ID = 512
"""Characters of a customer's id."""
LONGEST_ASKED = 10_000
"""Characters of anything that is looked up; more is cut off."""


@dataclass(frozen=True, eq=False)
class Visit:
    """One request of somebody who is signed in.

    Attributes:
        session: who it is.
        words: of the language that the page is in.
        service: of this worker.
        now: aware.
    """

    session: Session
    words: Words
    service: Service
    now: datetime

    @property
    def shop(self) -> str:
        """The shop that is shown."""
        return self.session.principal.shop

    @cached_property
    def cache(self) -> ListCache:
        """The lists of the shop."""
        return self.service.shops.cache(self.shop)

    @property
    def is_answering(self) -> bool:
        """Whether Redis answered when it was last asked."""
        return self.cache.answering

    @cached_property
    def store(self) -> VersionStore:
        """Its versions."""
        return self.service.shops.storage.store(self.shop)

    @property
    def version(self) -> str | None:
        """The version that answers; None before the first."""
        return self.cache.state.position.version

    @cached_property
    def manifests(self) -> list[Manifest]:
        """Those of the versions that are kept, newest first; [] while Redis does not answer."""
        return self.store.manifests() if self.is_answering else []

    @cached_property
    def manifest(self) -> Manifest | None:
        """That of the version that answers; None before the first."""
        return next((one for one in self.manifests if one.version == self.version), None)

    @cached_property
    def insights(self) -> Mapping[str, Any] | None:
        """What the version that answers tells about the shop; None where it tells nothing, or Redis is gone."""
        return self.store.insights(self.version) if self.version and self.is_answering else None

    @property
    def currency(self) -> str | None:
        """The currency of prices and of money: the setting's, the purchases', or else the products'; None for none."""
        named = self.manifest.metrics.get("prices", {}).get("currency") if self.manifest else None
        return self.service.settings.currency or named or (self.insights or {}).get("currency")

    @property
    def lacks(self) -> str:
        """Why figures of the version are not there, and what to do about it."""
        if not self.is_answering:
            return self.t("empty.no_redis")
        return self.t("empty.no_insights" if self.version else "empty.no_version")

    def asked(self, name: str) -> str:
        """What the address asks for under a name, stripped; empty for nothing."""
        return request.args.get(name, "")[:LONGEST_ASKED].strip()

    def t(self, name: str, **values: Any) -> str:
        """A sentence in the visitor's language."""
        return self.words(name, **values)


def address(view: str, query: Mapping[str, str] | None = None, /, **more: str) -> str:
    """The address of a view."""
    asked = {**(query or {}), **more}
    return f"{PATH}/{view}?{urlencode(asked, errors='replace')}" if asked else f"{PATH}/{view}"
