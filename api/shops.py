"""The shops that one worker answers for, and the thread that follows what changes in them."""

import os
import threading
import time
import weakref
from collections.abc import Mapping

from structlog.typing import FilteringBoundLogger

from recommender.api_keys import ApiKey
from recommender.errors import StoreError
from recommender.shelf import Shelf
from recommender.warehouse import Warehouse

FOLLOW_S = 0.25
"""Pause between two looks at what changed: a publish, a placement, a key or a recovery is seen this much later."""


class Shops:
    """The shelves of all shops that were asked for, and the API keys.

    Attributes:
        api_keys: by key id; None until they could be read for the first time.
    """

    def __init__(self, warehouse: Warehouse, logger: FilteringBoundLogger) -> None:
        self.warehouse = warehouse
        self.api_keys: Mapping[str, ApiKey] | None = None
        self._shelves: dict[str, Shelf] = {}
        self._logger = logger
        self._answering = True
        self._followed_by: int | None = None
        self._opening = threading.Lock()

    def shelf(self, shop: str) -> Shelf:
        """The shelf of `shop`; the first call looks at its position once."""
        shelf = self._shelves.get(shop)
        if shelf is None:
            with self._opening:
                shelf = self._shelves.get(shop) or self._open(shop)
        return shelf

    def follow(self) -> None:
        """Look at the keys and at each open shop once. An outage is logged when it begins and when it ends."""
        try:
            self.api_keys = self.warehouse.api_keys()
            for shelf in tuple(self._shelves.values()):
                shelf.follow()
        except StoreError as error:
            for shelf in self._shelves.values():
                shelf.answering = False
            self._tell(answering=False, detail=str(error))
            return
        self._tell(answering=True)

    def keep_following(self) -> None:
        """Have a thread of this process call `follow` for as long as this object is used; cheap to call again."""
        if self._followed_by == os.getpid():
            return
        with self._opening:
            if self._followed_by != os.getpid():  # a thread does not survive a fork
                self.follow()
                threading.Thread(target=_follow, args=(weakref.ref(self),), daemon=True, name="follow").start()
                self._followed_by = os.getpid()

    def _open(self, shop: str) -> Shelf:
        shelf = Shelf(self.warehouse.store(shop))
        try:
            shelf.follow()
        except StoreError as error:
            self._tell(answering=False, detail=str(error))
        self._shelves[shop] = shelf
        return shelf

    def _tell(self, *, answering: bool, detail: str = "") -> None:
        if answering != self._answering:
            self._answering = answering
            if answering:
                self._logger.info("store_answers_again")
            else:
                self._logger.warning("store_unavailable", detail=detail)


def _follow(reference: "weakref.ref[Shops]") -> None:
    while (shops := reference()) is not None:
        shops.follow()
        del shops
        time.sleep(FOLLOW_S)
