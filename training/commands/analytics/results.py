"""`reprise results`: what came of what was shown and mailed."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import click

from recommender.cli.console import echo, print_json, print_table
from recommender.data_dir import DataDirectory
from recommender.redis.open import open_storage
from recommender.settings import Settings, load_settings
from training.analytics.counters.result_counter import ResultCounter
from training.analytics.results.campaigns import count_campaigns
from training.analytics.results.placements import count_placements
from training.commands.options import parse_moment
from training.events.archive import Archive

_PLACEMENTS = ("placement", "ranks", "seen", "clicked", "carted", "bought", "units", "money")
_CAMPAIGNS = (
    "campaign_id",
    "sent",
    "bounced",
    "opened",
    "clicked",
    "unsubscribed",
    "complained",
    "ordered",
    "bought",
    "units",
    "money",
)


@click.command()
@click.option("--ledger", type=click.Path(path_type=Path), help="Archive of `reprise worker`.  [default: of the home]")
@click.option("--since", callback=parse_moment, help="Only events from this date on.  [default: the last 28 days]")
@click.option("--within-days", type=click.FloatRange(min=0, min_open=True), default=7.0, show_default=True)
@click.option("--rebuild", is_flag=True, help="Count anew what pages show, as the worker does; needs Redis.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def command(*, ledger: Path | None, since: datetime | None, within_days: float, rebuild: bool, as_json: bool) -> None:
    """Say what came of recommendations: seen, clicked, put into the cart, bought; and of mails, by campaign.

    A purchase belongs to the answer that it names by its recommendation_id, else to the last click of its customer on
    its product. That it followed does not say that it would not have been made: `reprise experiment` says what was
    caused.

    \b
    Example:
      reprise results
      reprise results --since 2026-11-01 --within-days 14 --json
      reprise results --rebuild
    """
    settings = load_settings()
    archive = Archive(ledger or DataDirectory(settings.home).ledger, settings.shop)
    if rebuild:
        _rebuild(settings, archive, as_json=as_json)
        return
    since = since or datetime.now(UTC) - timedelta(days=28)
    events = archive.read()
    events = events.filter(events["occurred_at"] >= since)
    placements = count_placements(events, within_days).to_dicts()
    campaigns = count_campaigns(events, within_days).to_dicts()
    if as_json:
        for one in campaigns:
            one["first_sent_at"] = one["first_sent_at"] and one["first_sent_at"].isoformat()
        told = {"since": since.isoformat(), "within_days": within_days}
        print_json({**told, "placements": placements, "campaigns": campaigns})
        return
    echo(f"From {since:%Y-%m-%d} on; a purchase counts within {within_days:g} days")
    if not placements and not campaigns:
        echo("no impression, click or mail yet: tell impressions and clicks (POST /v1/events), or send a campaign")
    _print("recommendations, products in answers", _PLACEMENTS, placements)
    _print("mails, customers", _CAMPAIGNS, campaigns)


def _rebuild(settings: Settings, archive: Archive, *, as_json: bool) -> None:
    """Count all days and campaigns anew, in place of what the worker counted."""
    with open_storage(settings) as storage:
        results, clock = storage.results(settings.shop), partial(datetime.now, UTC)
        results.clear()
        n = ResultCounter(archive, results, storage.contacts(settings.shop).campaigns, clock, echo).count()
        counted = {"days": n, "campaigns": len(results.campaigns())}
    print_json(counted) if as_json else echo(f"{n:,} days and {counted['campaigns']:,} campaigns were counted anew")


def _print(title: str, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        print_table(columns, [tuple(_cell(row[name]) for name in columns) for row in rows], title=title)


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return " + ".join(f"{one['amount']:,.2f} {one['currency'] or ''}".strip() for one in value)
    return "-" if value is None else f"{value:,g}" if isinstance(value, int | float) else str(value)
