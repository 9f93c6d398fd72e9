"""`reprise demo`: a made-up shop from purchases to answers, to see the whole before bringing one's own data."""

import os
import sys
from datetime import UTC, datetime

import click

from recommender.cli.console import echo
from recommender.cli.ports import refuse_taken_port
from recommender.cli.progress import Progress
from recommender.data_dir import make_folder
from recommender.publication.lists import ListTable
from recommender.publication.manifest import Publication
from recommender.redis.open import open_storage
from recommender.settings import Settings, load_settings
from training import job
from training.commands.model.version_summary import publish_and_tell, read_live, show
from training.commands.options import parse_moment
from training.demo.persian import in_persian
from training.demo.shop import make_shop
from training.demo.sites import persian_site, service_address, storefront_address, storefront_port
from training.ingest.ingest import PurchaseSource, ingest

CUSTOMER, PRODUCT = "C00237", "PASTA-500G"
"""Those of the README's examples: somebody who buys often, and something that is bought along with other things."""
INTRODUCTION = """\
A grocery shop is made up, a model is trained on it twice, first to measure it and then to serve, and published:
half a minute on two cores.
"""
EXPLANATION = """
What just happened
  The shop sold for 18 months; {home}/shop holds its purchases.csv and products.csv.
  It was trained twice, since a model cannot be measured on what it has learned from. The first training knew all but
  the last {days} days: the table tells how well it foretold them. The second knew everything: that version answers.
  In the table, each of the {customers:,} customers who bought in those days was picked ten products beforehand.
    recall@10    how much of what they bought was among their ten
    ndcg@10      the same, but a hit counts more the higher it stood
    hit_rate@10  how many of them bought at least one of their ten
  They are beside simpler rankings: popular and trending are the same for everybody, own_counts is what a customer
  bought most often, decayed_own the same, recent purchases counting more. The gate publishes a version only if it
  beats popular and comes close to the best of these.
"""
NEXT = """
Open first
  {address}/docs    every request and its answer, to try out, once `reprise serve` runs

Then try, in another terminal
  {requests}
"""


@click.command()
@click.option("--serve/--no-serve", default=True, show_default=True, help="Whether to answer HTTP requests afterwards.")
@click.option("--customers", type=click.IntRange(min=1), default=2000, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True, help="Another seed makes another shop.")
@click.option("--end", callback=parse_moment, help="The day after the last made-up purchase.  [default: today]")
@click.option("--json", "as_json", is_flag=True, help="Print the manifest as JSON.")
def command(serve: bool, customers: int, seed: int, end: datetime | None, as_json: bool) -> None:
    """Make up a grocery shop, train on it, publish, and open it on http://127.0.0.1:8001.

    The service that the shop asks is at the port before. The shop's files stay under REPRISE_HOME/shop.

    \b
    Example:
      reprise demo
      reprise demo --no-serve --customers 500
    """
    now = datetime.now(UTC)
    context = job.JobContext(now, load_settings(), Progress(show=not as_json))
    if serve:  # better said now than after the training
        for port in (context.settings.port, storefront_port(context.settings)):
            refuse_taken_port(context.settings.host, port)
    if not as_json:
        echo(INTRODUCTION)
    with context.progress.step("Make up a shop"):
        files = make_shop(
            make_folder(context.home.shop),
            customers=customers,
            end=(end or now).date(),
            seed=seed,
            site=storefront_address(context.settings),
        )
    source = PurchaseSource((str(files.purchases),), products=files.products)
    ingested = ingest(source, context.settings, now, context.progress)
    publication = job.train(ingested, context, live=read_live(context.settings))
    show(publication.manifest, as_json=as_json)
    publish_and_tell(publication, context, as_json=as_json)
    _publish_persian_site(publication, context)
    if not as_json:
        _explain(publication, context.settings, serve=serve)
    if serve:
        # a fresh process: the service holds none of the training's memory, and never imports its libraries
        requests = [] if as_json else curl_lines(publication, service_address(context.settings), authorized=True)
        os.execv(sys.executable, [sys.executable, "-m", "training.demo.storefront", *requests])  # noqa: S606


def _publish_persian_site(publication: Publication, context: job.JobContext) -> None:
    """Publish the version under the name of the storefront's Persian site, too."""
    with open_storage(context.settings) as storage:
        store = storage.store(persian_site(context.settings.shop))
        store.publish(in_persian(publication), keep=1)


def _explain(publication: Publication, settings: Settings, *, serve: bool) -> None:
    """What was done, what its figures mean, and what to look at first."""
    metrics = publication.manifest.metrics
    if metrics["scores"]:
        days, customers = metrics["horizon_days"], metrics["n_customers"]
        echo(EXPLANATION.format(home=settings.home, days=days, customers=customers), nl=False)
    if not serve:
        address = service_address(settings)
        echo(NEXT.format(address=address, requests="\n  ".join(curl_lines(publication, address))))


def curl_lines(publication: Publication, address: str, *, authorized: bool = False) -> list[str]:
    """Five requests that show the service, with ids of this shop; `authorized` ones send the key that $KEY holds."""
    base, customer = f"{address}/v1", _customer(publication.tables["buy_again"])
    curl = 'curl -H "Authorization: Bearer $KEY"' if authorized else "curl"
    body = f'{{"placement": "cart", "cart": ["{PRODUCT}", "TACOS-12"]}}'
    return [
        f"{curl} '{base}/products/MILK-1L/similar'",
        f"{curl} '{base}/products/{PRODUCT}/bought-together'",
        f"{curl} '{base}/customers/{customer}/recommendations?limit=5'",
        f"{curl} '{base}/customers/{customer}/buy-again?due_within=14d'",
        f"{curl} '{base}/recommendations' -H 'Content-Type: application/json' -d '{body}'",
    ]


def _customer(table: ListTable) -> str:
    """CUSTOMER, or in a shop of fewer customers the first with the longest list."""
    lengths = table.starts[1:] - table.starts[:-1]
    return CUSTOMER if CUSTOMER in table.owner_ids else table.owner_ids[int(lengths.argmax())]
