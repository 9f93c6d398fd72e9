"""Restoration: who unsubscribed and who was erased is written back where Redis has lost it, in the background."""

import threading
import time

from api.telemetry.logs import Logger
from recommender.campaigns.suppressions import restore
from recommender.data_dir import DataDirectory
from recommender.errors import RepriseError
from recommender.storage.shops import ShopStorage
from recommender.suppression_list import SuppressionList

LOOK_S = 1.0
"""Pause between two looks at whether it is the same server still: one that starts anew may have an older copy."""
_SUBJECT = "(suppressions)"


class Restoration:
    """The thread that restores all shops of `home` when this process starts, and again whenever their server does.

    Args:
        storage: of all shops.
        home: whose lists.
        logger: takes what was restored, and what fails.
    """

    def __init__(self, storage: ShopStorage, home: DataDirectory, logger: Logger) -> None:
        self._storage = storage
        self._home = home
        self._logger = logger
        self._restored: dict[str, str] = {}
        """By shop the server that knows all that the home does."""
        self._failing = False

    def start(self) -> None:
        """Start the thread, once for each process."""
        shops = self._home.shops_with_suppressions() or ["default"]
        lists = [SuppressionList(self._home.suppressions(shop)) for shop in shops]
        for unwritable in [one.path for one in lists if not one.writable]:
            detail = f"this user cannot write {unwritable}: Redis alone knows them until the next `reprise publish`"
            self._logger.warning("suppressions_not_remembered", subject=_SUBJECT, detail=detail)
        threading.Thread(target=self._work, daemon=True, name="restoration").start()

    def look(self) -> None:
        """Restore each shop that the home knows and that lies on another server than before. Nothing is raised.

        A failure is logged when it begins; the next look tries again.
        """
        try:
            for shop in self._home.shops_with_suppressions():
                self._look(shop)
        except Exception as error:  # a thread that ended would restore nothing more
            if not self._failing:
                detail = str(error) if isinstance(error, RepriseError) else type(error).__name__
                self._logger.warning("suppressions_not_restored", subject=_SUBJECT, detail=detail)
            self._failing = True
        else:
            self._failing = False

    def _look(self, shop: str) -> None:
        server = self._storage.contacts(shop).server()
        if self._restored.get(shop) != server:
            if n := restore(self._storage, shop, self._home):
                self._logger.warning("suppressions_restored", subject=shop, n=n, detail="Redis had lost them")
            self._restored[shop] = server

    def _work(self) -> None:
        while True:
            self.look()
            time.sleep(LOOK_S)
