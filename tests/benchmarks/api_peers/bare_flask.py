"""The yardstick: Flask views that return constant bytes, as many as the service's answers have.

BENCH_BODIES names a folder with a file for each view.
"""

import os
from pathlib import Path

from flask import Flask, Response

BODIES = Path(os.environ["BENCH_BODIES"])
SIMILAR = (BODIES / "similar").read_bytes()
PERSONAL = (BODIES / "personal").read_bytes()

app = Flask(__name__, static_folder=None)


@app.get("/similar")
def similar() -> Response:
    return Response(SIMILAR, content_type="application/json")


@app.get("/personal")
def personal() -> Response:
    return Response(PERSONAL, content_type="application/json")
