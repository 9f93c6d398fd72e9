"""Coverage-guided fuzzing of requests and of what Redis holds: `python tests/benchmarks/fuzz.py --minutes 10 --json`.

Each target of `fuzz_targets.py` gets its share of the time in a process of its own. It prints the number of inputs; an
input that breaks a promise is saved, told, and makes the exit code 1: give it to `--repeat TARGET FILE`.
Needs atheris, which is no dependency of the project.
"""

import argparse
import importlib.util
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
NAMES = ("requests", "nonsense", "lists", "events", "callers", "kept")
SHARES = {"requests": 4, "nonsense": 2}
"""Of the time; the others have one each."""
MAX_BYTES = 4_096
HANG_S = 10
_INPUTS = re.compile(r"stat::number_of_executed_units:\s*(\d+)|^#(\d+)", re.MULTILINE)

_EVENT = (
    '{"event_id":"e1","event_type":"purchase","customer_id":"ANNA","product_id":"MILK",'
    '"occurred_at":"2026-11-20T09:00:00Z","quantity":2,"unit_price":1.2,"currency":"EUR","order_id":"o"}'
)
_WIRE = b"\x00\x00\x00\x00\x00\x00\x3c\x01\x00\x00\x00\x00\x38"
_PRODUCT = (
    b'{"product_id":"MILK","title":"Milk","category":"Dairy","price":"1.20","in_stock":true,"rhythm":[2,0.3,0.5]}'
)
_JSON = "Content-Type: application/json"
_BODY = '{"placement":"cart","customer_id":"ANNA","cart":["MILK"],"recently_viewed":["a/b c"],"limit":4,"exclude":[]}'
SEEDS: dict[str, list[str | bytes]] = {
    "requests": [
        "GET /v1/products/MILK/similar?limit=3&placement=product-page&exclude=A&exclude=B&category=Dairy",
        "GET /v1/products/a%2Fb%20c/bought-together\nIf-None-Match: *\nX-Request-ID: r1",
        "HEAD /v1/popular?category=Dairy\ntraceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "GET /v1/customers/ANNA/recommendations?mix=discover&limit=99",
        "GET /v1/customers/x%2Fy/buy-again?due_within=14d\nOrigin: https://shop.example",
        f"POST /v1/recommendations\n{_JSON}\n\n{_BODY}",
        f'POST /v1/events\n{_JSON}\n\n{{"events":[{_EVENT},{{}}]}}',
        f'POST /v1/batch\n{_JSON}\n\n{{"requests":[{{"path":"/v1/popular"}}]}}',
        f'PUT /v1/placements/new\n{_JSON}\n\n{{"cap":8,"default_limit":4,"max_per_category":2}}',
        "POST /v1/models/20261120T020000Z-3f2a/activate",
        "GET /v1/models",
        "OPTIONS /v1/placements/home\nOrigin: http://localhost\nAccess-Control-Request-Method: PUT",
        "GET /docs/docs.js",
        'GET /openapi.json\nIf-None-Match: "x"',
        "GET /health/ready",
        "GET /metrics",
        "DELETE /v1/customers/ANNA\nAuthorization: Bearer sk_00_11",
    ],
    "nonsense": [_WIRE + b"\n\n" + _PRODUCT, b"\x01" + bytes(16) + b"\n\n" + _PRODUCT],
    "lists": [b"\x00" + _WIRE, b"\x02\x00" + bytes(range(16)), b"\x02\x02"],
    "events": [_EVENT, '{"event_id":"e","event_type":"view","session_id":"s","product_id":"p","occurred_at":0}'],
    "callers": [
        "$\x00\nhttps://shop.example\nlocalhost:80\n127.0.0.1\n$\x02",
        "Bearer sk_0_0\nnull\n[::1]\n::1\n0.QQ.AA.AA",
    ],
    "kept": [
        _PRODUCT,
        '{"version":"v","as_of":"2026-11-20T02:00:00Z","created_at":"","counts":{"products":1}}',
        '{"cap":8,"default_limit":4,"max_per_category":null,"mix":"auto","fallbacks":["popular"]}',
        '{"key_id":"a","shop":"s","kind":"secret","scopes":["read"],"origins":[],"digest":"","created_at":""}',
    ],
}


def main() -> int:
    """Run all targets; 1 where one found something."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="for all targets together")
    parser.add_argument("--target", choices=NAMES, action="append", help="only this one; may be given more than once")
    parser.add_argument("--finds", type=Path, default=Path(".reprise/fuzz"), help="folder for what breaks something")
    parser.add_argument("--repeat", nargs=2, metavar=("TARGET", "FILE"), help="run one saved input again")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if importlib.util.find_spec("atheris") is None:
        parser.error("atheris is not installed: `.venv/bin/python -m pip install atheris`")
    if arguments.repeat:
        done = run(arguments.repeat[0], [str(Path(arguments.repeat[1]).resolve())], ROOT)
        sys.stderr.write(done.stderr)
        return done.returncode
    names = arguments.target or NAMES
    second = arguments.minutes * 60 / sum(SHARES.get(name, 1) for name in names)
    results = {name: fuzz(name, second * SHARES.get(name, 1), arguments.finds.resolve()) for name in names}
    report(results, as_json=arguments.json)
    return 1 if any(result["finds"] for result in results.values()) else 0


def fuzz(name: str, seconds: float, finds: Path) -> dict[str, object]:
    """One target for so long: the number of inputs, and the files that hold those which broke something."""
    folder = finds / name
    folder.mkdir(parents=True, exist_ok=True)
    before = set(folder.iterdir())
    with tempfile.TemporaryDirectory() as corpus:
        for number, seed in enumerate(SEEDS[name]):
            Path(corpus, f"seed-{number}").write_bytes(seed.encode("latin-1") if isinstance(seed, str) else seed)
        limits = [f"-max_total_time={max(1, round(seconds))}", f"-max_len={MAX_BYTES}", f"-timeout={HANG_S}"]
        done = run(name, [corpus, *limits, "-print_final_stats=1", f"-artifact_prefix={folder}/"], ROOT)
    found = [max(pair) for pair in _INPUTS.findall(done.stderr)]
    if done.returncode:
        sys.stderr.write(done.stderr[-6_000:])
    kept = sorted(str(file) for file in set(folder.iterdir()) - before)
    return {
        "inputs": max(map(int, found), default=0),
        "finds": kept or [f"exit code {done.returncode}"] * bool(done.returncode),
    }


def run(name: str, arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """The target in a process of its own, as libFuzzer ends the one that it runs in."""
    code = f"from tests.benchmarks.fuzz import _run_target; _run_target({name!r})"
    environment = {key: value for key, value in os.environ.items() if not key.startswith("REPRISE_")}
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=folder,
        env={**environment, "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )


def report(results: dict[str, dict[str, object]], *, as_json: bool) -> None:
    """A line a target."""
    if as_json:
        print(json.dumps(results, indent=2))
        return
    for name, result in results.items():
        print(f"{name:10} {result['inputs']:>12,} inputs  {result['finds'] or 'nothing found'}")


def _run_target(name: str) -> None:
    import atheris

    with atheris.instrument_imports(include=["api", "recommender"]):
        from tests.benchmarks.fuzz_targets import TARGETS

    atheris.Setup(sys.argv, TARGETS[name]())
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
