"""`reprise picks`: who gets which products in a campaign, as a file for the system that sends mails."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from recommender.campaigns.audiences import AudienceName, to_percent
from recommender.campaigns.context import open_context
from recommender.campaigns.customer_list import CustomerList
from recommender.campaigns.mail.locale import get_locale
from recommender.campaigns.mail.render import Renderer
from recommender.campaigns.run import begin_campaign, plan_campaign
from recommender.campaigns.suppressions import refuse_loss
from recommender.cli.console import echo, print_json, print_table
from recommender.cli.progress import Progress
from recommender.data_dir import DataDirectory
from recommender.redis.open import store_url
from recommender.redis.shops import RedisShopStorage
from recommender.settings import load_settings
from recommender.storage.campaign import Campaign
from training.campaigns.picks.customer_file import read_customers
from training.campaigns.picks.file_formats import FORMATS
from training.campaigns.picks.preview import preview
from training.campaigns.picks.writer import TIMEOUT_MS, FileJob, make_file
from training.campaigns.trial.sample import check_template
from training.commands.campaigns.list_files import list_files
from training.commands.options import campaign_options, with_holdout

_WORDS = {
    "nothing_good_enough": "nothing good enough to show",
    "holdout": "held out, so that it can be told what the mails bring",
    "erased": "asked to be forgotten",
    "unsubscribed": "unsubscribed",
    "no_consent": "never agreed to mails",
    "bounced": "mails come back",
    "wants_fewer": "want one mail a month",
    "too_often": "had enough mails this week",
    "quiet_after_order": "ordered in the last days",
    "quiet_after_complaint": "complained lately",
}


@click.command()
@campaign_options
@click.option("--format", "format_", type=click.Choice(FORMATS), default="csv", show_default=True)
@click.option("--out", type=click.Path(path_type=Path), help="The file; a folder for html.  [default: CAMPAIGN.FORMAT]")
@click.option("--template", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Of html: your own.")
@click.option("--locale", help="Language of the sentences, and country: de, pt-BR.  [default: REPRISE_LOCALE]")
@click.option("--workers", type=click.IntRange(min=1, max=64), help="Processes.  [default: one per processor, up to 4]")
@click.option("--dry-run", is_flag=True, help="Only say who would get what; nothing is claimed or written.")
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON.")
def command(
    *,
    campaign_id: str,
    audience: AudienceName | None,
    customers: Path | None,
    slots: int | None,
    holdout: float | None,
    columns: dict[str, str],
    hash_customers: bool,
    format_: str,
    out: Path | None,
    template: Path | None,
    locale: str | None,
    workers: int | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Write the products that each customer of an audience gets in CAMPAIGN, one row a customer.

    Whoever is in the file counts as written to: no campaign writes to anybody too often. Customers with nothing good
    enough get no row. Run it again, after a kill too, and it gives the same file; the next campaign shows others.

    \b
    Example:
      reprise picks 2026-11-reorder --audience due_soon --dry-run
      reprise picks 2026-11-reorder --audience due_soon --slots 4 --out reorder.csv
      reprise picks 2026-11-vip --customers vip.csv --format html --out mails --locale de
    """
    if (audience is None) == (customers is None):
        raise click.UsageError("say who is meant: --audience or --customers, one of the two")
    _refuse_what_would_be_ignored(format_, dry_run=dry_run)
    settings, progress, now = with_holdout(load_settings(), holdout), Progress(show=not as_json), datetime.now(UTC)
    locale = locale or settings.locale
    get_locale(locale)  # before anything is begun
    lists = list_files(settings, columns, hash_customers=hash_customers)
    listed = None if customers is None else read_customers(customers, lists.customer_columns, lists.id_of)
    meant = listed.audience if listed else str(audience)
    with store_url(settings) as url:
        storage = RedisShopStorage(url, TIMEOUT_MS)
        refuse_loss(storage, settings.shop, DataDirectory(settings.home))
        context = open_context(storage, settings)
        if dry_run:
            campaign = plan_campaign(context, campaign_id, meant, slots, now)
            with progress.step("Look at customers") as advance:
                found = preview(campaign, context, listed, advance)
            result = {**_describe(campaign, listed, found["in_audience"]), **found, "dry_run": True}
        else:
            if format_ == "html":
                tried = Renderer(settings.mail, settings.shop, template, locale, settings.currency)
                check_template(tried, plan_campaign(context, campaign_id, meant, slots, now))
            campaign = begin_campaign(context, campaign_id, meant, slots, now)
            out = out or Path(campaign_id if format_ == "html" else f"{campaign_id}.{format_}")
            job = FileJob(campaign, format_, out, settings, listed, template, locale)
            counts = make_file(job, url, storage, workers or min(4, os.cpu_count() or 1), progress)
            result = {**_describe(campaign, listed, counts.in_audience), **counts.to_dict(), "out": str(out)}
        storage.close()
    print_json({**result, "seconds": progress.seconds}) if as_json else _print(result)


def _refuse_what_would_be_ignored(format_: str, *, dry_run: bool) -> None:
    """Raise UsageError for an option of a file that is not written, or of html where another format is."""
    source = click.get_current_context().get_parameter_source
    of_files = ("format_", "out", "template", "locale", "workers")
    named = [name for name in of_files if source(name) is ParameterSource.COMMANDLINE]
    if dry_run and named:
        raise click.UsageError(f"--dry-run writes no file; leave --{named[0].rstrip('_')} away, or --dry-run")
    if "template" in named and format_ != "html":
        raise click.UsageError("--template is for mails; add --format html, or leave it away")


def _describe(campaign: Campaign, listed: CustomerList | None, found: int) -> dict[str, Any]:
    named = {} if listed is None else {"listed": len(listed), "unknown": len(listed) - found}
    return {**campaign.to_dict(), **named}


def _print(result: Mapping[str, Any]) -> None:
    if "meaning" in result:
        echo(f"{result['audience']}: {result['meaning']}")
    echo(
        f"{result['considered']:,} customers, {result['in_audience']:,} in the audience, {result['mails']:,} get a mail"
    )
    if result.get("unknown"):
        echo(
            f"  {result['unknown']:,} of {result['listed']:,} on the list are not known to version {result['version']}"
        )
    for reason, n in result["without"].items():
        echo(f"  {n:,} do not: {_explain(reason, result.get('floor'))}")
    if examples := result.get("examples"):
        rows = [
            [one["customer_id"], one["why"], ", ".join(one["products"]) or _explain(one["reason"], result.get("floor"))]
            for one in examples
        ]
        print_table(["for example", "is in it because", "gets"], rows)
    echo("nothing was claimed or written" if result.get("dry_run") else f"{result['out']} is written")


def _explain(reason: str, floor: float | None) -> str:
    """A reason for no mail in words; `floor` is the probability under which a product is not shown."""
    under = f", under {to_percent(floor)} likely" if reason == "nothing_good_enough" and floor else ""
    return _WORDS.get(reason, reason) + under
