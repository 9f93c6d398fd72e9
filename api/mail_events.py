"""What readers of mails did, kept as events in the background: nobody waits for a page or a picture because of it."""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import NamedTuple

from prometheus_client import Counter
from structlog.typing import FilteringBoundLogger

from api.background import Background
from recommender.events import Event
from recommender.person import digest
from recommender.warehouse import Warehouse

_MOST_WAITING = 10_000
_AT_ONCE = 200
"""Events kept in one round trip."""

lost = Counter("reprise_mail_events_lost", "Openings of mails and clicks in them that could not be kept.")


class MailAct(NamedTuple):
    """Who opened which mail; or clicked in it, then with the product that it led to, and the slot where it stood."""

    shop: str
    campaign_id: str
    customer_id: str
    at: datetime
    product_id: str | None = None
    slot: int | None = None

    def event(self) -> Event:
        """As it is kept. Its id is the same for the same mail; of a click, for the same product and day (UTC).

        So whoever opens a link again and again, as programs do, adds nothing. Raises ValueError for what is no event.
        """
        mail = digest(f"{len(self.campaign_id)}:{self.campaign_id}{self.customer_id}")
        name = "mail_open" if self.product_id is None else "click"
        of_click = "" if self.product_id is None else f":{digest(self.product_id)}:{self.at:%Y-%m-%d}"
        return Event(
            event_id=f"{name}:{mail}{of_click}",
            event_type=name,
            customer_id=self.customer_id,
            product_id=self.product_id,
            occurred_at=self.at,
            placement="email",
            rank=self.slot,
            campaign_id=self.campaign_id,
        )


class MailEvents:
    """Keeps what readers did. Safe to share between threads. Arguments as those of `api.impressions.Impressions`."""

    def __init__(self, warehouse: Warehouse, bound: int, logger: FilteringBoundLogger) -> None:
        self._warehouse = warehouse
        self._bound = bound
        self._logger = logger
        self._background = Background("mail events", self._keep, _MOST_WAITING, _AT_ONCE)

    def note(self, act: MailAct) -> None:
        """Keep it soon; while Redis does not answer, or too many wait, it is lost, counted and logged."""
        if not self._background.put(act):
            self._lose([act], "too many wait to be kept")

    def flush(self) -> None:
        """Return when all that was noted is kept or lost."""
        self._background.flush()

    def _keep(self, waiting: Sequence[MailAct]) -> None:
        for shop, of_shop in groupby(sorted(waiting, key=lambda one: one.shop), key=lambda one: one.shop):
            acts = list(of_shop)
            try:
                self._warehouse.event_log(shop).accept([one.event() for one in acts], acts[-1].at, self._bound)
            except Exception as error:  # a thread that ended would keep nothing more
                self._lose(acts, type(error).__name__)

    def _lose(self, acts: Sequence[MailAct], detail: str) -> None:
        lost.inc(len(acts))
        self._logger.warning("mail_events_lost", shop=acts[0].shop, n=len(acts), detail=detail)
