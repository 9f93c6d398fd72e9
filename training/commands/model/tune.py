"""`reprise tune`: settings that suit a shop better than today's, found on past windows."""

import json
import time
import tomllib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from recommender.cli.console import echo, print_json
from recommender.cli.progress import Progress
from recommender.data_dir import DataDirectory, write_whole
from recommender.errors import UsageError
from recommender.settings import load_settings
from training.commands.options import source_options
from training.commands.source import read_source
from training.ingest.ingest import PurchaseSource
from training.parts.plan import plan_job, size_of
from training.selection.tune import MEASURE, Tried, Tuned, build_validation, tune
from training.selection.tune_space import SPACE, named, to_toml

_HEADER = "Written by `reprise tune`"


@click.command()
@source_options
@click.option("--trials", type=click.IntRange(1), default=20, show_default=True, help="How many points to try in all.")
@click.option("--timeout-s", type=click.FloatRange(0, min_open=True), help="Begin no trial after so many seconds.")
@click.option("--out", type=click.Path(path_type=Path), default="reprise.toml", show_default=True, help="Where to.")
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
def command(
    *,
    source: PurchaseSource,
    trials: int,
    timeout_s: float | None,
    out: Path,
    as_json: bool,
) -> None:
    """Try settings on past windows and write the best to a file.

    Today's settings are tried first, so the result is never worse on these windows. The last window, by which
    `reprise train` judges, is not looked at. Ctrl-C writes the best so far; the same command again goes on, also
    after a crash: every trial is kept under REPRISE_HOME/tuning. After the last one, changes that do not help are
    put back, which takes a trial each.

    \b
    Example:
      reprise tune purchases.csv --trials 40 --timeout-s 3600
      reprise tune purchases.csv --products products.csv --out tuned.toml --json
    """
    _refuse_to_lose(out)
    started, settings, progress = time.monotonic(), load_settings(), Progress(show=not as_json)
    ingested = read_source(source, settings, datetime.now(UTC), progress, as_json=as_json)
    progress.note(f"each of its windows: {plan_job(size_of(ingested.ledger, ingested.catalogue), settings)}")
    validation = build_validation(ingested.ledger, ingested.catalogue, settings)
    tuned = tune(
        validation,
        DataDirectory(settings.home).root / "tuning",
        trials,
        may_go_on=lambda: timeout_s is None or time.monotonic() - started < timeout_s,
        on_trial=lambda number, tried, best: _tell(_title(number, trials), tried, best, started, silent=as_json),
    )
    with write_whole(out) as file:
        file.write(to_toml(tuned.best.point, _comment(tuned, source.paths)).encode())
    if as_json:
        seconds = round(time.monotonic() - started, 1)
        print_json({**tuned.to_dict(), "out": str(out), "seconds": seconds, "reading": ingested.report.to_dict()})
    else:
        _show(tuned, out)


def _refuse_to_lose(out: Path) -> None:
    """Only what an earlier tuning wrote may be overwritten, and only while nothing was added to it."""
    if not out.exists():
        return
    try:
        text = out.read_text()
        ours = text.startswith(f"# {_HEADER}") and _paths_in(tomllib.loads(text)) <= set(SPACE)
    except (OSError, ValueError):
        ours = False
    if not ours:
        raise UsageError(f"{out} holds settings of yours, which would be lost; name another file with --out")


def _paths_in(table: dict[str, object], before: str = "") -> set[str]:
    paths: set[str] = set()
    for key, value in table.items():
        paths |= _paths_in(value, f"{before}{key}.") if isinstance(value, dict) else {f"{before}{key}"}
    return paths


def _comment(tuned: Tuned, paths: Sequence[str | Path]) -> list[str]:
    files = ", ".join(json.dumps(Path(path).name, ensure_ascii=False) for path in paths)
    validation = tuned.validation
    cuts = ", ".join(f"{window.cut:%Y-%m-%d}" for window in validation.windows)
    about = f"{tuned.n_trials} trials on {files}, as of {validation.as_of:%Y-%m-%d}; nothing later was looked at."
    days = f"the {validation.settings.horizon_days} days from {cuts}"
    return [
        f"{_HEADER}: {about}",
        f"{MEASURE} of the mixed list, mean of {days}:",
        f"{tuned.best.ndcg:.4f} with these settings, {tuned.today.ndcg:.4f} with those before.",
    ]


def _title(number: int, trials: int) -> str:
    return f"trial {number} of {trials}" if number <= trials else f"trial {number}, without a change"


def _tell(title: str, tried: Tried, best: Tried, started: float, *, silent: bool) -> None:
    if silent:
        return
    values = ", ".join(f"{path} {value}" for path, value in named(tried.point).items())
    seconds = time.monotonic() - started
    echo(f"{title}: {MEASURE} {tried.ndcg:.4f}, best {best.ndcg:.4f}, {seconds:.0f} s · {values}", err=True)


def _show(tuned: Tuned, out: Path) -> None:
    echo(f"{MEASURE} {tuned.best.ndcg:.4f}, today {tuned.today.ndcg:.4f} ({tuned.n_trials} trials)")
    before, after = named(tuned.today.point), named(tuned.best.point)
    for path in SPACE:
        if before[path] != after[path]:
            echo(f"  {path}: {before[path]} → {after[path]}")
    echo(f"wrote {out}")
