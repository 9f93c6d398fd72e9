"""Tenants: the shops that one worker serves, and the thread that follows changes in them."""

import os
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from structlog.typing import FilteringBoundLogger

from api.security.callers import NO_SHOP
from api.security.rate_limits import RateLimits
from api.telemetry.metrics import TimedReader, store_answers
from api.telemetry.shop_figures import FiguresReader
from recommender.data_dir import make_folder
from recommender.errors import HomeError, StoreError
from recommender.slate.placements import Placement
from recommender.storage.api_keys import ApiKey
from recommender.storage.cache import ListCache
from recommender.storage.shops import ShopStorage

FOLLOW_S = 0.25
"""Pause between two looks at what changed: a publish, a placement, a key or a recovery is seen this much later."""
LOOK_S = 1.0
"""A look at all shops that took this long, as some do not answer, goes on with the others in the next one."""
_API_KEYS = "(API keys)"
_REQUESTS = "(requests)"
_FIGURES = "(figures)"


class Tenants:
    """The list caches of all shops that were asked for, and the API keys.

    Attributes:
        api_keys: by key id; None until they could be read for the first time.
        rate_limits: of each key.
    """

    def __init__(
        self,
        storage: ShopStorage,
        logger: FilteringBoundLogger,
        rate_limits: RateLimits,
        placements: Mapping[str, Placement],
        keys_made: Path | None = None,
        *,
        figures: FiguresReader | None = None,
    ) -> None:
        """Open no shop yet.

        Args:
            storage: of all shops.
            logger: takes what fails, and what answers again.
            rate_limits: how often each key may ask.
            placements: those of the settings, by name: every shop has them until it sets its own.
            keys_made: a file outside of Redis that remembers that there were keys; None remembers nothing.
            figures: shows what the jobs of shops are doing; None shows nothing.
        """
        self.storage = storage
        self._placements = placements
        self._keys_made = keys_made
        self._figures = figures
        self.rate_limits = rate_limits
        self.api_keys: Mapping[str, ApiKey] | None = None
        self._caches: dict[str, ListCache] = {}
        self._empty = ListCache(storage.store(NO_SHOP), placements)
        self._empty.answering = False
        self._left: list[str] = []
        self._failing: set[str] = set()
        self._logger = logger
        self._followed_by: int | None = None
        self._opening = threading.Lock()

    def cache(self, shop: str) -> ListCache:
        """The list cache of `shop`; the first call reads its state once, unless Redis is known to be down."""
        cache = self._caches.get(shop) if shop != NO_SHOP else self._empty
        if cache is None:
            with self._opening:
                cache = self._caches.get(shop) or self._open(shop)
        return cache

    def follow(self) -> None:
        """Look at the keys and at each open shop once; what cannot be read stays as it was, and the rest goes on.

        A failure is logged when it begins and when it ends. Nothing is raised.
        """
        if self._try(_API_KEYS, lambda: self._take_keys(self.storage.api_keys())):
            if self.api_keys:
                self._try(_REQUESTS, lambda: self.rate_limits.exchange(self.storage.add_requests))
            self._follow_caches()
            if (figures := self._figures) is not None:
                self._try(_FIGURES, lambda: figures.follow(tuple(self._caches)))
        else:  # what the keys lie on does not answer: no shop is asked, so that the look takes one time-out at most
            for cache in tuple(self._caches.values()):
                cache.answering = False
        store_answers.set(not self._failing)

    def keep_following(self) -> None:
        """Have a thread of this process call `follow` for as long as this object is used; cheap to call again."""
        if self._followed_by == os.getpid():
            return
        with self._opening:
            if self._followed_by != os.getpid():  # a thread does not survive a fork
                with suppress(Exception):
                    self.follow()
                threading.Thread(target=_follow, args=(weakref.ref(self),), daemon=True, name="follow").start()
                self._followed_by = os.getpid()

    def _open(self, shop: str) -> ListCache:
        cache = ListCache(TimedReader(self.storage.store(shop), shop), self._placements)
        cache.answering = _API_KEYS not in self._failing
        if cache.answering:
            self._follow_cache(shop, cache)
        self._caches[shop] = cache
        return cache

    def _follow_caches(self) -> None:
        give_up_at = time.monotonic() + LOOK_S
        self._left = self._left or list(self._caches)
        while self._left:
            shop = self._left.pop()
            self._follow_cache(shop, self._caches[shop])
            if time.monotonic() >= give_up_at:
                return

    def _follow_cache(self, shop: str, cache: ListCache) -> None:
        known = cache.state.position.unreadable
        self._try(shop, cache.follow)
        for name in sorted(cache.state.position.unreadable - known):
            detail = "it cannot be read; that of the settings stands in until it is set again"
            self._logger.warning("placement_unreadable", subject=shop, placement=name, detail=detail)

    def _take_keys(self, keys: Mapping[str, ApiKey]) -> None:
        """Accept these keys from now on.

        A revoked key stays among them, so where all are gone, Redis was emptied: the last ones stand until there are
        others, or any caller on this machine would have all rights. A worker that was started since knows none of
        them: where the file says that there were some, its keys stay unknown.

        Raises StoreError: they are unknown.
        """
        if keys or not (self.api_keys or (self._keys_made is not None and self._keys_made.exists())):
            self.api_keys = keys
            self._remember(keys)
        elif self.api_keys is None:
            raise StoreError(f"Redis has lost the API keys: restore it, make new ones, or delete {self._keys_made}")

    def _remember(self, keys: Mapping[str, ApiKey]) -> None:
        made = self._keys_made
        if not keys or made is None or made.exists():
            return
        try:
            make_folder(made.parent)
            made.touch()
        except (HomeError, OSError) as error:
            self._keys_made = None
            detail = f"a worker started after Redis has lost the keys would not know that there were any: {error}"
            self._logger.warning("keys_not_remembered", subject=_API_KEYS, detail=detail)

    def _try(self, subject: str, look: Callable[[], None]) -> bool:
        """Whether `look` went well."""
        try:
            look()
        except Exception as error:  # whatever goes wrong with one shop, the others are followed
            if not isinstance(error, StoreError):  # a connection that began with nonsense would go on with it
                self.storage.close()
            if subject not in self._failing:
                self._failing.add(subject)
                self._tell_failure(subject, error)
            return False
        if subject in self._failing:
            self._failing.discard(subject)
            self._logger.info("store_answers_again", subject=subject)
        return True

    def _tell_failure(self, subject: str, error: Exception) -> None:
        if isinstance(error, StoreError):
            self._logger.warning("store_unavailable", subject=subject, detail=str(error))
        else:
            self._logger.error("unexpected_error", subject=subject, exc_info=error)


def _follow(reference: "weakref.ref[Tenants]") -> None:
    while (shops := reference()) is not None:
        with suppress(Exception):  # as where the log is a closed pipe
            shops.follow()
        del shops
        time.sleep(FOLLOW_S)
