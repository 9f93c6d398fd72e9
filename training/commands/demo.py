"""`reprise demo`: a made-up shop from purchases to answers, to see the whole before bringing one's own data."""

import os
import sys
from datetime import UTC, datetime
from urllib.parse import quote

import click

from recommender.home import make_folder
from recommender.progress import Progress
from recommender.publication import ListTable, Publication
from recommender.settings import Settings, load_settings
from training import job
from training.commands.options import Source, parse_moment
from training.commands.summary import publish_and_tell, read_live, show
from training.shop import make_shop


@click.command()
@click.option("--serve/--no-serve", default=True, show_default=True, help="Whether to answer HTTP requests afterwards.")
@click.option("--customers", type=click.IntRange(min=1), default=2000, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True, help="Another seed makes another shop.")
@click.option("--end", callback=parse_moment, help="The day after the last made-up purchase.  [default: today]")
@click.option("--json", "as_json", is_flag=True, help="Print the manifest as JSON.")
def command(serve: bool, customers: int, seed: int, end: datetime | None, as_json: bool) -> None:
    """Make up a grocery shop, train on it, publish, and serve it on http://127.0.0.1:8000.

    The shop's files stay under REPRISE_HOME/shop.

    \b
    Example:
      reprise demo
      reprise demo --no-serve --customers 500
    """
    now = datetime.now(UTC)
    edge = job.Edge(now, load_settings(), Progress(show=not as_json))
    with edge.progress.step("Make up a shop"):
        files = make_shop(make_folder(edge.home.shop), customers=customers, end=(end or now).date(), seed=seed)
    source = Source((str(files.purchases),), products=files.products)
    ingested = source.ingest(edge.settings, now, edge.progress)
    publication = job.train(ingested, edge, live=read_live(edge.settings))
    show(publication.manifest, as_json=as_json)
    publish_and_tell(publication, edge, as_json=as_json)
    if not as_json:
        click.echo("\nTry:\n" + "\n".join(f"  {line}" for line in curl_lines(publication, edge.settings)))
    if serve:
        # a fresh process: the service holds none of the training's memory, and never imports its libraries
        os.execv(sys.executable, [sys.executable, "-m", "recommender.cli", "serve"])  # noqa: S606


def curl_lines(publication: Publication, settings: Settings) -> list[str]:
    """Five requests that show the service, with ids of this shop."""
    base = f"http://{settings.host}:{settings.port}/v1"
    product = publication.products[_longest(publication.tables["together"])[1]].product_id
    customer = _longest(publication.tables["buy_again"])[0]
    body = f'{{"placement": "cart", "cart": ["{product}"]}}'
    return [
        f"curl '{base}/products/{quote(product, safe='')}/similar'",
        f"curl '{base}/products/{quote(product, safe='')}/bought-together'",
        f"curl '{base}/customers/{quote(customer, safe='')}/recommendations?limit=5'",
        f"curl '{base}/customers/{quote(customer, safe='')}/buy-again?due_within=14d'",
        f"curl '{base}/recommendations' -H 'Content-Type: application/json' -d '{body}'",
    ]


def _longest(table: ListTable) -> tuple[str, int]:
    """The owner of the longest list, the first of equals, and its position."""
    position = int((table.starts[1:] - table.starts[:-1]).argmax())
    return table.owner_ids[position], position
