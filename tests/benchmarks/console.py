"""How long an answer takes while nobody looks at the console, and while four people open its pages without a pause.

    python -m tests.benchmarks.console

Pages are of the same process, the worst that can be, or of another one on the same machine, which takes as much of
the processors and none of Python's lock: the difference between these two is what the console itself costs an answer.
Needs `wrk`. The figures mean something on a machine that does nothing else.
"""

import re
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path

from recommender.redis.shops import RedisShopStorage
from tests.support.console import publication
from tests.support.redis_servers import redis_server
from tests.support.served import Served, serve

ROUNDS = 5
SECONDS = 4
PEOPLE = 4
PAGES = ("overview", "products", "retention", "customers?customer=ANNA", "due?within=30", "versions")
ANSWER = "/v1/customers/ANNA/recommendations"


@contextmanager
def people(address: tuple[str, int]) -> Iterator[list[str]]:
    """Somebody opens pages all the while; the list holds the pages that were answered."""
    over, opened = threading.Event(), list[str]()

    def look() -> None:
        while not over.is_set():
            for page in PAGES:
                connection = HTTPConnection(*address, timeout=60)
                connection.request("GET", f"/console/{page}")
                assert connection.getresponse().read()
                connection.close()
                opened.append(page)

    threads = [threading.Thread(target=look) for _ in range(PEOPLE)]
    for thread in threads:
        thread.start()
    try:
        yield opened
    finally:
        over.set()
        for thread in threads:
            thread.join()


def measure(served: Served) -> str:
    """Percentiles of answers to one client, as wrk says them."""
    url = f"http://{served.address[0]}:{served.address[1]}{ANSWER}"
    said = subprocess.run(
        ["wrk", "-t1", "-c1", f"-d{SECONDS}", "--latency", url], capture_output=True, text=True, check=True
    ).stdout
    return "  ".join(
        f"{share} {figure}" for share, figure in re.findall(r"^ +(50%|90%|99%) +(\S+)$", said, re.MULTILINE)
    )


def main() -> None:
    """Print each round."""
    with ExitStack() as until_the_end:
        folder = Path(until_the_end.enter_context(tempfile.TemporaryDirectory()))
        redis = until_the_end.enter_context(redis_server(folder / "redis"))
        RedisShopStorage(redis.url, timeout_ms=5_000).store("default").publish(publication(), keep=3)
        servers = []
        for name in ("one", "two"):
            (folder / name).mkdir()
            servers.append(until_the_end.enter_context(serve(folder / name, REPRISE_REDIS_URL=redis.url)))
        for _ in range(ROUNDS):
            print(f"nobody looks           {measure(servers[0])}")
            with people(servers[1].address) as opened:
                print(f"pages elsewhere        {measure(servers[0])}  ({len(opened)} pages)")
            with people(servers[0].address) as opened:
                print(f"pages of the same      {measure(servers[0])}  ({len(opened)} pages)")


if __name__ == "__main__":
    main()
