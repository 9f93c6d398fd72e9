"""The search is broken off, goes on, never loses, and never looks at the gate's window."""

import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest
from optuna.distributions import CategoricalDistribution

from recommender.errors import HomeError, TooLittleDataError
from recommender.settings import AlsSettings, Settings
from tests.support.worlds import AS_OF, ledger_of
from training.evaluation.last_window import last_window
from training.selection.tune import Tried, Validation, build_validation, tune
from training.selection.tune_space import SPACE, SearchPoint, named, params_of, point_of, rounded, to_toml, with_point

SETTINGS = Settings(horizon_days=14, list_length=5, als=AlsSettings(factors=4, iterations=2))


def shop() -> pl.DataFrame:
    """Ten weekly buyers for 20 weeks, each with a product of the own and one that alternates."""
    weeks = [0.5 + 7 * week for week in range(20)]
    own = [(f"C{n}", f"P{n}", day) for n in range(10) for day in weeks]
    return ledger_of([*own, *((f"C{n}", f"X{(n + i) % 6}", day) for n in range(10) for i, day in enumerate(weeks))])


def catalogue_of(ledger: pl.DataFrame) -> pl.DataFrame:
    texts = ("title", "category", "price", "currency", "url", "image_url")
    return (
        ledger.select("product_id")
        .unique()
        .sort("product_id")
        .with_columns(
            *(pl.lit(None, pl.String).alias(name) for name in texts),
            in_stock=pl.lit(value=True),
            replenishable=pl.lit(None, pl.Boolean),
        )
    )


def validation_of(ledger: pl.DataFrame, settings: Settings = SETTINGS) -> Validation:
    return build_validation(ledger, catalogue_of(ledger), settings)


@pytest.mark.parametrize("path", SPACE)
def test_every_setting_exists_and_may_have_every_value_of_its_range(path: str):
    default = named(point_of(Settings.model_construct()))[path]
    among = SPACE[path]
    ends = among.choices if isinstance(among, CategoricalDistribution) else (among.low, among.high)
    if not isinstance(among, CategoricalDistribution):
        assert among.low <= default <= among.high
    for value in ends:
        first, *second = path.split(".")
        settings = Settings(**{first: {second[0]: value} if second else value})
        assert named(point_of(settings))[path] == value


def test_a_point_becomes_settings_and_back():
    point = rounded({**params_of(point_of(SETTINGS)), "als.alpha": 1.23456, "own_half_life_days": 60.0})
    settings = with_point(SETTINGS, point)
    assert (settings.als.alpha, settings.own_half_life_days, settings.als.iterations) == (1.23, 60, 2)
    assert point_of(settings) == point
    assert with_point(SETTINGS, point_of(SETTINGS)) == SETTINGS


def test_the_sampler_learns_from_the_nearest_value_where_todays_is_out_of_range():
    assert params_of(point_of(SETTINGS))["als.factors"] == SPACE["als.factors"].low == 16


def test_the_file_holds_only_what_differs_from_the_defaults():
    point = point_of(Settings(own_half_life_days=60, als=AlsSettings(alpha=0.5, weighting="binary")))
    text = to_toml(point, ["why"])
    assert text.startswith("# why\n")
    assert tomllib.loads(text) == {"own_half_life_days": 60, "als": {"alpha": 0.5, "weighting": "binary"}}
    assert point_of(Settings(**tomllib.loads(text))) == point
    assert to_toml(point_of(Settings()), ["nothing better"]) == "# nothing better\n"


def test_the_windows_follow_each_other_and_end_before_the_gates():
    validation = validation_of(shop())
    gate = last_window(shop(), 14)
    assert validation.as_of == gate.cut
    assert len(validation.windows) == 3
    ends = [window.cut + timedelta(days=14) for window in validation.windows]
    assert all(end == later.cut for end, (_, later) in zip(ends, pairwise(validation.windows), strict=False))
    assert ends[-1] <= gate.cut
    assert all(window.later["ordered_at"].max() < gate.cut for window in validation.windows)


def test_purchases_planted_in_the_gates_window_change_nothing():
    """Everybody buys a new product every day of it; even the catalogue knows of that."""
    planted = ledger_of([(f"C{n}", "NEW", 0.6 + day) for n in range(10) for day in range(13)])
    before, after = validation_of(shop()), validation_of(pl.concat([shop(), planted]).sort("ordered_at"))
    assert last_window(shop(), 14).cut == last_window(pl.concat([shop(), planted]), 14).cut
    assert after.name == before.name
    assert after.judge(after.today) == before.judge(before.today)
    assert "NEW" not in after.catalogue["product_id"]


def test_purchases_planted_before_it_start_another_study():
    before = validation_of(shop())
    after = validation_of(pl.concat([shop(), ledger_of([("C1", "P2", 30)])]).sort("ordered_at"))
    assert after.name != before.name
    assert validation_of(shop(), SETTINGS.model_copy(update={"seed": 1})).name != before.name
    assert validation_of(shop(), SETTINGS.model_copy(update={"own_half_life_days": 9.0})).name == before.name


def test_a_history_too_short_to_tune_on_is_said():
    short = shop().filter(pl.col("ordered_at") >= AS_OF - timedelta(days=35))
    with pytest.raises(TooLittleDataError, match="before the last 14 days there must be at least 28 more"):
        validation_of(short)


