"""`reprise send`: a campaign by e-mail.

`command` makes the renderer, the message builder and the delivery of its options; `SendJob.send` makes the `Mailer` of
these, the campaign, the address book and the outbox, and runs it.
"""

import signal
import time
from collections.abc import Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from recommender.campaigns.mail.mail_server import is_this_machine, parse_server
from recommender.campaigns.mail.message import make_message_builder
from recommender.campaigns.mail.preview import MailPreview
from recommender.campaigns.mail.render import make_renderer
from recommender.campaigns.mail.smtp import Session
from recommender.campaigns.suppressions import refuse_loss
from recommender.cli.console import echo, print_json
from recommender.cli.progress import Progress
from recommender.data_dir import DataDirectory, write_whole
from recommender.redis.open import store_url
from recommender.redis.shops import RedisShopStorage
from recommender.settings import load_settings
from training.campaigns.mail.addresses import open_addresses
from training.campaigns.mail.delivery import Delivery
from training.campaigns.picks.customer_file import read_customers
from training.campaigns.picks.writer import TIMEOUT_MS
from training.campaigns.trial.seeds import read_seeds
from training.commands.campaigns.list_files import list_files
from training.commands.campaigns.schedule import parse_schedule, wait_for
from training.commands.campaigns.send_job import MOST_NAMED, SendJob, now
from training.commands.options import campaign_options, with_holdout

_WORDS = {
    "sent": "sent",
    "bounced": "have no such mailbox",
    "refused": "refused by the mail server",
    "no_address": "have no usable address; name one and run it again",
    "deferred": "not taken yet; run it again",
    "claimed": "not tried yet; run it again",
    "lost": "not taken: the connection failed; run it again",
    "unknown": "may have got it: the connection failed before the server's answer. They are not written to again",
}


@click.command()
@campaign_options
@click.option(
    "--addresses", type=click.Path(path_type=Path), required=True, help="CSV: customer_id,email[,name][,locale]"
)
@click.option(
    "--smtp", "smtp", metavar="URL", help="smtp://user@host:587 or smtps://user@host; else REPRISE_MAIL__SMTP."
)
@click.option(
    "--from",
    "sender",
    metavar="ADDRESS",
    help="'Shop <news@shop.example>'; bounces go there too.  [default: REPRISE_MAIL__SMTP_FROM]",
)
@click.option("--per-second", type=click.FloatRange(min=0, min_open=True), default=10.0, show_default=True)
@click.option(
    "--template",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Your own; else REPRISE_MAIL__TEMPLATE.",
)
@click.option("--locale", help="Of whom the file says none, such as de or pt-BR.  [default: REPRISE_LOCALE]")
@click.option("--dry-run", is_flag=True, help="Only say who would get what; nothing is claimed or sent.")
@click.option(
    "--preview", "previewed", metavar="CUSTOMER", help="Only show the mail to this customer; nothing is sent."
)
@click.option(
    "--test", "seeds", type=click.Path(path_type=Path), help="Only send one customer's mail to these addresses."
)
@click.option("--at", "at", metavar="TIME", help="Begin then: '2026-12-01 09:00'. It waits.")
@click.option("--time-zone", metavar="ZONE", help="Of --at.  [default: REPRISE_READING__TIME_ZONE]")
@click.option("--html", type=click.Path(path_type=Path), help="Write the previewed mail to this file, for a browser.")
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON.")
def command(
    *,
    campaign_id: str,
    audience: str | None,
    customers: Path | None,
    slots: int | None,
    holdout: float | None,
    columns: dict[str, str],
    hash_customers: bool,
    addresses: Path,
    smtp: str | None,
    sender: str | None,
    per_second: float,
    template: Path | None,
    locale: str | None,
    dry_run: bool,
    previewed: str | None,
    seeds: Path | None,
    at: str | None,
    time_zone: str | None,
    html: Path | None,
    as_json: bool,
) -> None:
    """Send the mails of CAMPAIGN to everybody in an audience who may be written to.

    Nobody gets two, however often it is killed and run again. The password is read from REPRISE_SMTP_PASSWORD. It ends
    with 0 once every mail is settled, and with 1 while some have to be tried again.

    \b
    Example:
      reprise send 2026-11-reorder --audience due_soon --addresses addresses.csv --dry-run
      reprise send 2026-11-reorder --audience due_soon --addresses addresses.csv --preview C00237 --html mail.html
      reprise send 2026-11-reorder --audience due_soon --addresses addresses.csv --test colleagues.csv \\
        --smtp smtp://shop@mail.example:587 --from "Shop <news@shop.example>"
      reprise send 2026-11-reorder --audience due_soon --slots 4 --addresses addresses.csv \\
        --smtp smtp://shop@mail.example:587 --from "Shop <news@shop.example>" \\
        --at "2026-12-01 09:00" --time-zone Europe/Berlin
    """
    if (audience is None) == (customers is None):
        raise click.UsageError("say who is meant: --audience or --customers, one of the two")
    if dry_run:
        _refuse_what_would_be_ignored()
    _check_preview(previewed, html, dry_run=dry_run)
    _check_test(seeds, at, html, dry_run=dry_run)
    tested = [] if seeds is None else read_seeds(seeds)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    settings, progress = with_holdout(load_settings(), holdout), Progress(show=not as_json)
    smtp, sender = smtp or settings.mail.smtp, sender or settings.mail.smtp_from
    if not dry_run and (previewed is None or seeds is not None) and (smtp is None or sender is None):
        raise click.UsageError("name --smtp and --from, or try --dry-run or --preview CUSTOMER")
    moment = None if at is None else parse_schedule(at, time_zone or settings.reading.time_zone)
    lists = list_files(settings, columns, hash_customers=hash_customers)
    listed = None if customers is None else read_customers(customers, lists.customer_columns, lists.id_of)
    meant = listed.audience if listed else str(audience)
    with ExitStack() as stack:
        url = stack.enter_context(store_url(settings))
        home = DataDirectory(settings.home)
        storage = stack.enter_context(closing(RedisShopStorage(url, TIMEOUT_MS, home)))
        refuse_loss(storage, settings.shop, home)
        book = stack.enter_context(
            open_addresses(addresses, settings.home / "outbox", lists.address_columns, lists.id_of)
        )
        job = SendJob(campaign_id, meant, slots, listed, settings, storage, book, progress)
        if dry_run:
            result = job.rehearse()
        else:
            # a preview or a test has no signed links: looking at it, and clicking in it, changes nothing
            only_looked_at = previewed is not None or bool(tested)
            renderer = make_renderer(settings, settings.shop, template, locale, signed=not only_looked_at)
            job.check(renderer)
            if previewed is not None and not tested:
                _show(job.preview(previewed, renderer), html, as_json=as_json)
                return
            password = settings.smtp_password
            server = parse_server(str(smtp), password.get_secret_value() if password else None)
            public = not is_this_machine(server.host)
            builder = make_message_builder(
                settings.mail, settings.shop, campaign_id, str(sender), public=public, is_test=bool(tested)
            )
            if tested:
                result = job.test(renderer, tested, previewed, builder, Session(server))
            else:
                if moment is not None:
                    echo(f"waits until {moment:%Y-%m-%d %H:%M} UTC; Ctrl-C gives it up", err=True)
                    wait_for(moment, now, time.sleep)
                delivery = Delivery(server, per_second, now, time.monotonic, seed=campaign_id)
                result = job.send(renderer, builder, delivery)
    print_json({**result, "seconds": progress.seconds}) if as_json else _print(result)
    if result["open"]:
        raise SystemExit(1)


