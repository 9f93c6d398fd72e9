"""One shop's events and contacts, told and asked in a word."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from recommender.events.event import Event
from recommender.settings import MailSettings
from recommender.storage.contacts import Claim, Contacts, ContactState
from recommender.storage.event_log import EventLog, Verdict

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
READ_AT = NOW + 10 * DAY
"""When the events come."""
RULES = MailSettings()
"""Two mails a week, two quiet days after an order, ninety after a complaint."""


class Governed(NamedTuple):
    log: EventLog
    contacts: Contacts

    def tell(self, event_type: str, at: datetime = NOW, customer_id: str = "ANN", **fields: object) -> Verdict:
        """One event."""
        event_id = fields.pop("event_id", f"{event_type} {at} {customer_id} {fields}")
        needs_product = event_type in ("purchase", "refund") or event_type.startswith("subscription")
        fields = ({"product_id": "MILK"} if needs_product else {}) | fields
        event = Event(event_id=event_id, event_type=event_type, customer_id=customer_id, occurred_at=at, **fields)
        (verdict,) = self.log.accept([event], READ_AT, 10_000)
        return verdict

    def claim(
        self,
        campaign_id: str,
        at: datetime = NOW,
        *,
        customer_id: str = "ANN",
        last_order_at: datetime | None = None,
        product_ids: tuple[str, ...] = ("TEA",),
        rules: MailSettings = RULES,
    ) -> str | None:
        """One claim."""
        (answer,) = self.contacts.claim([Claim(campaign_id, customer_id, product_ids, last_order_at, at)], rules)
        return answer

    def standing(self, customer_id: str = "ANN") -> ContactState:
        (standing,) = self.contacts.standings([customer_id])
        return standing
