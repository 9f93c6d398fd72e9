"""The yardstick: Flask views that return constant bytes, as many as the service's answers have.

BENCH_BODIES names a folder with a file for each view. BENCH_REDIS is the address of a Redis, to which a view writes
batches of events in one pipeline; it checks nothing.
"""

import json
import os
from pathlib import Path

from flask import Flask, Response, request
from redis import Redis

BODIES = Path(os.environ["BENCH_BODIES"])
SIMILAR = (BODIES / "similar").read_bytes()
PERSONAL = (BODIES / "personal").read_bytes()

app = Flask(__name__, static_folder=None)
redis = Redis.from_url(os.environ["BENCH_REDIS"])


@app.get("/similar")
def similar() -> Response:
    return Response(SIMILAR, content_type="application/json")


@app.get("/personal")
def personal() -> Response:
    return Response(PERSONAL, content_type="application/json")


@app.post("/events")
def events() -> tuple[dict[str, int], int]:
    batch, pipeline = request.get_json()["events"], redis.pipeline(transaction=False)
    for event in batch:
        pipeline.xadd("bench:events", {"e": json.dumps(event)})
    pipeline.execute()
    return {"accepted": len(batch)}, 202