def _refuse_what_would_be_ignored() -> None:
    """Raise UsageError for an option of mails that are not sent."""
    context = click.get_current_context()
    for one in context.command.params:
        of_mails = one.name in ("smtp", "sender", "per_second", "template", "locale", "at", "time_zone")
        if of_mails and context.get_parameter_source(str(one.name)) is ParameterSource.COMMANDLINE:
            raise click.UsageError(f"--dry-run sends no mail; leave {one.opts[0]} away, or --dry-run")


def _check_test(seeds: Path | None, at: str | None, html: Path | None, *, dry_run: bool) -> None:
    """Raise UsageError for options that a test leaves without a meaning."""
    if seeds is not None and (dry_run or at is not None or html is not None):
        other = "--dry-run" if dry_run else "--at" if at is not None else "--html"
        raise click.UsageError(f"--test sends mails to colleagues now; leave {other} away, or --test")


def _check_preview(previewed: str | None, html: Path | None, *, dry_run: bool) -> None:
    if html is not None and previewed is None:
        raise click.UsageError("--html is of one customer's mail; add --preview CUSTOMER")
    if dry_run and previewed is not None:
        raise click.UsageError("--dry-run speaks of everybody and --preview of one customer; leave one of them away")


def _show(preview: MailPreview, html: Path | None, *, as_json: bool) -> None:
    """Print the preview, and write its HTML to a file."""
    if html is not None and preview.mail is not None:
        with write_whole(html) as file:
            file.write(preview.mail.html.encode())
    if as_json:
        print_json(preview.to_dict())
    elif preview.mail is None:
        echo(f"{preview.customer_id} would get no mail: {str(preview.reason).replace('_', ' ')}")
    else:
        echo(f"{preview.customer_id} is in the audience: {preview.why}")
        if preview.held_out:
            echo("but held out, so that it can be told what the mails bring: the campaign sends this customer nothing")
        if not preview.has_address:
            echo("but has no usable address, so that no mail would be sent")
        echo(f"\nSubject: {preview.mail.subject}\n\n{preview.mail.text}")
        echo("nothing was claimed or sent" + (f"; open {html} in a browser" if html else ""))


def _print(result: Mapping[str, Any]) -> None:
    if result.get("test"):
        echo(f"the mail of {result['customer_id']}, in the audience as {result['why']}:")
        for state, n in result["mails"].items():
            if n:
                echo(f"{n:,} {_WORDS[state]}")
        echo("nothing was begun or claimed")
        return
    addresses = result["addresses"]
    read_as = f", read as {addresses['encoding']}" if addresses["encoding"] not in {"", "utf-8"} else ""
    echo(f"{addresses['usable']:,} of {addresses['rows']:,} addresses can be used{read_as}")
    if addresses["not_used"]:
        names = ", ".join(repr(name[:60]) for name in addresses["not_used"][:MOST_NAMED])
        echo(f"not used: {names}; where a column says who wants no mail, leave their lines out of the file")
    for one in addresses["bad_lines"]:
        echo(f"  line {one['line']}: {one['reason'].replace('_', ' ')}")
    if result.get("dry_run"):
        echo(f"{result['in_audience']:,} in the audience, {result['mails']:,} would get a mail")
    else:
        for state, n in result["mails"].items():
            if n:
                echo(f"{n:,} {_WORDS[state]}")
        for answer, n in result["answers"].items():
            echo(f"  {n:,} times: {answer}")
        if result["unknown_customers"]:
            echo(f"  not known of: {', '.join(result['unknown_customers'])}")
    for reason, n in result["without"].items():
        echo(f"{n:,} get no mail: {reason.replace('_', ' ')}")
    echo("nothing was claimed or sent" if result.get("dry_run") else f"campaign {result['campaign_id']}: "
               + ("run it again for those that are open" if result["open"] else "every mail is settled"))  # fmt: skip
