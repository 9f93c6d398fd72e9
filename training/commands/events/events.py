"""`reprise events`: what waits to be archived, and what could not be, which may be tried again."""

from datetime import UTC, datetime

import click

from recommender.cli.console import echo, print_json, print_table
from recommender.events.event import Event
from recommender.redis.open import open_storage
from recommender.settings import load_settings
from recommender.storage.event_queue import Backlog, DeadLetter, EventQueue


@click.command()
@click.option("--shop", help="Whose events.  [default: the settings' shop]")
@click.option("--dead", is_flag=True, help="List the dead letters, too.")
@click.option("--replay", is_flag=True, help="Let dead letters that hold an event wait to be archived again.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def command(shop: str | None, dead: bool, replay: bool, as_json: bool) -> None:
    """Say how many events wait to be archived, for how long, and how many could not be archived at all.

    A dead letter is an entry that holds no event, or with which one worker after another died. It is kept with the
    reason; about the latest 10,000 are. Once the reason is gone, replay them: each is archived once, however often.

    \b
    Example:
      reprise events
      reprise events --dead --json
      reprise events --replay
    """
    settings = load_settings(**({} if shop is None else {"shop": shop}))
    with open_storage(settings) as storage:
        queue = storage.event_log(settings.shop).queue
        replayed = _replay(queue) if replay else None
        backlog, envelopes = queue.backlog(), queue.dead_letters() if dead else []
    now = datetime.now(UTC)
    if as_json:
        again = {} if replayed is None else {"replayed": replayed}
        listed = {"dead": [envelope.to_dict() for envelope in envelopes]} if dead else {}
        print_json({**_document(backlog, now), **again, **listed})
        return
    if replayed is not None:
        echo(f"{replayed:,} dead letters wait to be archived again")
    _show(backlog, now)
    if envelopes:
        rows = [envelope.to_dict() for envelope in envelopes]
        print_table(tuple(rows[0]), [tuple(row.values()) for row in rows])


def _replay(queue: EventQueue) -> int:
    return queue.replay([letter for letter in queue.dead_letters() if _holds_event(letter)])


def _holds_event(letter: DeadLetter) -> bool:
    try:
        Event.from_json(letter.entry.wire)
    except ValueError:
        return False
    return True


def _document(backlog: Backlog, now: datetime) -> dict[str, object]:
    return {
        "waiting": backlog.waiting,
        "lag_s": round(backlog.lag_s(now), 3),
        "pending": dict(backlog.pending),
        "dead_letters": backlog.dead_letters,
    }


def _show(backlog: Backlog, now: datetime) -> None:
    echo(f"{backlog.waiting:,} events wait, the oldest for {backlog.lag_s(now):,.1f} s")
    for worker, count in sorted(backlog.pending.items()):
        echo(f"{worker} has {count:,} of them in hand")
    echo(f"{backlog.dead_letters:,} dead letters")
