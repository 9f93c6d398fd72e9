"""How often people are written to, and how the links in their mails are made."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class MailSettings(BaseModel):
    """`[mail]` in `reprise.toml`."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    secret: SecretStr | None = Field(default=None, min_length=32)
    """32 characters or more that sign the links in mails; the same wherever mails are made or answered. None: mails
    have no links of ours."""
    link_base: str = Field(default="http://127.0.0.1:8000", pattern=r"^https?://[^\s?#]+$")
    """Where the readers of a mail reach the service."""
    sender: str | None = None
    """Over every mail: the shop's name."""
    postal_address: str | None = None
    """Under every mail, as many countries' laws want it; its lines."""
    most_per_week: int = Field(default=2, ge=0, le=50)
    """Most mails to one customer in any seven days, over all campaigns."""
    quiet_days_after_order: int = Field(default=2, ge=0, le=365)
    """Days without a mail after an order."""
    quiet_days_after_complaint: int = Field(default=90, ge=0, le=3_650)
    """Days without a mail after a complaint."""
    consent: Literal["assumed", "required"] = "assumed"
    """Who may be written to: `assumed`: everybody who never objected; `required`: only who subscribed."""
