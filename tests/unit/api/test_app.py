"""What the process of the service is made of."""

import subprocess
import sys


def test_the_service_loads_no_training_library_and_connects_to_nothing():
    script = """
import socket, sys
def refuse(*_): raise SystemExit("connected")
socket.socket.connect = refuse
import api
from tests.fakes.shops import MemoryShopStorage
from tests.fakes.versions import MemoryVersionStore
from recommender.settings import Settings
app = api.create_app(Settings(), MemoryShopStorage({"default": MemoryVersionStore()}))
assert app.test_client().get("/openapi.json").status_code == 200
print(sorted({"implicit", "scipy", "sklearn", "polars", "dataframely", "training"} & set(sys.modules)))
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout.strip()) == (0, "[]"), run.stderr
