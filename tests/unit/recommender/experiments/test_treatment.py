"""What a variant changes, alone and together with others, and who gets what of it."""

import tomllib
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import TypeAdapter, ValidationError

from recommender.experiments.experiment import HOLDOUT, Assignment, Experiment, Experiments, assign, assignments
from recommender.experiments.treatment import NOTHING_SHOWN, UNTREATED, Treatment, combine
from recommender.slate.placements import DEFAULT_PLACEMENTS, Pin, Placement

HOME = DEFAULT_PLACEMENTS["home"]
START = datetime(2026, 11, 1, tzinfo=UTC)
CUSTOMERS = [f"C{number}" for number in range(200)]


def experiment(name="cap-6", *, holdout=0.0, treatments=None, **fields):
    variants = {"control": 1, "six": 1}
    return Experiment(name=name, variants=variants, holdout=holdout, treatments=treatments or {}, **fields)


class TestTreatment:
    def test_changes_what_it_names_and_nothing_else(self):
        pinned = HOME.model_copy(update={"pins": (Pin(product_id="MILK", position=1),)})
        treated = Treatment(cap=6, min_probability=0.1, mix="discover", rotate=False, fallbacks=()).treat(pinned)
        assert treated == Placement(
            cap=6,
            default_limit=6,
            max_per_category=5,
            min_probability=0.1,
            mix="discover",
            fallbacks=(),
            pins=pinned.pins,
        )

    def test_nothing_changes_nothing(self):
        assert UNTREATED.treat(HOME) is HOME
        assert UNTREATED.fields == set()

    def test_a_default_limit_over_the_cap_is_clamped(self):
        assert Treatment(default_limit=50).treat(HOME).default_limit == HOME.cap

    @pytest.mark.parametrize(
        ("fields", "fault"),
        [
            ({"cap": 51}, "less_than_equal"),
            ({"cap": 0}, "greater_than_equal"),
            ({"min_probability": 1.5}, "less_than_equal"),
            ({"mix": "all"}, "literal_error"),
            ({"fallbacks": ["nothing"]}, "literal_error"),
            ({"version": "../x"}, "string_pattern_mismatch"),
            ({"pins": []}, "extra_forbidden"),
        ],
    )
    def test_what_cannot_be_is_refused(self, fields, fault):
        with pytest.raises(ValidationError) as refused:
            Treatment.model_validate(fields)
        assert [(error["loc"][0], error["type"]) for error in refused.value.errors()] == [(*fields, fault)]

    @pytest.mark.parametrize(
        ("fields", "said"),
        [
            ({"cap": 4, "default_limit": 6}, "default_limit 6 is over the cap 4"),
            ({"show": False, "cap": 4}, "nothing else can count"),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, fields, said):
        with pytest.raises(ValidationError, match=said):
            Treatment.model_validate(fields)


class TestCombine:
    def test_none_is_untreated(self):
        assert combine([]) is UNTREATED
        assert combine([UNTREATED, UNTREATED]) is UNTREATED

    def test_fields_of_several_add_up_and_the_first_named_wins(self):
        both = combine([Treatment(cap=6), UNTREATED, Treatment(cap=12, mix="discover")])
        assert both == Treatment(cap=6, mix="discover")

    def test_a_limit_of_one_and_a_cap_of_the_other_may_meet(self):
        assert combine([Treatment(default_limit=8), Treatment(cap=4)]) == Treatment(cap=4, default_limit=4)

    def test_a_hold_out_is_one_whatever_else_there_is(self):
        assert combine([Treatment(cap=6), NOTHING_SHOWN]) == NOTHING_SHOWN


class TestAssignments:
    def test_each_customer_gets_the_treatment_of_the_variant(self):
        tried = experiment(holdout=0.2, treatments={"six": {"cap": 6}})
        treatments = {"control": UNTREATED, "six": Treatment(cap=6), HOLDOUT: NOTHING_SHOWN}
        found = {}
        for customer_id in CUSTOMERS:
            variant = assign(tried, customer_id)
            (found[variant],) = assignments([tried], customer_id, START, placement="home")
        assert found == {name: Assignment("cap-6", name, treatment) for name, treatment in treatments.items()}

    def test_the_hold_out_can_be_shown_what_others_see(self):
        tried = experiment(holdout=0.9, treatments={HOLDOUT: {}})
        assert tried.treatment(HOLDOUT) == UNTREATED

    def test_only_where_and_when_it_applies(self):
        home = experiment(placements=("home",), starts=START)
        mails = experiment("mails", campaigns=("spring",))
        both = (home, mails)

        def names(as_of=START, **where):
            return [one.experiment for one in assignments(both, "C1", as_of, **where)]

        assert names(placement="home") == ["cap-6"]
        assert names(placement="cart") == []
        assert names(START - timedelta(seconds=1), placement="home") == []
        assert names(placement="email", campaign="spring") == ["mails"]


class TestValidation:
    def test_it_is_read_from_toml(self):
        text = """
        [[experiments]]
        name = "cap-6"
        variants = {twenty = 1, six = 1}
        holdout = 0.1
        [experiments.treatments.six]
        cap = 6
        mix = "buy_again"
        """
        (read,) = TypeAdapter(Experiments).validate_python(tomllib.loads(text)["experiments"])
        assert read.treatment("six") == Treatment(cap=6, mix="buy_again")
        assert read.treatment("twenty") == UNTREATED
        assert read.treatment(HOLDOUT) == NOTHING_SHOWN

    @pytest.mark.parametrize("variant", ["seven", HOLDOUT])
    def test_a_treatment_of_no_variant_is_refused(self, variant):
        with pytest.raises(ValidationError, match=f"for {variant}, which is no variant; there are: control, six"):
            experiment(treatments={variant: {"cap": 6}})

    @pytest.mark.parametrize(
        ("one", "other", "meet"),
        [
            ({}, {}, True),
            ({"placements": ("home",)}, {}, True),
            ({"placements": ("home",)}, {"placements": ("home", "cart")}, True),
            ({"placements": ("home",)}, {"placements": ("cart",)}, False),
            ({"campaigns": ("spring",)}, {"campaigns": ("spring",)}, True),
            ({"campaigns": ("spring",)}, {"campaigns": ("summer",)}, False),
            ({"campaigns": ("spring",)}, {"placements": ("home",)}, False),
            ({"campaigns": ("spring",)}, {"placements": ("email",)}, True),
            ({"ends": START}, {"starts": START}, False),
            ({"ends": START}, {"starts": START - timedelta(days=1)}, True),
        ],
    )
    def test_two_that_change_one_field_of_the_same_answers_are_refused(self, one, other, meet):
        six, eight = ({"six": {"cap": cap}} for cap in (6, 8))
        pair = [experiment("one", treatments=six, **one), experiment("other", treatments=eight, **other)]
        for both in (pair, pair[::-1]):
            if meet:
                with pytest.raises(ValidationError, match=r"both change cap of the same answers; let one end"):
                    TypeAdapter(Experiments).validate_python(both)
            else:
                assert len(TypeAdapter(Experiments).validate_python(both)) == 2

    def test_two_that_change_different_fields_or_hold_out_may_meet(self):
        caps = experiment("caps", holdout=0.1, treatments={"six": {"cap": 6}})
        mixes = experiment("mixes", holdout=0.1, treatments={"six": {"mix": "discover"}})
        assert len(TypeAdapter(Experiments).validate_python([caps, mixes])) == 2
