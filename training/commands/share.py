"""A share on the command line: `5%` or `0.05`."""

import math

import click


def parse_share(context: click.Context, parameter: click.Parameter, value: str) -> float:  # noqa: ARG001
    """Click callback: a finite number, divided by 100 if it has a percent sign."""
    number = value.strip()
    try:
        share = float(number.removesuffix("%")) / (100 if number.endswith("%") else 1)
    except ValueError:
        share = math.nan
    if not math.isfinite(share):
        raise click.BadParameter(f"{value!r} is not a share such as 5% or 0.05")
    return share
