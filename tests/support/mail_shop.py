"""A shop whose customers C000, C001, … all like milk, and a campaign to all of them, ready to be sent to a sink.

It is small_shop's moment; MILK is due, COFFEE is new to everybody, so everybody gets a mail of two products.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from recommender.campaigns.context import open_context
from recommender.campaigns.mail.mail_server import MailServer
from recommender.campaigns.mail.message import make_message_builder
from recommender.campaigns.mail.render import Renderer
from recommender.campaigns.run import begin_campaign
from recommender.cli.progress import Progress
from recommender.publication.lists import LIST_NAMES
from recommender.publication.manifest import Publication
from recommender.settings import MailSettings, Settings
from tests.fakes.shops import MemoryShopStorage
from tests.support import small_shop
from tests.support.profiles import make_profile, make_table
from tests.support.small_shop import NOW, TODAY
from training.campaigns.mail.addresses import open_addresses
from training.campaigns.mail.delivery import Delivery
from training.campaigns.mail.mailer import Mailer
from training.campaigns.mail.outbox import Outbox, open_outbox

SECRET = "a secret of thirty-two characters"
SENDER = "Shop <news@shop.example>"
CAMPAIGN = "reorder"


def names(n: int) -> list[str]:
    """The customers."""
    return [f"C{number:03d}" for number in range(n)]


def mailbox(customer_id: str) -> str:
    """Where a customer's mail goes."""
    return f"{customer_id.lower()}@mail.example"


def publication(n: int) -> Publication:
    """A version with `n` customers."""
    ids = names(n)
    rows = dict(small_shop.ROWS)
    rows["buy_again"] = dict.fromkeys(ids, small_shop.ROWS["buy_again"]["ANNA"])
    rows["discover"] = dict.fromkeys(ids, small_shop.ROWS["discover"]["ANNA"])
    tables = {name: small_shop.table(name, rows[name]) for name in LIST_NAMES}
    profiles = [make_profile(one, first_day=TODAY - 139, last_day=TODAY - 6, orders=20) for one in ids]
    whole = small_shop.publication()
    manifest = replace(
        whole.manifest,
        counts={**whole.manifest.counts, "customers": n, "profiles": n},
        lists={name: len(tables[name]) for name in LIST_NAMES},
    )
    return Publication(manifest, whole.products, tables, profiles=make_table(*profiles))


def write_addresses(path: Path, customer_ids: Sequence[str]) -> Path:
    """A file of addresses."""
    lines = [f"{one},{mailbox(one)}" for one in customer_ids]
    path.write_text("\n".join(["customer_id,email", *lines, ""]))
    return path


@dataclass
class MailShop:
    """The shop, its outbox, and a clock that moves when somebody sleeps.

    Attributes:
        slept: seconds, in order.
        storage: where contacts and events are.
    """

    folder: Path
    customer_ids: Sequence[str]
    storage: MemoryShopStorage = field(default_factory=MemoryShopStorage)
    slept: list[float] = field(default_factory=list)
    now: datetime = NOW

    def __post_init__(self) -> None:
        self.storage.store("default").publish(publication(len(self.customer_ids)), keep=3)
        write_addresses(self.folder / "addresses.csv", self.customer_ids)

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)

    @contextmanager
    def outbox(self) -> Iterator[Outbox]:
        """The campaign's."""
        with open_outbox(self.folder / "outbox.sqlite") as outbox:
            yield outbox

    def send(self, port: int, *, server: MailServer | None = None, **delivery: Any) -> dict[str, int]:
        """Send the campaign, or go on with it, and count what became of the mails."""
        with self.sending(port, server=server, **delivery) as sending:
            sending.send(Progress(show=False).step)
            return {state: n for state, n in sending.outbox.counts().items() if n}

    @contextmanager
    def sending(
        self,
        port: int,
        *,
        server: MailServer | None = None,
        per_second: float = 1e6,
        **delivery: Any,
    ) -> Iterator[Mailer]:
        """All that the campaign is sent with."""
        mail = MailSettings.model_validate({"secret": SECRET, "holdout": 0})
        context = open_context(self.storage, Settings(mail=mail))
        server = server or MailServer("127.0.0.1", port, "none")
        clock: Callable[[], datetime] = lambda: self.now  # noqa: E731
        options = {"seed": CAMPAIGN, "sleep": self.sleep, "timeout_s": 10.0, **delivery}
        with ExitStack() as stack:
            yield Mailer(
                campaign=begin_campaign(context, CAMPAIGN, "everyone", 2, self.now),
                context=context,
                customers=None,
                addresses=stack.enter_context(open_addresses(self.folder / "addresses.csv", self.folder)),
                outbox=stack.enter_context(self.outbox()),
                renderer=Renderer(mail, "default"),
                builder=make_message_builder(mail, "default", CAMPAIGN, SENDER, public=False),
                delivery=Delivery(server, per_second, clock, lambda: self.now.timestamp() + 0.0, **options),
                event_log=self.storage.event_log("default"),
                max_waiting_events=1_000,
                clock=clock,
            )

    def events(self) -> list[tuple[str, str]]:
        """Type and customer of every event, in order of both."""
        log = self.storage.event_log("default")
        log.queue.join()
        events = [json.loads(entry.wire) for entry in log.queue.take("test", 5_000)]
        return sorted((event["event_type"], event["customer_id"]) for event in events)
