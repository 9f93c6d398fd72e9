"""`reprise campaigns`: which there are, what came of each, what a customer got, and how to cancel one."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

import click

from recommender.campaigns.cancel import cancel_campaign
from recommender.campaigns.context import open_context
from recommender.campaigns.history.customer_mails import list_mails
from recommender.campaigns.overview import CampaignOverview, find_campaign, list_campaigns
from recommender.cli.console import echo, print_json, print_table
from recommender.redis.open import open_storage
from recommender.results.campaigns import CampaignResults, VariantResults
from recommender.retention import CONTACTS_KEPT_DAYS
from recommender.settings import load_settings

_COLUMNS = ("campaign", "began", "audience", "selected", "sent", "clicked", "bought", "money", "what the mails brought")
_COUNTED = ("selected", "sent", "bounced", "opened", "clicked", "bought", "unsubscribed", "complained", "took_part",
            "orders", "ordered")  # fmt: skip
_NOT_COUNTED = "nothing is counted yet: run `reprise worker`"
_as_json = click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")


@click.group(invoke_without_command=True)
@_as_json
@click.pass_context
def command(context: click.Context, *, as_json: bool) -> None:
    """List campaigns with what came of each, as `reprise worker` counted it.

    \b
    Example:
      reprise campaigns
      reprise campaigns show 2026-11-reorder
      reprise campaigns cancel 2026-11-reorder
      reprise campaigns customer C00237
    """
    if context.invoked_subcommand is not None:
        return
    settings = load_settings()
    with open_storage(settings) as storage:
        found = list_campaigns(storage, settings.shop)
    if as_json:
        print_json({"campaigns": [one.to_dict() for one in found]})
    elif not found:
        echo("no campaign yet: `reprise picks` or `reprise send` begins one")
    else:
        print_table(_COLUMNS, [_row(one) for one in found])


@command.command()
@click.argument("campaign_id", metavar="CAMPAIGN")
@_as_json
def show(*, campaign_id: str, as_json: bool) -> None:
    """Say what came of one campaign: who was chosen, refused, mailed and reached, and what the mails brought.

    \b
    Example:
      reprise campaigns show 2026-11-reorder
    """
    settings = load_settings()
    with open_storage(settings) as storage:
        found = find_campaign(storage, settings.shop, campaign_id)
    if as_json:
        print_json(found.to_dict())
        return
    echo(f"{found.campaign_id}, {_describe(found)}")
    if found.results is None:
        echo(_NOT_COUNTED)
    else:
        _print_results(found.results)


@command.command()
@click.argument("campaign_id", metavar="CAMPAIGN")
@_as_json
def cancel(*, campaign_id: str, as_json: bool) -> None:
    """Write to nobody else of a campaign, and count those who were chosen but not written to as not written to.

    A `reprise send` that is at work stops within some mails. Where another system sends a picks file, stop it there
    first: what it has not told of counts as not sent.

    \b
    Example:
      reprise campaigns cancel 2026-11-reorder
    """
    settings = load_settings()
    with open_storage(settings) as storage:
        done = cancel_campaign(open_context(storage, settings), campaign_id, datetime.now(UTC))
    if as_json:
        print_json({**done.campaign.to_dict(), "released": done.released})
    else:
        echo(f"{campaign_id} is cancelled; {done.released:,} who were not written to yet may be by other campaigns")


@command.command()
@click.argument("customer_id", metavar="CUSTOMER")
@_as_json
def customer(*, customer_id: str, as_json: bool) -> None:
    """Say what each campaign sent one customer, or why it sent nothing, of the last 90 days.

    \b
    Example:
      reprise campaigns customer C00237
    """
    settings = load_settings()
    with open_storage(settings) as storage:
        found = list_mails(open_context(storage, settings), customer_id)
    if as_json:
        print_json({"customer_id": customer_id, "mails": [one.to_dict() for one in found]})
    elif not found:
        echo(f"no campaign began in the last {CONTACTS_KEPT_DAYS} days, and no mail to {customer_id} is known")
    else:
        rows = [
            (one.campaign_id or "-", f"{one.at:%Y-%m-%d %H:%M}", one.detail, ", ".join(one.product_ids))
            for one in found
        ]
        print_table(("campaign", "when, UTC", "what", "products"), rows)


def _row(one: CampaignOverview) -> tuple[str, ...]:
    audience = one.campaign.audience if one.campaign else "-"
    if one.results is None:
        return (one.campaign_id, one.began[:10], audience, "-", "-", "-", "-", "-", _NOT_COUNTED)
    sums = [sum(getattr(of, name) for of in one.results.variants) for name in ("selected", "sent", "clicked", "bought")]
    said = "cancelled" if one.state == "cancelled" else one.results.effect.sentence
    return (one.campaign_id, one.began[:10], audience, *(f"{n:,}" for n in sums), _money(one.results), said)


def _describe(one: CampaignOverview) -> str:
    if one.campaign is None:
        return "began elsewhere or long ago" if one.results and not one.results.campaign_id.startswith("mails-") else (
            "all mails of the quarter")  # fmt: skip
    at = f"began {one.campaign.begun_at:%Y-%m-%d %H:%M} UTC for audience {one.campaign.audience}"
    cancelled = one.campaign.cancelled_at
    return at if cancelled is None else f"{at}; cancelled {cancelled:%Y-%m-%d %H:%M} UTC"


def _print_results(results: CampaignResults) -> None:
    names = [one.variant for one in results.variants]
    rows = [[name.replace("_", " "), *(f"{getattr(one, name):,}" for one in results.variants)] for name in _COUNTED]
    rows.append(["money", *(_amounts(one.money) for one in results.variants)])
    rows.append(["revenue of orders", *(_amounts(one.revenue) for one in results.variants)])
    print_table(["customers", *names], [*rows[:1], *_refused(results.variants), *rows[1:]])
    echo(f"orders count within {results.within_days:g} days; bought and money: of what was clicked in the mail")
    echo(results.effect.sentence)
    if results.effect.extra_orders is not None and results.effect.verdict in ("more", "fewer"):
        echo(f"about {abs(results.effect.extra_orders):,.0f} orders")


def _refused(variants: tuple[VariantResults, ...]) -> Iterator[list[str]]:
    for reason in sorted({reason for one in variants for reason in one.refused}):
        yield [f"  refused: {reason.replace('_', ' ')}", *(f"{one.refused.get(reason, 0):,}" for one in variants)]


def _money(results: CampaignResults) -> str:
    sums: dict[str, float] = {}
    for one in results.variants:
        for currency, amount in one.money.items():
            sums[currency] = sums.get(currency, 0.0) + amount
    return _amounts(sums)


def _amounts(money: Mapping[str, float]) -> str:
    return " + ".join(f"{amount:,.2f} {currency}".strip() for currency, amount in money.items()) or "-"
