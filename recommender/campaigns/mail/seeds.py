"""Test mails: one customer's mail to a list of colleagues; nothing is begun, claimed, counted or told."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import get_args

from recommender.campaigns.mail.mailbox import Mailbox, check_address
from recommender.campaigns.mail.message import MessageBuilder
from recommender.campaigns.mail.render import Rendered
from recommender.campaigns.mail.smtp import ReplyKind, Session
from recommender.errors import UsageError

MOST_SEEDS = 50
"""Addresses of one test: it is no way around a campaign's rules."""
LONGEST = timedelta(minutes=2)
"""After so long, no more mails of a test are begun."""
MARK = "[Test] "
_FAILED = ("lost", "unknown")


@dataclass(frozen=True)
class SeedMails:
    """A sender of test mails, one after another over one connection.

    Attributes:
        builder: of messages that unsubscribe nobody.
        session: with the mail server.
        render: makes the mail in the language, and with the name, of an address.
        clock: the aware moment.
    """

    builder: MessageBuilder
    session: Session
    render: Callable[[Mailbox], Rendered]
    clock: Callable[[], datetime]

    def send(self, seeds: Sequence[Mailbox]) -> dict[ReplyKind, int]:
        """How many mails had which reply; `lost` are also those that were not tried, as the server failed or was slow.

        Raises:
            MailError: a mail cannot be made, or the server takes none.
        """
        counts: dict[ReplyKind, int] = dict.fromkeys(get_args(ReplyKind), 0)
        until = self.clock() + LONGEST
        try:
            for done, seed in enumerate(seeds):
                kind = self._send(seed)
                counts[kind] += 1
                if kind in _FAILED or self.clock() > until:
                    counts["lost"] += len(seeds) - done - 1
                    break
        finally:
            self.session.quit()
        return counts

    def _send(self, seed: Mailbox) -> ReplyKind:
        at, rendered = self.clock(), self.render(seed)
        mail = self.builder.build(replace(rendered, subject=MARK + rendered.subject), seed.address, seed, at)
        return self.session.send(mail, lambda: None).kind


def check_seeds(addresses: Iterable[str]) -> list[Mailbox]:
    """The mailboxes of the setting `mail.seeds`. Raises UsageError, which names one that is no address."""
    return [_check(address) for address in addresses]


def _check(address: str) -> Mailbox:
    checked = check_address(address)
    if checked is None:
        raise UsageError(f"mail.seeds holds {address!r}, which is no address; write anna@shop.example")
    return Mailbox(checked)
