import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from recommender.errors import SettingsError
from recommender.settings import find_settings_file, load_settings
from recommender.slate.placements import DEFAULT_PLACEMENTS


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, and no setting in the environment."""
    for name in os.environ:
        if name.startswith("REPRISE_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_without_any_source_the_defaults_hold():
    settings = load_settings()
    assert settings.home == Path(".reprise")
    assert settings.redis_url is None
    assert settings.host == "127.0.0.1"
    assert settings.placements == DEFAULT_PLACEMENTS


def test_the_environment_wins_over_the_file_and_arguments_over_both(folder, monkeypatch):
    (folder / "reprise.toml").write_text("port = 1\nworkers = 1\nseed = 1\n[als]\nfactors = 8\niterations = 3\n")
    monkeypatch.setenv("REPRISE_PORT", "2")
    monkeypatch.setenv("REPRISE_WORKERS", "2")
    monkeypatch.setenv("REPRISE_ALS__FACTORS", "96")
    settings = load_settings(port=3)
    assert (settings.port, settings.workers, settings.seed) == (3, 2, 1)
    assert (settings.als.factors, settings.als.iterations) == (96, 3)


def test_a_placement_in_the_file_is_added_to_the_defaults(folder):
    (folder / "reprise.toml").write_text("[placements.checkout]\ncap = 3\ndefault_limit = 2\n")
    placements = load_settings().placements
    assert set(placements) == {*DEFAULT_PLACEMENTS, "checkout"}
    assert placements["checkout"].cap == 3


def test_a_placement_in_the_file_replaces_the_default_of_its_name(folder):
    (folder / "reprise.toml").write_text("[placements.home]\ncap = 3\ndefault_limit = 2\n")
    assert load_settings().placements["home"].cap == 3


def test_the_file_is_the_one_named_else_that_of_the_home_else_that_of_the_folder(folder, monkeypatch):
    assert find_settings_file() is None
    for number, path in enumerate(("reprise.toml", ".reprise/reprise.toml", "home/reprise.toml", "etc/mine.toml")):
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(f"seed = {number}")
    assert load_settings().seed == 1
    monkeypatch.setenv("REPRISE_HOME", "elsewhere")
    assert (load_settings().seed, find_settings_file()) == (0, Path("reprise.toml"))
    monkeypatch.setenv("REPRISE_HOME", str(folder / "home"))
    assert (load_settings().seed, find_settings_file()) == (2, folder / "home" / "reprise.toml")
    monkeypatch.setenv("REPRISE_CONFIG", str(folder / "etc" / "mine.toml"))
    assert (load_settings().seed, find_settings_file()) == (3, folder / "etc" / "mine.toml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("prot = 8000", r"setting 'prot': .*\(did you mean 'port'\?\)$"),
        ("port = 0", r"setting 'port': .*\b1$"),
        ('port = "many"', r"setting 'port': .*integer"),
        ('shop = "My Shop"', r"setting 'shop': .*a-z"),
        ('shop = "a}b"', r"setting 'shop': .*a-z"),
        ("[als]\nfactor = 3", r"setting 'als\.factor': .*\(did you mean 'als\.factors'\?\)$"),
        ("[mail]\nsecert = 'x'", r"setting 'mail\.secert': .*\(did you mean 'mail\.secret'\?\)$"),
        ("[mail]\nprot = 1", r"setting 'mail\.prot': [^(]*$"),
        (
            "[placements.home]\ncapp = 4\ndefault_limit = 2",
            r"'placements\.home\.capp': .*\(did you mean 'placements\.home\.cap'\?\)$",
        ),
        (
            "[[experiments]]\nname = 'a'\nvariants = {a = 1, b = 1}\nplacement = ['home']",
            r"'experiments\.0\.placement': .*\(did you mean 'experiments\.0\.placements'\?\)",
        ),
        (
            "[[experiments]]\nname = 'a'\nvariants = {a = 1, b = 1}\ntreatments = {b = {placementt = 'home'}}",
            r"'experiments\.0\.treatments\.b\.placementt': .*'experiments\.0\.treatments\.b\.placement'\?\)",
        ),
        ("[placements.home]\ncap = 60\ndefault_limit = 2", r"setting 'placements\.home\.cap': .*\b50$"),
        ("[placements.home]\ncap = 4\ndefault_limit = 5", r"'placements\.home': .*over the cap 4"),
        ("port = = 3", "settings cannot be read"),
    ],
)
def test_what_the_file_cannot_say_is_told(folder, text, message):
    (folder / "reprise.toml").write_text(text)
    with pytest.raises(SettingsError, match=message):
        load_settings()


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("REPRISE_PROT", "1", r"REPRISE_PROT is not a setting \(did you mean 'port'\?\)"),
        ("REPRISE_NOTHING_LIKE_IT", "1", r"REPRISE_NOTHING_LIKE_IT is not a setting"),
        ("REPRISE_PORT", "eighty", r"setting 'port': .*integer"),
        ("REPRISE_MAX_BAD_ROWS_SHARE", "2", r"setting 'max_bad_rows_share': .*\b1$"),
        ("REPRISE_ALS__FACTOR", "8", r"setting 'als\.factor': .*\(did you mean 'als\.factors'\?\)$"),
        ("REPRISE_CONFIG", "nowhere.toml", "there is no settings file 'nowhere.toml'"),
        ("REPRISE_PLACEMENTS", "{", "settings cannot be read"),
    ],
)
def test_what_the_environment_cannot_say_is_told(monkeypatch, name, value, message):
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=message):
        load_settings()


def test_several_mistakes_are_told_at_once(folder):
    (folder / "reprise.toml").write_text("port = 0\nworkers = 0\n")
    with pytest.raises(SettingsError, match=r"'port': .*; setting 'workers': "):
        load_settings()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0])
def test_numbers_that_are_none_are_refused(value):
    with pytest.raises(SettingsError, match="max_bad_rows_share"):
        load_settings(max_bad_rows_share=value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 0.0])
def test_a_half_life_is_a_number_of_days(value):
    with pytest.raises(SettingsError, match="own_half_life_days"):
        load_settings(own_half_life_days=value)


def test_a_file_in_another_encoding_is_told(folder):
    (folder / "reprise.toml").write_bytes('shop = "käse"'.encode("latin-1"))
    with pytest.raises(SettingsError, match="settings cannot be read"):
        load_settings()


def test_the_password_of_redis_is_not_printed():
    settings = load_settings(redis_url="redis://:s3cret@localhost")
    assert "s3cret" not in f"{settings!r} {settings.model_dump_json()}"
    assert settings.redis_url.get_secret_value() == "redis://:s3cret@localhost"


def test_settings_cannot_be_changed():
    settings = load_settings()
    with pytest.raises(ValidationError):
        settings.port = 1
    assert settings.port != 1


def test_an_experiment_that_takes_an_unknown_placement_is_refused():
    experiment = {"name": "try", "variants": {"a": 1, "b": 1}, "treatments": {"b": {"placement": "attic"}}}
    with pytest.raises(SettingsError, match="takes the placement attic"):
        load_settings(experiments=[experiment])