def test_nobody_who_came_back_is_said():
    once = validation_of(ledger_of([(f"C{n}", "TEA", n) for n in range(1, 100)]))
    with pytest.raises(TooLittleDataError, match="nobody came back"):
        once.judge(once.today)


@dataclass(frozen=True)
class Known(Validation):
    """Figures by a formula instead of by training; `stop_at`: the call that is broken off, and how."""

    figure: Callable[[Settings], float] = field(default=lambda settings: settings.als.alpha)
    seen: list[SearchPoint] = field(default_factory=list)
    stop_at: tuple[int, type[BaseException]] = (0, KeyboardInterrupt)

    def judge(self, point: SearchPoint) -> float:
        number, error = self.stop_at
        if len(self.seen) + 1 == number:
            raise error
        self.seen.append(point)
        return self.figure(with_point(self.settings, point))


def known(figure: Callable[[Settings], float], **options: object) -> Known:
    plain = validation_of(shop(), Settings(horizon_days=14))
    return Known(plain.as_of, plain.ledger, plain.catalogue, plain.windows, plain.settings, figure, **options)


def alpha_alone(settings: Settings) -> float:
    return settings.als.alpha


def test_finds_what_helps_and_puts_back_what_does_not(tmp_path: Path):
    validation = known(alpha_alone)
    tuned = tune(validation, tmp_path, 4)
    today, best = named(tuned.today.point), named(tuned.best.point)
    assert tuned.best.ndcg > tuned.today.ndcg == 3
    assert {path for path in SPACE if today[path] != best[path]} == {"als.alpha"}
    assert validation.seen[0] == validation.today
    assert 4 < tuned.n_trials == len(validation.seen) <= 4 + len(SPACE)


def test_is_never_worse_than_today(tmp_path: Path):
    tuned = tune(known(lambda settings: -abs(settings.als.alpha - 3)), tmp_path, 3)
    assert tuned.best == tuned.today
    assert tuned.n_trials == 3


@pytest.mark.parametrize(("trials", "stop_at"), [(4, 6), (12, 12)], ids=["while putting back", "while learning"])
def test_a_search_that_was_killed_goes_on_as_if_it_had_not_been(tmp_path: Path, trials: int, stop_at: int):
    whole = known(alpha_alone)
    expected = tune(whole, tmp_path / "whole", trials)
    broken, rest = known(alpha_alone, stop_at=(stop_at, RuntimeError)), known(alpha_alone)
    with pytest.raises(RuntimeError):
        tune(broken, tmp_path / "broken", trials)
    tuned = tune(rest, tmp_path / "broken", trials)
    assert broken.seen + rest.seen == whole.seen
    assert (tuned.best, tuned.n_trials) == (expected.best, expected.n_trials)
    again = known(alpha_alone)
    assert tune(again, tmp_path / "broken", trials).best == tuned.best
    assert again.seen == []


def test_ctrl_c_keeps_what_was_tried(tmp_path: Path):
    tuned = tune(known(alpha_alone, stop_at=(3, KeyboardInterrupt)), tmp_path, 10)
    assert tuned.n_trials == 2
    assert tuned.best.ndcg >= tuned.today.ndcg


def test_ctrl_c_before_anything_is_known_ends_the_call(tmp_path: Path):
    with pytest.raises(KeyboardInterrupt):
        tune(known(alpha_alone, stop_at=(1, KeyboardInterrupt)), tmp_path, 10)


def test_begins_no_trial_when_the_time_is_over(tmp_path: Path):
    assert tune(known(alpha_alone), tmp_path, 10, may_go_on=lambda: False).n_trials == 1


def test_new_settings_of_today_join_the_same_study(tmp_path: Path):
    """What was tried counts, and what is best stays best."""
    first = tune(known(alpha_alone), tmp_path, 2)
    validation = known(alpha_alone)
    validation = replace(validation, settings=with_point(validation.settings, first.best.point))
    tuned = tune(validation, tmp_path, 2)
    assert tuned.best == tuned.today == first.best
    assert validation.seen == []


def test_tells_of_each_trial(tmp_path: Path):
    told: list[tuple[int, Tried, Tried]] = []
    tune(known(alpha_alone), tmp_path, 2, on_trial=lambda *trial: told.append(trial))
    assert [number for number, _, _ in told] == list(range(1, len(told) + 1))
    assert all(best.ndcg >= tried.ndcg for _, tried, best in told)


def test_a_file_that_is_no_study_is_named(tmp_path: Path):
    validation = known(alpha_alone)
    (tmp_path / f"{validation.name}.db").write_bytes(b"not a database" * 100)
    with pytest.raises(HomeError, match=f"cannot keep trials in .*{validation.name}.db"):
        tune(validation, tmp_path, 1)


def test_becomes_plain_json(tmp_path: Path):
    document = tune(known(alpha_alone), tmp_path, 1, may_go_on=lambda: False).to_dict()
    assert document["trials"] == 1
    assert document["today"] == document["best"]
    assert document["best"]["ndcg@10"] == 3
    assert document["best"]["settings"]["als.factors"] == 64
    assert len(document["cuts"]) == 3
