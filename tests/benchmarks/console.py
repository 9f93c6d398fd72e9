"""How long an answer takes while nobody looks at the console, while people open its pages, and while they never pause.

    python -m tests.benchmarks.console

Pages are of the same process, the worst that can be: so many a second, and as many as four people get who wait for
nothing but the page before. The latter also of another process on the same machine, which takes as much of the
processors and none of Python's lock. Needs `wrk`. The figures mean something on a machine that does nothing else.
"""

import itertools
import re
import subprocess
import tempfile
import threading
import time
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
PACES = (1, 5, 20)
PAGES = ("overview", "products", "retention", "customers?customer=ANNA", "due?within=30", "versions")
ANSWER = "/v1/customers/ANNA/recommendations"


@contextmanager
def people(address: tuple[str, int], a_second: float | None = None) -> Iterator[list[str]]:
    """PEOPLE open pages all the while, `a_second` in all or without a pause; the list holds those answered."""
    over, opened = threading.Event(), list[str]()
    pause_s = 0.0 if a_second is None else PEOPLE / a_second

    def look(first: int) -> None:
        due = time.monotonic() + pause_s * first / PEOPLE
        for page in itertools.cycle(PAGES):
            if over.wait(max(0.0, due - time.monotonic())):
                return
            connection = HTTPConnection(*address, timeout=60)
            connection.request("GET", f"/console/{page}")
            assert connection.getresponse().read()
            connection.close()
            opened.append(page)
            due += pause_s

    threads = [threading.Thread(target=look, args=(number,)) for number in range(PEOPLE)]
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
            for a_second in PACES:
                with people(servers[0].address, a_second) as opened:
                    print(f"{a_second:>2} pages a second       {measure(servers[0])}  ({len(opened)} pages)")
            with people(servers[0].address) as opened:
                print(f"without a pause        {measure(servers[0])}  ({len(opened)} pages)")
            with people(servers[1].address) as opened:
                print(f"the same, elsewhere    {measure(servers[0])}  ({len(opened)} pages)", flush=True)


if __name__ == "__main__":
    main()
