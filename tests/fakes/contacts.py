"""The ledger of contacts in memory, for tests and for trying things out: gone with the process."""

import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from recommender.days import to_us
from recommender.errors import UnknownCampaignError
from recommender.events.event import Event
from recommender.person import digest_of_person
from recommender.retention import CONTACTS_KEPT_DAYS, MOST_MARKS, STANDING_KEPT_S, PersonalPart
from recommender.settings import MailSettings
from recommender.storage.campaign import Campaign
from recommender.storage.contact_marks import contact_in, contact_of, mark_of, to_standing
from recommender.storage.contacts import (
    MOST_CAMPAIGNS,
    MOST_MAILS,
    MOST_PRODUCTS,
    Claim,
    ContactState,
    Mail,
    Refusal,
    refusal,
)
from recommender.suppression_list import ERASED, MARKS, Suppression


class MemoryContacts:
    """A Contacts without a server. Safe to share between threads.

    Args:
        erased: when everybody was erased, by `digest_of_person`, as it is kept elsewhere.
        recent: the events of each part and person, as they are kept elsewhere.
    """

    def __init__(
        self, erased: Mapping[str, datetime], recent: Mapping[tuple[PersonalPart, str], Sequence[Event]]
    ) -> None:
        self._erased = erased
        self._recent = recent
        self._marks: defaultdict[str, dict[str, int]] = defaultdict(dict)
        self._mails: defaultdict[str, dict[str, Mail]] = defaultdict(dict)
        self._campaigns: dict[str, Campaign] = {}
        self._lock = threading.RLock()

    def begin(self, campaign: Campaign) -> Campaign:
        """See `Contacts.begin`. It is kept for good."""
        return self._campaigns.setdefault(campaign.campaign_id, campaign)

    def find(self, campaign_id: str) -> Campaign:
        """See `Contacts.find`."""
        if campaign_id not in self._campaigns:
            raise UnknownCampaignError(f"no campaign {campaign_id!r} began in the last {CONTACTS_KEPT_DAYS} days")
        return self._campaigns[campaign_id]

    def cancel(self, campaign_id: str, at: datetime) -> Campaign:
        """See `Contacts.cancel`."""
        campaign = self.find(campaign_id)
        self._campaigns[campaign_id] = replace(campaign, cancelled_at=campaign.cancelled_at or at)
        return self._campaigns[campaign_id]

    def campaigns(self) -> list[Campaign]:
        """See `Contacts.campaigns`."""
        return sorted(self._campaigns.values(), key=lambda one: one.begun_at, reverse=True)[:MOST_CAMPAIGNS]

    def standings(self, customer_ids: Sequence[str]) -> list[ContactState]:
        """See `Contacts.standings`."""
        with self._lock:
            return [self._standing(digest_of_person(customer_id, None)) for customer_id in customer_ids]

    def claim(self, claims: Sequence[Claim], rules: MailSettings) -> list[Refusal | None]:
        """See `Contacts.claim`."""
        with self._lock:
            return [self._claim(claim, rules) for claim in claims]

    def release(self, campaign_id: str, customer_ids: Sequence[str]) -> int:
        """See `Contacts.release`."""
        with self._lock:
            kept, contact = [self._mails[digest_of_person(one, None)] for one in customer_ids], contact_in(campaign_id)
            unsent = [mails for mails in kept if contact in mails and mails[contact].sent_at is None]
            for mails in unsent:
                del mails[contact]
            return len(unsent)

    def server(self) -> str:
        """See `Contacts.server`."""
        return "this process"

    def suppressions(self) -> Iterator[Sequence[Suppression]]:
        """See `Contacts.suppressions`."""
        yield [Suppression(person, ERASED, to_us(at)) for person, at in self._erased.items()]
        yield [
            Suppression(person, mark, at)
            for person, marks in self._marks.items()
            for mark, at in marks.items()
            if mark in MARKS
        ]

    def unknown(self, suppressions: Iterable[Suppression]) -> list[Suppression]:
        """See `Contacts.unknown`."""
        ended = to_us(datetime.now(UTC)) - STANDING_KEPT_S * 1_000_000
        return [
            one
            for one in suppressions
            if one.person not in self._erased
            and self._marks.get(one.person, {}).get(one.mark, -1) < one.at
            and not (one.mark in ("subscribe", "fewer_mails") and one.at <= ended)
        ]

    def restore(self, suppressions: Iterable[Suppression]) -> None:
        """See `Contacts.restore`."""
        for person, mark, at in self.unknown(suppressions):
            self._marks[person][mark] = at

    def note(self, event: Event, part: PersonalPart, now: datetime) -> None:
        """Let an event of the part `standing` or `mails` that is accepted `now` count."""
        person = digest_of_person(event.customer_id, event.session_id)
        with self._lock:
            if part == "mails":
                self._add_sent(self._mails[person], event)
            else:
                marks, mark = self._marks[person], mark_of(event)
                marks[mark] = max(to_us(min(event.occurred_at, now)), marks.get(mark, 0))
                if len(marks) > MOST_MARKS:
                    of_products = [one for one in marks if one.startswith("subscription_") and one != mark]
                    del marks[min(of_products, key=marks.__getitem__)]

    def note_reader(self, event: Event) -> None:
        """Let what a reader did on our page count, over all that was said before."""
        with self._lock:
            marks, mark = self._marks[digest_of_person(event.customer_id, None)], mark_of(event)
            others = ("unsubscribe", "fewer_mails") if mark == "subscribe" else ("subscribe",)
            before = max(marks.get(one, 0) for one in others) + (mark == "subscribe")
            marks[mark] = max(to_us(event.occurred_at), marks.get(mark, 0), before)

    def forget(self, person: str) -> None:
        """Drop what is kept of one."""
        with self._lock:
            self._marks.pop(person, None)
            self._mails.pop(person, None)

    def _standing(self, person: str) -> ContactState:
        ordered = (to_us(one.occurred_at) for one in self._orders(person) if one.event_type == "purchase")
        mails, marks = self._mails.get(person, {}), self._marks.get(person, {})
        return to_standing(marks, mails.values(), max(ordered, default=None), erased=person in self._erased)

    def _orders(self, person: str) -> Sequence[Event]:
        return self._recent.get(("orders", person), ())

    def _claim(self, claim: Claim, rules: MailSettings) -> Refusal | None:
        person = digest_of_person(claim.customer_id, None)
        standing = self._standing(person)
        refused = refusal(standing, claim, rules)
        if refused is None and standing.mail_of(claim.campaign_id) is None:
            mail = Mail(claim.campaign_id, claim.at, tuple(dict.fromkeys(claim.product_ids)))
            _keep(self._mails[person], contact_in(claim.campaign_id), mail)
        return refused

    @staticmethod
    def _add_sent(mails: dict[str, Mail], event: Event) -> None:
        new = Mail(event.campaign_id or "", event.occurred_at, ())
        mail = mails.get(contact_of(event), new)
        product_ids = mail.product_ids
        if event.product_id is not None and event.product_id not in product_ids and len(product_ids) < MOST_PRODUCTS:
            product_ids = (*product_ids, event.product_id)
        sent_at = max(event.occurred_at, mail.sent_at or event.occurred_at)
        _keep(mails, contact_of(event), mail._replace(product_ids=product_ids, sent_at=sent_at))


def _keep(mails: dict[str, Mail], contact: str, mail: Mail) -> None:
    """Keep a contact, and of the others the latest."""
    mails.pop(contact, None)
    forgotten = mail.counted_at - timedelta(days=CONTACTS_KEPT_DAYS)
    for one in [one for one, other in mails.items() if other.counted_at <= forgotten]:
        del mails[one]
    if len(mails) >= MOST_MAILS:
        del mails[min(mails, key=lambda one: mails[one].counted_at)]
    mails[contact] = mail
