"""One campaign: who is meant, and with how many products. It is pinned when it begins, so that it can be run again."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, NamedTuple

from recommender.slate.slate import Item

CAMPAIGN_ID = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
"""What a campaign may be called: it stands in paths, file names and links."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """What was settled when a campaign began.

    Attributes:
        campaign_id: the shop's own name for it.
        audience: see `recommender.campaigns.audiences`.
        slots: most products in one mail.
        version: the published version that the picks come from.
        begun_at: aware; the picks are those of this moment, and contacts are counted from it.
        holdout: share of the customers who would get its mail and do not, so that they can be compared.
        holdout_of_all: share of all customers who get no mail in the quarter in which it began.
        cancelled_at: aware; None while it was not.
    """

    campaign_id: str
    audience: str
    slots: int
    version: str
    begun_at: datetime
    holdout: float = 0.0
    holdout_of_all: float = 0.0
    cancelled_at: datetime | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        cancelled_at = self.cancelled_at and self.cancelled_at.isoformat()
        return asdict(self) | {"begun_at": self.begun_at.isoformat(), "cancelled_at": cancelled_at}

    def to_json(self) -> bytes:
        """Compact JSON."""
        return json.dumps(self.to_dict(), ensure_ascii=False, separators=(",", ":")).encode()

    @classmethod
    def from_json(cls, text: bytes) -> "Campaign":
        """The inverse of `to_json`. Raises ValueError, TypeError or KeyError where `text` is no campaign."""
        fields = json.loads(text)
        moments = {
            name: datetime.fromisoformat(fields[name]) for name in ("begun_at", "cancelled_at") if fields.get(name)
        }
        return cls(**fields | {"begun_at": moments["begun_at"], "cancelled_at": moments.get("cancelled_at")})


class Picks(NamedTuple):
    """What one mail shows.

    Attributes:
        customer_id: to whom.
        items: best first, `Campaign.slots` at most, at least one.
        spares: ids of the next best products, for slots whose product is gone when the mail is opened.
        variant: of the experiment on this campaign; None where there is none.
    """

    customer_id: str
    items: tuple[Item, ...]
    spares: tuple[str, ...] = ()
    variant: str | None = None
