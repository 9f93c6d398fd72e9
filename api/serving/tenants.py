"""Tenants: the shops that one worker serves, and the thread that follows changes in them."""

import os
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from api.background.restoration import Restoration
from api.security.callers import NO_SHOP
from api.security.rate_limits import RateLimits
from api.telemetry.logs import Logger
from api.telemetry.metrics import TimedReader, store_answers
from api.telemetry.shop_figures import FiguresReader
from recommender.data_dir import make_folder
from recommender.errors import HomeError, StoreError, StoreUnavailableError
from recommender.slate.placements import Placement
from recommender.storage.api_keys import ApiKey
from recommender.storage.cache import ListCache
from recommender.storage.shops import ShopStorage

FOLLOW_S = 0.25
"""Pause between two looks at what changed: a publish, a placement, a key or a recovery is seen this much later."""
LOOK_S = 1.0
"""A look at all shops that took this long, as some do not answer, goes on with the others in the next one."""
OPEN_S = 0.2
"""A request waits this long for a shop that another one opens, then is answered as while Redis does not answer."""
_API_KEYS = "(API keys)"
_REQUESTS = "(requests)"
_FIGURES = "(figures)"


class _KeysLostError(StoreError):
    """Redis answers, without the API keys that there were."""


@dataclass(frozen=True)
class _Opening:
    """The cache of a shop whose state is being read, since when, and whether it is done."""

    cache: ListCache
    began_at: float = field(default_factory=time.monotonic)
    done: threading.Event = field(default_factory=threading.Event)


class Tenants:
    """The list caches of all shops that were asked for, and the API keys.

    Attributes:
        api_keys: by key id; None until they could be read for the first time.
        rate_limits: of each key.
    """

    def __init__(
        self,
        storage: ShopStorage,
        logger: Logger,
        rate_limits: RateLimits,
        placements: Mapping[str, Placement],
        keys_made: Path | None = None,
        *,
        restoration: Restoration | None = None,
        figures: FiguresReader | None = None,
    ) -> None:
        """Open no shop yet.

        Args:
            storage: of all shops.
            logger: takes what fails, and what answers again.
            rate_limits: how often each key may ask.
            placements: those of the settings, by name: every shop has them until it sets its own.
            keys_made: a file outside of Redis that remembers that there were keys; None remembers nothing.
            restoration: is started with `keep_following`; None writes nothing back of what Redis loses.
            figures: shows what the jobs of shops are doing; None shows nothing.
        """
        self.storage = storage
        self._placements = placements
        self._keys_made = keys_made
        self._restoration = restoration
        self._figures = figures
        self.rate_limits = rate_limits
        self.api_keys: Mapping[str, ApiKey] | None = None
        self._caches: dict[str, ListCache] = {}
        self._opening: dict[str, _Opening] = {}
        self._empty = ListCache(storage.store(NO_SHOP), placements)
        self._empty.answering = False
        self._left: list[str] = []
        self._failing: dict[str, Exception] = {}
        self._logger = logger
        self._followed_by: int | None = None
        self._lock = threading.Lock()

    @property
    def is_down(self) -> bool:
        """Whether Redis did not answer when the keys were last asked for."""
        return isinstance(self._failing.get(_API_KEYS), StoreUnavailableError)

    @property
    def _can_follow(self) -> bool:
        """Whether shops may be asked: links of mails need no key, so also where the keys were lost."""
        return isinstance(self._failing.get(_API_KEYS), _KeysLostError | None)

    def is_open(self, shop: str) -> bool:
        """Whether `cache` asks nothing, so that an event loop may call it."""
        return shop in self._caches or shop == NO_SHOP

    def cache(self, shop: str) -> ListCache:
        """The list cache of `shop`; the first call reads its state once, unless Redis is known to be down."""
        return self._empty if shop == NO_SHOP else self._caches.get(shop) or self._open(shop)

    def follow(self) -> None:
        """Look at the keys and at each open shop once; what cannot be read stays as it was, and the rest goes on.

        A failure is logged when it begins and when it ends. Nothing is raised.
        """
        known = self._try(_API_KEYS, lambda: self._take_keys(self.storage.api_keys()))
        if known and self.api_keys:
            self._try(_REQUESTS, lambda: self.rate_limits.exchange(self.storage.add_requests))
        if self._can_follow:
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
        with self._lock:
            if self._followed_by != os.getpid():  # a thread does not survive a fork
                with suppress(Exception):
                    self.follow()
                threading.Thread(target=_follow, args=(weakref.ref(self),), daemon=True, name="follow").start()
                if self._restoration is not None:
                    self._restoration.start()
                self._followed_by = os.getpid()

    def _open(self, shop: str) -> ListCache:
        """The cache of a shop that is opened here, or as far as another thread has opened it within OPEN_S."""
        with self._lock:
            if shop in self._caches:
                return self._caches[shop]
            mine = shop not in self._opening
            opening = self._opening.setdefault(shop, _Opening(self._make_cache(shop)))
        if mine:
            self._read_first(shop, opening)
        else:
            opening.done.wait(max(opening.began_at + OPEN_S - time.monotonic(), 0.0))
        return opening.cache

    def _make_cache(self, shop: str) -> ListCache:
        cache = ListCache(TimedReader(self.storage.store(shop), shop), self._placements)
        cache.answering = False
        return cache

    def _read_first(self, shop: str, opening: "_Opening") -> None:
        """Read what an answer needs; the catalogue of a large shop is left to the thread that follows."""
        try:
            if self._can_follow:
                self._follow_cache(shop, opening.cache, catalogue=False)
        finally:
            with self._lock:
                self._caches[shop] = opening.cache
                del self._opening[shop]
            opening.done.set()

    def _follow_caches(self) -> None:
        give_up_at = time.monotonic() + LOOK_S
        self._left = self._left or list(self._caches)
        while self._left:
            shop = self._left.pop()
            self._follow_cache(shop, self._caches[shop])
            if time.monotonic() >= give_up_at:
                return

    def _follow_cache(self, shop: str, cache: ListCache, *, catalogue: bool = True) -> None:
        known = cache.state.position.unreadable
        self._try(shop, partial(cache.follow, catalogue=catalogue))
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
            raise _KeysLostError(f"Redis has lost the API keys: restore it, make new ones, or delete {self._keys_made}")

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
            known = subject in self._failing
            self._failing[subject] = error
            if not known:
                self._tell_failure(subject, error)
            return False
        if self._failing.pop(subject, None) is not None:
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
