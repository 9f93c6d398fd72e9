"""The table of `api_speed.py`: what is measured, medians and ratios, and how it was before."""

import statistics
from dataclasses import asdict, dataclass

from tests.benchmarks.api_speed_wrk import Load

EVENTS = "250 events"
ROUTES = {
    "similar, kept": "bare similar",
    "similar": "bare similar",
    "similar, never kept": "bare similar",
    "recommendations": "bare personal",
    "buy-again": "bare personal",
    "recommendations, 56 events": "bare personal",
    "batch of 20": "bare personal",
    EVENTS: "bare 250 events",
}
"""Route → the bare view with answers of its size, or that writes as much.

`similar` draws from all products, `kept` from 1,000 of them, whose answers a worker has at hand. What is never kept,
and what is asked for customers with recent events, has an `exclude` of its own each time.
"""
PAGES = {route: bare for route, bare in ROUTES.items() if route != EVENTS}


@dataclass(frozen=True)
class Row:
    """One line of the table. Ratios are None for the bare view itself and where it was not measured."""

    server: str
    route: str
    connections: int
    requests_per_s: float
    ratio: float | None
    cpu_us: float
    cpu_ratio: float | None
    p50_us: float
    p99_us: float
    errors: int


@dataclass(frozen=True)
class Case:
    """What is measured in each round."""

    server: str
    route: str
    connections: int


def to_rows(loads: dict[Case, list[Load]]) -> list[Row]:
    """Medians and ratios."""
    medians = {case: _median(of_case) for case, of_case in loads.items()}
    return [_row(case, medians) for case in loads]


def _median(loads: list[Load]) -> Load:
    fields = {name: statistics.median(getattr(load, name) for load in loads) for name in asdict(loads[0])}
    return Load(**fields | {"errors": sum(load.errors for load in loads)})


def _row(case: Case, medians: dict[Case, Load]) -> Row:
    load = medians[case]
    server = "gunicorn" if case.server.endswith("gunicorn") else "granian"
    bare = medians.get(Case(f"bare on {server}", ROUTES.get(case.route, ""), case.connections))
    return Row(
        case.server,
        case.route,
        case.connections,
        round(load.requests_per_s),
        bare and round(load.requests_per_s / bare.requests_per_s, 2),
        round(load.cpu_us),
        bare and round(bare.cpu_us / load.cpu_us, 2),
        load.p50_us,
        load.p99_us,
        load.errors,
    )


def render(result: dict, before: dict | None = None) -> str:
    """The table as text; with a run that was saved `before`, by how much each route takes less processor time now."""
    then = {_key(row): row for row in before["rows"]} if before else {}
    head = f"{'server':30}{'route':21}{'conn.':>6}{'req/s':>9}{'ratio':>7}{'CPU µs':>8}{'ratio':>7}"
    lines = [f"{head}{'p50 ms':>9}{'p99 ms':>9}{'errors':>7}{'was':>7}{'better':>8}"]
    for row in result["rows"]:
        ratios = ["" if row[name] is None else f"{row[name]:.2f}" for name in ("ratio", "cpu_ratio")]
        lines.append(
            f"{row['server']:30}{row['route']:21}{row['connections']:6}{row['requests_per_s']:9,}{ratios[0]:>7}"
            f"{row['cpu_us']:8}{ratios[1]:>7}{row['p50_us'] / 1000:9.2f}{row['p99_us'] / 1000:9.2f}{row['errors']:7}"
            f"{_compare(row, then.get(_key(row)))}"
        )
    lines.append(f"at half of saturation: {result['half_of_saturation']}")
    lines += [
        f"{name}: {result['rss_mb_before'][name]} MB before, {mb} MB after" for name, mb in result["rss_mb"].items()
    ]
    return "\n".join(lines)


def _key(row: dict) -> tuple[str, str, int]:
    return row["server"], row["route"], row["connections"]


def _compare(row: dict, before: dict | None) -> str:
    """The ratio of processor times then, and how many times that it is now: other work on the machine counts little."""
    if before is None or not before["cpu_ratio"] or not row["cpu_ratio"]:
        return ""
    return f"{before['cpu_ratio']:7.2f}{row['cpu_ratio'] / before['cpu_ratio']:7.2f}x"
