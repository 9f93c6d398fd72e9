"""Formats of the settings."""

import pytest

from recommender.errors import SettingsError, UsageError
from recommender.reading import FormatSettings, ReadingOptions
from recommender.settings import load_settings
from training.ingest.formats.format import make_format
from training.ingest.formats.known import FORMATS, find_format

SETTINGS = """
[formats.till]
about = "our till"
columns = { customer_id = "card", product_id = ["ean", "plu"], ordered_at = "when", quantity = "n", status = "kind" }
purchase_events = ["sale", "return"]
left_out = { "no card" = "customer_id IS NULL", "carrier bag" = "product_id IN ('1', '2')" }
times = ["%d.%m.%Y"]
reading = { returned = ["return"] }
"""


@pytest.fixture
def settings(tmp_path, monkeypatch):
    def settings(text):
        file = tmp_path / "reprise.toml"
        file.write_text(text)
        monkeypatch.setenv("REPRISE_CONFIG", str(file))
        return load_settings()

    return settings


def test_a_format_of_the_settings_is_read_as_those_that_come_along(tmp_path, settings, read, lines):
    file = tmp_path / "till.csv"
    file.write_text(
        "card,plu,when,n,kind\n7,100,03.01.2024,2,sale\n7,1,03.01.2024,1,sale\n"
        ",100,03.01.2024,1,sale\n7,100,,1,no sale\n"
    )
    found = read(file, "till", formats=settings(SETTINGS).formats)
    assert lines(found) == [("7", "100", 2.0)]
    assert found.report.left_out == {"carrier bag": 1, "no card": 1, "not a purchase event": 1}


def test_a_format_of_the_settings_may_replace_one_that_comes_along(settings):
    own = settings('[formats.shopify]\ncolumns = { customer_id = "who" }\n').formats
    assert find_format("shopify", own).columns["customer_id"] == ("who",)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"columns": {"user": "x"}}, "'user' is not a column of ours; name one of customer_id"),
        ({"left_out": {"odd": "quantity >"}}, "'quantity >' is no SQL condition over our columns"),
        ({"prepare": "mine"}, "there is no hook 'mine'; there are: online_retail"),
    ],
)
def test_a_wrong_format_is_named(wrong, said):
    with pytest.raises(UsageError, match=f"format 'till': {said}"):
        make_format("till", FormatSettings.model_validate(wrong))


def test_an_unknown_key_of_a_format_is_named(settings):
    with pytest.raises(SettingsError, match=r"formats\.till\.colums.*did you mean"):
        settings('[formats.till]\ncolums = { customer_id = "x" }\n')


def test_what_the_user_says_wins_and_words_of_both_count():
    format_ = make_format("till", FormatSettings(reading=ReadingOptions(day_first=True, decimal=",", returned=("R",))))
    filled = format_.fill(ReadingOptions(decimal=".", returned=("back",), time_zone="Europe/Berlin"))
    assert (filled.day_first, filled.decimal, filled.time_zone) == (True, ".", "Europe/Berlin")
    assert filled.returned == ("back", "R")


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_says_what_it_is_and_has_the_required_columns(name):
    format_ = find_format(name)
    assert len(format_.about) > 10
    assert {"customer_id", "product_id", "ordered_at"} <= format_.columns.keys()
