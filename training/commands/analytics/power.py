"""`reprise power`: how many customers an experiment needs."""

import click

from recommender.cli.console import echo, print_json
from training.analytics.experiments.power import customers_needed
from training.commands.options import parse_share


@click.command()
@click.option(
    "--baseline", type=float, required=True, help="Mean of the control: a share of customers, or per customer."
)
@click.option(
    "--lift", required=True, callback=parse_share, help="Smallest change that would matter, of the baseline: 5%."
)
@click.option("--sd", type=float, help="Spread between customers, where the baseline is no share of them.")
@click.option("--correlation", type=float, default=0.0, help="With the time before the start; CUPED makes use of it.")
@click.option("--power", default="80%", callback=parse_share, show_default=True, help="Chance to find the lift.")
@click.option("--holdout", callback=parse_share, help="Share held out from a campaign, in place of two equal variants.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def command(
    *,
    baseline: float,
    lift: float,
    sd: float | None,
    correlation: float,
    power: float,
    holdout: float | None,
    as_json: bool,
) -> None:
    """Say how many customers an experiment needs to find a lift: two-sided, 5 % level, one look at the end.

    `reprise experiment` prints means and spreads of your own shop, and the lift that it could have found.

    \b
    Example:
      reprise power --baseline 0.25 --lift 5%
      reprise power --baseline 1.4 --sd 2.1 --lift 5% --correlation 0.6 --json
      reprise power --baseline 0.25 --lift 5% --holdout 5%
    """
    needed = customers_needed(baseline, lift, sd=sd, correlation=correlation, power=power, holdout=holdout)
    if as_json:
        asked = {"baseline": baseline, "lift": lift, "sd": sd, "correlation": correlation, "power": power}
        print_json({**asked, **({"customers_per_variant": needed} if holdout is None else
                                {"holdout": holdout, "customers": needed})})  # fmt: skip
    elif holdout is not None:
        echo(
            f"{needed:,} customers, {needed * holdout:,.0f} of them held out, find a lift of {lift:.1%} {power:.0%} of "
            "the time"
        )
    else:
        echo(f"{needed:,} customers per variant find a lift of {lift:.1%} {power:.0%} of the time")
