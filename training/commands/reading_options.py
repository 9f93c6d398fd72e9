"""The options that say how purchase files are to be understood; what is not given comes from `[reading]`."""

from collections.abc import Callable
from typing import Any

import click
from pydantic import ValidationError

from recommender.errors import UsageError
from recommender.reading import ReadingOptions
from recommender.settings import load_settings
from training.ingest.formats.known import FORMATS
from training.ingest.headers.column_options import parse_columns


def add_reading_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of `recommender.reading.ReadingOptions` to a command, which `take_reading` takes from it."""
    for add in reversed(_OPTIONS):
        command = add(command)
    return command


def take_reading(others: dict[str, Any]) -> ReadingOptions:
    """The reading options among a command's arguments, which they are taken out of, over those of the settings.

    Raises:
        UsageError: a value cannot be.
    """
    given = {name: others.pop(name) for name in ReadingOptions.model_fields if name in others}
    settled = load_settings().reading.model_dump()
    for name in ("columns", "product_columns"):
        given[name] = {**settled[name], **given.get(name, {})}
    settled |= {name: value for name, value in given.items() if value}
    if given.get("day_first") is False:
        settled["day_first"] = False
    try:
        return ReadingOptions.model_validate(settled)
    except ValidationError as error:
        problems = (
            f"--{str(each['loc'][0]).replace('_', '-')}: {each['msg'].removeprefix('Value error, ')}"
            for each in error.errors()
        )
        raise UsageError("; ".join(problems)) from None


def _split(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:  # noqa: ARG001
    return tuple(part.strip() for value in values for part in value.split(",") if part.strip())


def parse_named(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:  # noqa: ARG001
    """Click callback: OURS=THEIRS,… as a dict."""
    try:
        return parse_columns(values)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint=parameter.opts[0]) from None


_OPTIONS = (
    click.option("--format", metavar="NAME", help=f"Which export it is: {', '.join(FORMATS)}.  [default: reprise]"),
    click.option("--columns", multiple=True, callback=parse_named, metavar="OURS=THEIRS", help="customer_id=Buyer,…"),
    click.option(
        "--product-columns", multiple=True, callback=parse_named, metavar="OURS=THEIRS", help="The same for --products."
    ),
    click.option("--encoding", metavar="NAME", help="Encoding of text files, such as windows-1252."),
    click.option("--sheet", metavar="NAME", help="Sheet of a workbook."),
    click.option("--time-format", metavar="PATTERN", help="Pattern of times, such as '%d.%m.%Y %H:%M'."),
    click.option("--day-first/--month-first", default=None, help="What 04/05/2026 begins with."),
    click.option("--time-zone", metavar="ZONE", help="Zone of times that name none.  [default: UTC]"),
    click.option("--calendar", type=click.Choice(["gregorian", "persian"]), help="Calendar of dates."),
    click.option("--day-one", metavar="DATE", help="Date of day number 1."),
    click.option("--decimal", type=click.Choice([".", ","]), help="Sign before decimals."),
    click.option("--returned", multiple=True, callback=_split, metavar="WORD,…", help="More status words of returns."),
    click.option("--purchases-where", metavar="COLUMN=VALUE", help="Which rows of an event log are purchases."),
    click.option("--not-products", multiple=True, callback=_split, metavar="ID,…", help="Lines such as shipping."),
    click.option(
        "--anonymous-share",
        type=click.FloatRange(0, 1, min_open=True),
        help="Of rows without a customer, at most.  [default: 0.5]",
    ),
    click.option("--hash-customers", is_flag=True, help="Keep salted digests instead of customer ids."),
)
