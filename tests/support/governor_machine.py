"""Claims, releases, erasures and events in any order, beside rules that are checked one by one, the slow way."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from recommender.events.event import Event
from recommender.settings import MailSettings
from recommender.storage.contacts import Claim, Contacts
from recommender.storage.event_log import EventLog, Verdict

BEGIN = datetime(2026, 10, 20, tzinfo=UTC)
"""The weeks after it hold the end of summer time in Europe and America."""
READ_AT = BEGIN + timedelta(days=25)
SECOND, WEEK = timedelta(seconds=1), timedelta(days=7)
CUSTOMERS, CAMPAIGNS = ("ANN", "BOB"), ("A", "B", "C", "D", "E")

customers, campaigns = st.sampled_from(["ANN", *CUSTOMERS]), st.sampled_from(CAMPAIGNS)
moments = st.builds(
    lambda days, seconds: BEGIN + timedelta(days=days, seconds=seconds),
    st.sampled_from([1, 2, 4, 8, 9, 11, 15]),
    st.sampled_from([0, 0, 0, 0, 0, 1, -1]),
)
"""Mostly whole days and weeks apart, or a second more or less: the edges of every rule."""
topics = st.sampled_from(
    [
        (),
        ("purchase", "refund"),
        ("subscribe", "unsubscribe"),
        ("subscribe", "mail_bounce"),
        ("mail_complaint", "mail_open"),
        ("erase", "unsubscribe", "purchase"),
    ]
)
"""What one history is about; one about everything seldom comes to the edges."""
settings_of_shops = st.builds(
    MailSettings,
    most_per_week=st.sampled_from([1, 1, 2, 2, 3, 0]),
    quiet_days_after_order=st.sampled_from([0, 1, 2]),
    quiet_days_after_complaint=st.sampled_from([0, 1, 7]),
    consent=st.sampled_from(["assumed", "assumed", "assumed", "required"]),
)


class GovernorMachine(RuleBasedStateMachine):
    """A subclass says what is governed: several ledgers are told and asked the same and must answer the same.

    What happened is kept as it happened; what follows from it is worked out anew for every claim.
    """

    def make(self) -> Sequence[tuple[EventLog, Contacts]]:
        """Empty ledgers of the same shop."""
        raise NotImplementedError

    def __init__(self) -> None:
        super().__init__()
        self.ledgers = self.make()
        self.numbers = count()
        self.rules, self.topic = MailSettings(), ()
        self.told: defaultdict[tuple[str, str], list[datetime]] = defaultdict(list)
        self.mails: defaultdict[str, dict[str, list[datetime]]] = defaultdict(dict)
        self.sent: set[tuple[str, str]] = set()
        self.erased: set[str] = set()

    @initialize(rules=settings_of_shops, topic=topics)
    def open(self, rules: MailSettings, topic: Sequence[str]) -> None:
        """One shop's rules."""
        self.rules, self.topic = rules, topic

    @precondition(lambda self: self.topic)
    @rule(customer_id=customers, data=st.data(), at=moments)
    def tell(self, customer_id: str, data: st.DataObject, at: datetime) -> None:
        """An event that moves a mark, or none."""
        event_type = data.draw(st.sampled_from([one for one in self.topic if one != "erase"]))
        if self.accept(customer_id, event_type, at):
            self.told[customer_id, event_type].append(at)

    @rule(customer_id=customers, campaign_id=campaigns | st.none(), at=moments)
    def send(self, customer_id: str, campaign_id: str | None, at: datetime) -> None:
        """Somebody sent a mail, whether it may be or not."""
        if self.accept(customer_id, "mail_sent", at, campaign_id):
            name = campaign_id or f"unnamed {next(self.numbers)}"
            self.mails[customer_id].setdefault(name, []).append(at)
            self.sent.add((customer_id, name))

    @rule(claims=st.lists(st.tuples(campaigns, customers, st.none() | moments, moments), min_size=1, max_size=4))
    def claim(self, claims: Sequence[tuple[str, str, datetime | None, datetime]]) -> None:
        """Several mails at once, also to one customer."""
        wanted = [Claim(campaign, customer, ("TEA",), last, at) for campaign, customer, last, at in claims]
        answers = [contacts.claim(wanted, self.rules) for _, contacts in self.ledgers]
        expected = [self.decide(one) for one in wanted]
        for answer in answers:
            assert answer == expected, wanted

    @rule(customer_id=customers, campaign_id=campaigns)
    def release(self, customer_id: str, campaign_id: str) -> None:
        """It was not sent after all."""
        for _, contacts in self.ledgers:
            contacts.release(campaign_id, [customer_id])
        if (customer_id, campaign_id) not in self.sent:
            self.mails[customer_id].pop(campaign_id, None)

    @precondition(lambda self: "erase" in self.topic)
    @rule(customer_id=customers)
    def erase(self, customer_id: str) -> None:
        """Somebody asks to be forgotten."""
        for log, _ in self.ledgers:
            log.erase(customer_id, READ_AT)
        self.erased.add(customer_id)

    @invariant()
    def ledgers_agree(self) -> None:
        """What they tell of each customer is the same, and nothing is kept of the erased."""
        told = [contacts.standings(CUSTOMERS) for _, contacts in self.ledgers]
        assert all(one == told[0] for one in told)
        for customer_id, standing in zip(CUSTOMERS, told[0], strict=True):
            expected = sorted(max(at) for at in self.mails[customer_id].values())
            assert sorted(mail.counted_at for mail in standing.mails) == ([] if standing.erased else expected)
            assert standing.erased == (customer_id in self.erased)

    def accept(self, customer_id: str, event_type: str, at: datetime, campaign_id: str | None = None) -> bool:
        """Whether an event was taken."""
        number = next(self.numbers)
        product_id = "TEA" if event_type in ("purchase", "refund") else None
        event = Event(
            event_id=str(number),
            event_type=event_type,
            customer_id=customer_id,
            product_id=product_id,
            occurred_at=at,
            campaign_id=campaign_id,
        )
        verdicts = {log.accept([event], READ_AT, 10_000)[0] for log, _ in self.ledgers}
        assert verdicts == {Verdict.ERASED if customer_id in self.erased else Verdict.ACCEPTED}
        return customer_id not in self.erased

    def decide(self, claim: Claim) -> str | None:
        """What must be answered; a mail that may be sent is one from now on."""
        reason = self.reason(claim)
        if reason is None:
            self.mails[claim.customer_id].setdefault(claim.campaign_id, [claim.at])
        return reason

    def reason(self, claim: Claim) -> str | None:
        """Every rule by itself."""

        def told(event_type: str) -> list[datetime]:
            return self.told[claim.customer_id, event_type]

        def since_subscribing(event_type: str) -> bool:
            return any(all(at >= other for other in told("subscribe")) for at in told(event_type))

        def in_quiet_days(moments: Sequence[datetime], days: int) -> bool:
            return any(claim.at < at + n * timedelta(days=1) for at in moments for n in range(1, days + 1))

        orders = [*told("purchase"), *([claim.last_order_at] if claim.last_order_at else [])]
        known = claim.campaign_id in self.mails[claim.customer_id]
        checks = {
            "erased": claim.customer_id in self.erased,
            "unsubscribed": since_subscribing("unsubscribe"),
            "bounced": since_subscribing("mail_bounce"),
            "no_consent": self.rules.consent == "required" and not told("subscribe"),
            "quiet_after_complaint": in_quiet_days(told("mail_complaint"), self.rules.quiet_days_after_complaint),
            "quiet_after_order": not known and in_quiet_days(orders, self.rules.quiet_days_after_order),
            "too_often": not known and self.one_too_many(claim),
        }
        return next((reason for reason, holds in checks.items() if holds), None)

    def one_too_many(self, claim: Claim) -> bool:
        """Whether any seven days would hold too many: each second at which one could begin matters only at a mail."""
        others = [max(at) for at in self.mails[claim.customer_id].values()]
        weeks = [begin for begin in [claim.at, *others] if begin <= claim.at < begin + WEEK]
        return any(1 + sum(begin <= at < begin + WEEK for at in others) > self.rules.most_per_week for begin in weeks)
