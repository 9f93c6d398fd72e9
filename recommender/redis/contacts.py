"""The ledger of contacts in Redis or Valkey.

For each customer a hash of marks and a hash of contacts (`recommender.storage.contact_marks`); for each campaign a
string. The rules of frequency and suppression run on the server, in `scripts/contacts/claim.lua`.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, TypeVar, cast

from recommender.connection.client import Argument, Command, RedisClient
from recommender.days import MICROSECONDS_PER_DAY, SECONDS_PER_DAY, to_us
from recommender.errors import NotPermittedError, StoreError, UnknownCampaignError
from recommender.person import decode_id, digest, digest_of_person, encode_id
from recommender.redis.keys import Keys
from recommender.redis.lua import Script, load_script
from recommender.retention import CONTACT_PARTS, CONTACTS_KEPT_DAYS, KEPT_S, STANDING_KEPT_S
from recommender.settings import MailSettings
from recommender.storage.campaign import Campaign
from recommender.storage.contact_marks import contact_in, decode_mail, encode_mail, to_standing
from recommender.storage.contacts import (
    FEWER,
    MOST_CAMPAIGNS,
    MOST_MAILS,
    MOST_PRODUCTS,
    WEEK,
    Claim,
    ContactState,
    Refusal,
)
from recommender.suppression_list import ERASED, MARKS, Suppression

T = TypeVar("T")

USED_PERCENT = 95
"""Of the memory that Redis may use, beyond which it is left to what must be kept."""
MAIL_LIMITS = {"kept_s": KEPT_S["mails"], "most_mails": MOST_MAILS, "most_products": MOST_PRODUCTS}
"""Constants of the script `contacts/mails`."""

_BEGIN = load_script("contacts/begin_campaign")
_CLAIM = load_script(
    "contacts/mails",
    "contacts/last_order",
    "contacts/claim",
    day_s=SECONDS_PER_DAY,
    week_us=WEEK // timedelta(microseconds=1),
    fewer_us=FEWER // timedelta(microseconds=1),
    **MAIL_LIMITS,
)
_READ = load_script("contacts/last_order", "contacts/read", day_s=SECONDS_PER_DAY)
_RELEASE = load_script("contacts/release")

_RESTORE = load_script("event_log/memory", "contacts/restore", used_percent=USED_PERCENT, standing_s=STANDING_KEPT_S)

_SECONDS_PER_MINUTE = 60
_KEYS_PER_TRIP = 5_000
_CUSTOMERS_PER_TRIP = 500
"""Other clients wait while the server decides."""


class RedisContacts:
    """The Contacts of one shop. Safe to share between threads.

    Args:
        shop: the shop whose keys these are.
        reader: a client with the short time-out of a page.
        writer: a client with a long one: a claim without an answer may be in the ledger, so claim again.
    """

    def __init__(self, shop: str, reader: RedisClient, writer: RedisClient) -> None:
        self._keys = Keys(shop)
        self._reader = reader
        self._writer = writer

    def begin(self, campaign: Campaign) -> Campaign:
        """See `Contacts.begin`."""
        key, begun_at = self._keys.campaign(digest(campaign.campaign_id)), int(campaign.begun_at.timestamp())
        what = (campaign.to_json(), KEPT_S["mails"], campaign.campaign_id, begun_at)
        with self._reading(key):
            return Campaign.from_json(self._writer.evaluate(_BEGIN.text, [key, self._keys.campaigns], *what))

    def find(self, campaign_id: str) -> Campaign:
        """See `Contacts.find`."""
        key = self._keys.campaign(digest(campaign_id))
        found = self._reader.call("GET", key)
        if found is None:
            raise UnknownCampaignError(f"no campaign {campaign_id!r} began in the last {CONTACTS_KEPT_DAYS} days")
        return self._read_campaign(key, found)

    def cancel(self, campaign_id: str, at: datetime) -> Campaign:
        """See `Contacts.cancel`."""
        campaign = self.find(campaign_id)
        if campaign.cancelled_at is None:
            campaign = replace(campaign, cancelled_at=at)
            key = self._keys.campaign(digest(campaign_id))
            self._writer.call("SET", key, campaign.to_json(), "XX", "KEEPTTL")
        return campaign

    def campaigns(self) -> list[Campaign]:
        """See `Contacts.campaigns`. Two round trips."""
        ids = self._reader.call("ZREVRANGE", self._keys.campaigns, 0, MOST_CAMPAIGNS - 1)
        keys = [self._keys.campaign(digest(one.decode())) for one in ids]
        found = zip(keys, self._reader.call("MGET", *keys) if keys else [], strict=True)
        return [self._read_campaign(key, text) for key, text in found if text is not None]

    def standings(self, customer_ids: Sequence[str]) -> list[ContactState]:
        """See `Contacts.standings`. One round trip for each _CUSTOMERS_PER_TRIP."""
        return [one for some in _in_trips(customer_ids) for one in self._standings(some)]

    def claim(self, claims: Sequence[Claim], rules: MailSettings) -> list[Refusal | None]:
        """See `Contacts.claim`. One round trip for each _CUSTOMERS_PER_TRIP."""
        return [one for some in _in_trips(claims) for one in self._claim(some, rules)]

    def release(self, campaign_id: str, customer_ids: Sequence[str]) -> int:
        """See `Contacts.release`. One round trip for each _CUSTOMERS_PER_TRIP."""
        contact = encode_id(contact_in(campaign_id))
        trips = (
            [self._keys.of("mails", digest_of_person(one, None)) for one in some] for some in _in_trips(customer_ids)
        )
        return sum(int(self._writer.evaluate(_RELEASE.text, keys, contact)) for keys in trips)

    def server(self) -> str:
        """See `Contacts.server`."""
        try:
            return str(self._ask_server("INFO", "server")["run_id"])
        except NotPermittedError:
            return f"not told in minute {int(time.time()) // _SECONDS_PER_MINUTE}"

    def suppressions(self) -> Iterator[list[Suppression]]:
        """See `Contacts.suppressions`. It walks over all keys of the server, _KEYS_PER_TRIP at a time."""
        erased = self._writer.call("HGETALL", self._keys.erased)
        yield [Suppression(person.decode(), ERASED, _to_us(at)) for person, at in erased.items()]
        head, cursor = self._keys.of("standing", ""), None
        while cursor != 0:
            scan: Command = ("SCAN", cursor or 0, "MATCH", f"{head}*", "COUNT", _KEYS_PER_TRIP)
            cursor, keys = self._ask_server(*scan)
            found = self._writer.pipeline([("HMGET", key, *MARKS) for key in keys])
            yield [
                Suppression(key.decode().removeprefix(head), mark, int(at))
                for key, moments in zip(keys, found, strict=True)
                for mark, at in zip(MARKS, moments, strict=True)
                if at is not None and at.isdigit()
            ]

    def unknown(self, suppressions: Iterable[Suppression]) -> list[Suppression]:
        """See `Contacts.unknown`. One round trip for each _CUSTOMERS_PER_TRIP."""
        return self._compare(suppressions, "")

    def restore(self, suppressions: Iterable[Suppression]) -> None:
        """See `Contacts.restore`. One round trip for each _CUSTOMERS_PER_TRIP."""
        self._compare(suppressions, "write")

    def _read_campaign(self, key: str, text: bytes) -> Campaign:
        with self._reading(key):
            return Campaign.from_json(text)

    def _ask_server(self, *command: Argument) -> Any:
        """The answer of the server that holds the shop: on a cluster the first key of a pipeline names it."""
        return self._writer.pipeline([("EXISTS", self._keys.erased), command])[1]

    def _compare(self, suppressions: Iterable[Suppression], how: str) -> list[Suppression]:
        unknown = []
        for some in _in_trips(suppressions):
            keys = [self._keys.erased, *(self._keys.of("standing", one.person) for one in some)]
            arguments = [part for one in some for part in one]
            unknown += [some[i] for i in self._writer.evaluate_cached(*_RESTORE, keys, how, *arguments)]
        return unknown

    def _standings(self, customer_ids: Sequence[str]) -> list[ContactState]:
        people = [digest_of_person(customer_id, None) for customer_id in customer_ids]
        found = self._ask(self._reader.evaluate_cached, _READ, people, people)
        states = []
        for person, answer in zip(people, found, strict=True):
            with self._reading(self._keys.of("mails", person)):
                states.append(_to_state(*answer))
        return states

    def _claim(self, claims: Sequence[Claim], rules: MailSettings) -> list[Refusal | None]:
        days = (rules.quiet_days_after_order, rules.quiet_days_after_complaint)
        arguments: list[Argument] = [
            rules.most_per_week,
            rules.consent,
            *(n * MICROSECONDS_PER_DAY for n in days),
        ]
        people = [digest_of_person(claim.customer_id, None) for claim in claims]
        for person, claim in zip(people, claims, strict=True):
            arguments += (person, *_describe(claim))
        answers = self._ask(self._writer.evaluate_cached, _CLAIM, people, arguments)
        return [cast(Refusal, answer.decode()) if answer else None for answer in answers]

    def _ask(
        self,
        evaluate: Callable[..., Any],
        script: Script,
        people: Sequence[str],
        arguments: Sequence[Argument],
    ) -> Sequence[Any]:
        keys = [self._keys.erased, *(self._keys.of(part, person) for person in people for part in CONTACT_PARTS)]
        found = evaluate(*script, keys, *arguments)
        if isinstance(found, bytes):
            raise self._unreadable(found.decode())
        return cast(Sequence[Any], found)

    @contextmanager
    def _reading(self, key: str) -> Iterator[None]:
        try:
            yield
        except (ValueError, TypeError, LookupError, AttributeError, OverflowError):
            raise self._unreadable(key) from None

    def _unreadable(self, key: str) -> StoreError:
        return StoreError(
            f"Redis at {self._reader.address} holds what is no contact or campaign under {key} or beside it; "
            "nobody is written to before it is mended or restored"
        )


def _describe(claim: Claim) -> Iterator[Argument]:
    at = to_us(claim.at)
    yield encode_id(contact_in(claim.campaign_id))
    yield encode_mail(at, 0, dict.fromkeys(claim.product_ids))
    yield "" if claim.last_order_at is None else to_us(claim.last_order_at)
    yield at


def _to_state(erased: int, marks: Sequence[bytes], mails: Sequence[bytes], ordered_at: bytes | None) -> ContactState:
    moments = {decode_id(name): int(at) for name, at in _pairs(marks)}
    if min(moments.values(), default=0) < 0:
        raise ValueError("an event was before 1970")
    contacts = [decode_mail(decode_id(contact), wire) for contact, wire in _pairs(mails)]
    return to_standing(moments, contacts, None if ordered_at is None else int(ordered_at), erased=bool(erased))


def _pairs(flat: Sequence[bytes]) -> Iterable[tuple[bytes, bytes]]:
    return zip(flat[::2], flat[1::2], strict=True)


def _to_us(at: bytes) -> int:
    """When a customer was erased; that it cannot be read is no reason to forget it."""
    try:
        return to_us(datetime.fromisoformat(at.decode()))
    except (ValueError, TypeError):
        return 0


def _in_trips(items: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(items)
    while some := list(islice(rest, _CUSTOMERS_PER_TRIP)):
        yield some
