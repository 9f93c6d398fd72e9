"""Drives `wrk` (https://github.com/wg/wrk), which sends requests with varying ids from a process of its own."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.api_speed_servers import Server

SCRIPT = Path(__file__).parent / "api_speed.lua"


@dataclass(frozen=True)
class Load:
    """What one run of `wrk` measured.

    Attributes:
        requests_per_s: answered.
        p50_us, p99_us: microseconds from request to answer.
        errors: answers other than 2xx and 3xx, and broken connections.
        cpu_us: processor time of the workers per request; it hardly depends on who else is on the machine.
    """

    requests_per_s: float
    p50_us: float
    p99_us: float
    errors: int
    cpu_us: float


def drive(
    server: Server, route: str, *, connections: int, seconds: int, distribution: str = "skewed", pause_ms: float = 0.0
) -> Load:
    """Ask `server` for `route` as fast as it answers, or with a mean pause of `pause_ms` on each connection."""
    command = [
        "wrk",
        "-t1",
        f"-c{connections}",
        f"-d{seconds}s",
        "-s",
        str(SCRIPT),
        f"http://127.0.0.1:{server.port}",
    ]
    before = server.cpu_s()
    output = subprocess.run(
        [*command, "--", route, distribution, str(pause_ms)], capture_output=True, text=True, check=True
    ).stdout
    found = json.loads(output.splitlines()[-1])
    cpu_us = (server.cpu_s() - before) * 1e6 / max(found["requests_per_s"] * seconds, 1)
    return Load(**found, cpu_us=cpu_us)
