"""How much code of ours one request runs through: `python tests/benchmarks/journeys.py [--list] [--json]`.

Requests go through the ASGI application, over a real embedded Redis. Each journey counts the files, the functions
and the calls of them in `recommender/`, `training/` and `api/`, in the event loop and in the threads that it hands
work to; what follows the store in the background does not count. The same requests with other ids go first, so that
nothing is counted that happens once in a process. A comprehension counts as a function where Python makes it one, as
3.11 does and later ones mostly do not: compare figures of one Python.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from api import create_app
from api.server.asgi import AsgiApp
from recommender.redis.open import open_storage
from recommender.settings import Settings
from tests.benchmarks.api_speed_shop import make_publication

ROOT = Path(__file__).parents[2]
OURS = tuple(f"{ROOT / package}/" for package in ("recommender", "training", "api"))

Calls = Counter[CodeType]
"""Function → how often it was called; a generator counts each time that it goes on."""
calls: Calls = Counter()


def main() -> None:
    """Print a line per journey, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true", help="name the files, too")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, asyncio.Runner(loop_factory=TracedLoop) as runner:
        found = runner.run(trace_all(Path(folder)))
    documents = {name: describe(one) for name, one in found.items()}
    if arguments.json:
        print(json.dumps(documents, indent=2))
        return
    for name, one in documents.items():
        print(f"{one['files']:4} files {one['functions']:5} functions {one['calls']:6} calls   {name}")
        print("".join(f"     {path}\n" for path in one["paths"]) if arguments.list else "", end="")


def describe(journey: Calls) -> dict[str, Any]:
    """The figures of one journey, and the files by name."""
    paths = sorted({str(Path(code.co_filename).relative_to(ROOT)) for code in journey})
    return {"files": len(paths), "functions": len(journey), "calls": journey.total(), "paths": paths}


async def trace_all(folder: Path) -> dict[str, Calls]:
    """Every journey by name, on a shop in `folder` that was just published."""
    settings = Settings(home=folder, redis_timeout_ms=5_000, log_level="error")
    publication = make_publication(datetime.now(UTC), n_products=1_000, n_customers=50)
    with open_storage(settings) as storage:
        storage.store("default").publish(publication, keep=1)
        app = AsgiApp(create_app(settings, storage))
        await ask(app, "/health/ready")
        for other in (1, 2, 3):
            await walk(app, other)
        return await walk(app, 17)


async def walk(app: AsgiApp, i: int) -> dict[str, Calls]:
    """The journeys of customer and product number `i`."""
    personal, now = f"/v1/customers/c{i}/recommendations", datetime.now(UTC).isoformat()
    who = {"event_id": f"e{i}", "customer_id": f"c{i}", "product_id": f"p{i}"}
    purchase = {**who, "event_type": "purchase", "occurred_at": now, "order_id": f"o{i}"}
    return {
        "GET personal, first time": await traced(ask(app, personal)),
        "GET similar": await traced(ask(app, f"/v1/products/p{i}/similar")),
        "POST one purchase": await traced(ask(app, "/v1/events", {"events": [purchase]})),
        "GET personal, after that event": await traced(ask(app, personal)),
    }


async def ask(app: AsgiApp, path: str, document: object = None) -> None:
    """One request, as Granian hands it over. Raises RuntimeError where it is not answered with 2xx."""
    body = b"" if document is None else json.dumps(document).encode()
    headers = [(b"host", b"localhost")]
    if body:
        headers += [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST" if body else "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": headers,
        "client": ("127.0.0.1", 50_000),
        "server": ("127.0.0.1", 8_000),
    }
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    if not 200 <= sent[0]["status"] < 300:
        raise RuntimeError(f"{path}: {sent}")


async def traced(request: Coroutine[Any, Any, None]) -> Calls:
    """What one request called."""
    calls.clear()
    with tracing():
        await request
    return Calls(calls)


@contextmanager
def tracing() -> Iterator[None]:
    """Count calls of our functions in this thread."""
    sys.setprofile(count)
    try:
        yield
    finally:
        sys.setprofile(None)


def count(frame: FrameType, event: str, _: object) -> None:
    """Note one call, if it is one of ours."""
    code = frame.f_code
    if event == "call" and code.co_filename.startswith(OURS):
        calls[code] += 1


class TracedLoop(asyncio.SelectorEventLoop):
    """An event loop whose work in other threads is counted while its own is."""

    def run_in_executor(self, executor: Any, function: Callable[..., Any], *arguments: Any) -> Any:
        if sys.getprofile() is None:
            return super().run_in_executor(executor, function, *arguments)

        def call() -> Any:
            with tracing():
                return function(*arguments)

        return super().run_in_executor(executor, call)


if __name__ == "__main__":
    main()
