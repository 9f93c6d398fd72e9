"""`python -m training.demo.storefront`: how `reprise demo` goes on once the shop is made up, trained and published.

Its arguments are requests to try, as shell commands; they find a key in $KEY.
"""

import os
import sys
from datetime import UTC, datetime

from api.server.cli import find_address, serve
from recommender.cli.console import echo
from recommender.cli.main import exit_code
from recommender.cli.ports import refuse_taken_port
from recommender.errors import RepriseError
from recommender.settings import ENV_PREFIX, load_settings
from training.demo.sites import persian_site, service_address, storefront_address, storefront_port
from training.demo.storefront.counting import counting
from training.demo.storefront.keys import DemoKeys

NEXT = """
Open first
  {shop}    a shop: be one of its customers, buy what is due, and move the clock on by two weeks
  {service}/console    what its owner sees: sign in with the key below
  {service}/docs    every request and its answer, to try out with the key below

Then try, in another terminal
  {requests}
"""


def main(requests: list[str]) -> None:
    """Serve until Ctrl-C, and say first what to open.

    Raises:
        RepriseError: as `reprise serve`; the storefront's port is taken.
    """
    # one process: the clock that is moved is that of every answer
    address = find_address(load_settings())
    settings = load_settings(host=address, workers=1)
    port = storefront_port(settings)
    refuse_taken_port(address, port)
    origins = [f"http://{name}:{port}" for name in dict.fromkeys((address, "localhost"))]
    keys = DemoKeys.make(settings.shop, origins, datetime.now(UTC))
    os.environ.update(keys.to_environment())
    os.environ[f"{ENV_PREFIX}HOST"] = address  # for the worker
    if requests:
        tries = "\n  ".join([f"KEY={keys.trial}", *requests])
        echo(NEXT.format(shop=storefront_address(settings), service=service_address(settings), requests=tries))
    with counting(settings, [settings.shop, persian_site(settings.shop)]):
        serve(settings, worker="training.demo.storefront.worker:create_demo_worker", report=False, as_json=not requests)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except RepriseError as error:
        echo(f"error: {error}", err=True)
        sys.exit(exit_code(error))
