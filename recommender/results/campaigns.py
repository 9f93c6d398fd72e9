"""Results of one campaign: who was chosen, mailed and reached, what they did, and what the mails caused."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from recommender.results.placements import Money

MAILED = "mailed"
"""The variant of those who get the mail, where no experiment of the shop names other variants."""

Verdict = Literal["more", "fewer", "undecided", "no_difference", "running", "no_orders", "no_holdout", "not_sent"]
"""What is known of an effect: more or fewer orders; not decided, and more mails would decide; none that matters;
the days in which orders count are not over and it is not clear yet; nobody tells of orders; nobody was held out; it was
cancelled before a mail of it was sent."""


@dataclass(frozen=True, slots=True)
class VariantResults:
    """The results of one variant of a campaign. Numbers are of customers where nothing else is said.

    Attributes:
        variant: `mailed`, `holdout`, or a variant of an experiment of the shop on this campaign.
        selected: in the audience.
        refused: reason → how many of `selected` could not be written to (`recommender.storage.contacts.Refusal`), or
            had no product worth a mail (`nothing_good_enough`).
        sent, bounced, opened, clicked, unsubscribed, complained: by events.
        bought: bought what they had clicked in the mail.
        units, money: of these purchases.
        took_part: would really get the mail, whether they got it or were held out: these are compared.
        orders: of those who took part, within the stated days after they did.
        orders_squared: sum of the squares of each one's orders: with `took_part` and `orders` it gives the spread, and
            campaigns can be added up.
        ordered: of those who took part, with at least one order.
        revenue: of these orders.
    """

    variant: str
    selected: int = 0
    refused: Mapping[str, int] = field(default_factory=dict)
    sent: int = 0
    bounced: int = 0
    opened: int = 0
    clicked: int = 0
    bought: int = 0
    units: float = 0.0
    money: Money = field(default_factory=dict)
    unsubscribed: int = 0
    complained: int = 0
    took_part: int = 0
    orders: int = 0
    orders_squared: int = 0
    ordered: int = 0
    revenue: Money = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Effect:
    """The effect of a campaign's mails on orders per customer, against those who were held out.

    Attributes:
        verdict: what is known of it.
        lift, low, high: the difference as a share of the hold-out's orders, with its 95 % interval; None where nothing
            can be said.
        extra_orders: how many orders the mails brought, as far as is known; None as above.
        more_weeks: weeks, with a mailing of this size each, until a lift of 5 % would be found; where undecided.
        until: ISO date on which the days end in which orders count; None without mails.
        sentence: the same in English, for a marketer.
    """

    verdict: Verdict
    lift: float | None = None
    low: float | None = None
    high: float | None = None
    extra_orders: float | None = None
    more_weeks: int | None = None
    until: str | None = None
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class CampaignResults:
    """The results of one campaign, or of all mails of a quarter.

    Attributes:
        campaign_id: of the campaign; `mails-2026-q4` for all mails of a quarter, where some are held out from all.
        first_at: when the first customer took part or was mailed, ISO-8601 in UTC; None before.
        within_days: days after a mail, or a click in it, in which orders count.
        variants: the hold-out last.
        effect: against the hold-out.
    """

    campaign_id: str
    first_at: str | None
    within_days: float
    variants: tuple[VariantResults, ...]
    effect: Effect

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return asdict(self) | {"variants": [asdict(one) for one in self.variants]}

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> "CampaignResults":
        """The inverse of `to_dict`. Raises TypeError or KeyError where these are no results."""
        variants = tuple(VariantResults(**one) for one in fields["variants"])
        return cls(**{**fields, "variants": variants, "effect": Effect(**fields["effect"])})
