"""The watch over the embedded Redis goes on whatever happens."""

import io
import json
from itertools import chain, repeat

import pytest

from api.server import embedded_watch
from api.server.embedded_watch import keep_embedded
from api.telemetry.logs import make_logger
from recommender.data_dir import DataDirectory
from recommender.errors import HomeError
from tests.support.redis_servers import wait_until


@pytest.mark.parametrize(
    ("error", "detail"),
    [(HomeError("disk full"), "disk full"), (OSError(24, "Too many open files"), "unexpected OSError: [Errno 24]")],
)
def test_it_tells_once_what_stops_it_and_tries_again(tmp_path, monkeypatch, error, detail):
    steps, stream = chain([error] * 3, [True], repeat(False)), io.StringIO()

    def revive(_: DataDirectory) -> bool:
        step = next(steps)
        if isinstance(step, Exception):
            raise step
        return step

    monkeypatch.setattr(embedded_watch, "revive", revive)
    monkeypatch.setattr(embedded_watch, "WATCH_INTERVAL_S", 0.0)
    with keep_embedded(DataDirectory(tmp_path), make_logger("info", stream)):
        wait_until(lambda: "started_again" in stream.getvalue(), "it started the server again")
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["event"] for line in lines] == ["embedded_redis_stays_down", "embedded_redis_started_again"]
    assert lines[0]["detail"].startswith(detail)
