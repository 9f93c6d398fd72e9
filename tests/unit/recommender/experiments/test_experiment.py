"""Assignment: sticky, in proportion, independent between experiments, and moving as few customers as can be."""

import tomllib
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import TypeAdapter, ValidationError
from scipy.stats import chi2_contingency, chisquare, kstest

from recommender.experiments.experiment import HOLDOUT, Experiment, Experiments, applies, assign, draw_uniform, shares

CUSTOMERS = [f"C{number}" for number in range(12_000)]
START = datetime(2026, 11, 1, tzinfo=UTC)


def experiment(name="home", *, holdout=0.0, **weights):
    return Experiment(name=name, variants=weights or {"control": 1, "six": 1}, holdout=holdout)


def assign_all(tried):
    return [assign(tried, customer_id) for customer_id in CUSTOMERS]


def moves(before, after):
    pairs = zip(assign_all(before), assign_all(after), strict=True)
    return Counter(pair for pair in pairs if pair[0] != pair[1])


def test_an_assignment_never_changes():
    """Another hash would reshuffle every running experiment: these are the values of the first release."""
    three = experiment(holdout=0.2, control=1, six=1, twelve=2)
    assigned = [assign(three, customer_id) for customer_id in ("ANNA", "BEN", "00123", "käse 🧀", "", "C7")]
    assert assigned == ["twelve", "twelve", "control", HOLDOUT, "control", "control"]


def test_draws_are_uniform():
    draws = [draw_uniform("salt", "variant", customer_id) for customer_id in CUSTOMERS]
    assert kstest(draws, "uniform").pvalue > 0.001
    assert 0 <= min(draws) < max(draws) < 1


def test_variants_get_their_shares():
    three = experiment(holdout=0.1, control=1, six=1, twelve=2)
    expected = shares(three)
    assert expected == pytest.approx({HOLDOUT: 0.1, "control": 0.225, "six": 0.225, "twelve": 0.45})
    counted = Counter(assign_all(three))
    assert chisquare([counted[n] for n in expected], [s * len(CUSTOMERS) for s in expected.values()]).pvalue > 0.001


def test_two_experiments_are_independent():
    both = Counter(zip(assign_all(experiment("home")), assign_all(experiment("cart")), strict=True))
    table = [[both[one, other] for other in ("control", "six")] for one in ("control", "six")]
    assert chi2_contingency(table).pvalue > 0.001


def test_variants_and_the_hold_out_are_independent():
    kept_out = [assign(experiment(holdout=0.5), each) == HOLDOUT for each in CUSTOMERS]
    both = Counter(zip(kept_out, assign_all(experiment()), strict=True))
    assert chi2_contingency([[both[k, v] for v in ("control", "six")] for k in (True, False)]).pvalue > 0.001


def test_experiments_of_one_salt_share_the_split():
    one, other = (Experiment(name=name, salt="2026", variants={"a": 1, "b": 1}) for name in ("home", "cart"))
    assert assign_all(one) == assign_all(other) != assign_all(one.model_copy(update={"salt": "2027"}))


def test_a_greater_weight_only_takes_and_takes_no_more_than_it_must():
    moved = moves(experiment(a=1, b=1, c=1), experiment(a=2, b=1, c=1))
    assert {into for _, into in moved} == {"a"}
    assert moved.total() == pytest.approx((2 / 4 - 1 / 3) * len(CUSTOMERS), rel=0.1)


def test_a_new_variant_only_takes_and_an_old_one_only_gives():
    two, three = experiment(a=1, b=1), experiment(a=1, b=1, c=1)
    assert {into for _, into in moves(two, three)} == {"c"}
    assert {out_of for out_of, _ in moves(three, two)} == {"c"}


def test_a_larger_hold_out_only_takes():
    moved = moves(experiment(holdout=0.1), experiment(holdout=0.2))
    assert {into for _, into in moved} == {HOLDOUT}
    assert moved.total() == pytest.approx(0.1 * len(CUSTOMERS), rel=0.1)


def test_neither_order_nor_scale_of_the_weights_counts():
    assert not moves(experiment(a=1, b=3), experiment(b=6, a=2))


@pytest.mark.parametrize("customer_id", ["", "a\0b", "\ud800", "x" * 10_000])
def test_any_id_is_assigned(customer_id):
    assert assign(experiment(), customer_id) in {"control", "six"}


def test_it_applies_in_its_time_only():
    timed = experiment().model_copy(update={"starts": START, "ends": START + timedelta(days=7)})
    moments = [START - timedelta(seconds=1), START, START + timedelta(days=6.9), START + timedelta(days=7)]
    assert [applies(timed, moment) for moment in moments] == [False, True, True, False]


def test_it_applies_in_its_places_only():
    assert applies(experiment(), START, placement="cart")
    placed = experiment().model_copy(update={"placements": ("home",), "campaigns": ("spring",)})
    assert applies(placed, START, placement="home")
    assert applies(placed, START, placement="email", campaign="spring")
    assert not applies(placed, START, placement="cart")
    assert not applies(placed, START)


def test_it_is_read_from_toml():
    text = """
    [[experiments]]
    name = "home-cap"
    salt = "november"
    holdout = 0.1
    placements = ["home"]
    starts = 2026-11-01
    ends = 2026-12-01T00:00:00+01:00
    [experiments.variants]
    control = 1
    six = 2.5
    """
    (read,) = TypeAdapter(Experiments).validate_python(tomllib.loads(text)["experiments"])
    assert read == Experiment(
        name="home-cap",
        salt="november",
        variants={"control": 1.0, "six": 2.5},
        holdout=0.1,
        placements=("home",),
        starts=START,
        ends=datetime(2026, 11, 30, 23, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"variants": {}}, "too_short"),
        ({"variants": {"a": 1, "b": 0}}, "greater_than"),
        ({"variants": {"a": 1, "b": float("inf")}}, "finite_number"),
        ({"variants": {"a\0": 1, "b": 1}}, "string_pattern_mismatch"),
        ({"holdout": 1.0}, "less_than"),
        ({"weights": {}}, "extra_forbidden"),
    ],
)
def test_what_cannot_be_is_refused(fields, fault):
    with pytest.raises(ValidationError) as refused:
        Experiment.model_validate({"name": "home", "variants": {"control": 1, "six": 1}} | fields)
    assert [(error["loc"][0], error["type"]) for error in refused.value.errors()] == [(*fields, fault)]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"variants": {"a": 1}}, "nothing to be compared with"),
        ({"variants": {"a": 1, HOLDOUT: 1}}, "cannot be called 'holdout'"),
        ({"starts": START, "ends": START}, "not after its start"),
    ],
)
def test_what_makes_no_sense_is_refused(fields, said):
    with pytest.raises(ValidationError, match=said):
        Experiment.model_validate({"name": "home", "variants": {"control": 1, "six": 1}} | fields)


def test_it_is_frozen():
    with pytest.raises(ValidationError) as refused:
        experiment().salt = "another"
    assert refused.value.errors()[0]["type"] == "frozen_instance"


def test_a_name_is_given_once():
    home = experiment("home")
    with pytest.raises(ValidationError, match="several experiments are called home"):
        TypeAdapter(Experiments).validate_python([home, home])
