import shlex
from datetime import date

import click
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from recommender.errors import SettingsError
from recommender.reading import ReadingOptions
from recommender.settings import load_settings
from training.commands.reading_options import add_reading_options, take_reading
from training.commands.reading_settings import add_to_settings, write_options
from training.ingest.schema import PURCHASE_COLUMNS

words = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zs", "Zl", "Zp"], exclude_characters=","), min_size=1)
several = st.lists(words, min_size=1, max_size=3).map(tuple)
columns = st.dictionaries(st.sampled_from(PURCHASE_COLUMNS), words, max_size=3)
options = st.builds(
    ReadingOptions,
    format=st.sampled_from(["reprise", "shopify"]),
    columns=columns,
    product_columns=st.dictionaries(st.just("title"), words),
    encoding=st.none() | st.just("windows-1252"),
    time_format=st.none() | st.just("%d.%m.%Y %H:%M"),
    day_first=st.none() | st.booleans(),
    time_zone=st.sampled_from(["UTC", "Europe/Berlin"]),
    calendar=st.none() | st.just("persian"),
    day_one=st.none() | st.just(date(2026, 9, 1)),
    decimal=st.none() | st.sampled_from([".", ","]),
    returned=st.just(()) | several,
    purchases_where=st.none() | st.just("event=sale|buy"),
    not_products=st.just(()) | several,
    hash_customers=st.booleans(),
)


@given(options)
def test_options_are_typed_as_they_are_read(reading):
    found = []

    @click.command()
    @add_reading_options
    def command(**others):
        found.append(take_reading(others))

    done = CliRunner().invoke(command, shlex.split(write_options(reading, ReadingOptions())), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert found == [reading]


@given(options)
def test_settings_are_written_as_they_are_read(tmp_path_factory, reading):
    file = tmp_path_factory.mktemp("settings") / "reprise.toml"
    file.write_text('# ours\nshop = "tea"\n\n[als]\nfactors = 32\n')
    add_to_settings(file, reading, ReadingOptions())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REPRISE_CONFIG", str(file))
        settings = load_settings()
    assert (settings.reading, settings.shop, settings.als.factors) == (reading, "tea", 32)
    assert file.read_text().startswith("# ours\n")


def test_what_stands_there_is_kept_and_added_to(tmp_path):
    file = tmp_path / "reprise.toml"
    file.write_text('[reading]  # of our till\ntime_zone = "Europe/Berlin"\n\n[als]\nfactors = 32\n')
    settled = ReadingOptions(time_zone="Europe/Berlin")
    add_to_settings(file, settled.model_copy(update={"decimal": ",", "columns": {"customer_id": 'a "b"'}}), settled)
    assert file.read_text() == (
        '[reading]  # of our till\ncolumns = { customer_id = "a \\"b\\"" }\ndecimal = ","\n'
        'time_zone = "Europe/Berlin"\n\n[als]\nfactors = 32\n'
    )
    text = file.read_text()
    add_to_settings(file, ReadingOptions(decimal=","), ReadingOptions())
    assert file.read_text() == text


@pytest.mark.parametrize(
    ("there", "said"),
    [
        ('[reading]\ndecimal = "."\n', r"has \[reading\] decimal = '.' and not ','"),
        ('reading.decimal = "."\n', r"has \[reading\] decimal = '.'"),
        ('reading = { time_zone = "UTC" }\n', r"in a way that cannot be added to"),
        ("[reading\n", "cannot be read as TOML"),
    ],
)
def test_what_says_otherwise_is_never_overwritten(tmp_path, there, said):
    file = tmp_path / "reprise.toml"
    file.write_text(there)
    with pytest.raises(SettingsError, match=said):
        add_to_settings(file, ReadingOptions(decimal=","), ReadingOptions())
    assert file.read_text() == there
