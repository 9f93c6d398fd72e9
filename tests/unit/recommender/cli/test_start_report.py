"""What `reprise serve` and `reprise worker` say when they start."""

import pytest
from pydantic import SecretStr

from recommender.cli.start_report import describe_start, print_start
from recommender.errors import StoreUnavailableError
from recommender.settings import MailSettings, Settings
from tests.fakes.shops import MemoryShopStorage
from tests.fakes.versions import MemoryVersionStore
from tests.support import small_shop
from tests.support.keyed_shop import add_key, key_id


@pytest.fixture
def storage(tmp_path, monkeypatch) -> MemoryShopStorage:
    """One shop with a version, and one without, in an empty working folder."""
    monkeypatch.chdir(tmp_path)
    store = MemoryVersionStore()
    store.publish(small_shop.publication(), keep=3)
    return MemoryShopStorage({"default": store})


def test_a_new_shop_is_told_what_is_missing(storage):
    assert list(describe_start(Settings(), storage, ["tea"])) == [
        "settings file: none, so the environment and the defaults hold",
        "Redis: embedded, under .reprise",
        "shop tea: no version yet: run `reprise train`",
        "API keys: none, so only this machine is answered; `reprise keys create` makes one",
        "mail secret: not set, so links in mails lead straight to the shop and none unsubscribes",
    ]


def test_a_shop_that_is_set_up_is_told_with_what(storage, tmp_path):
    (tmp_path / "reprise.toml").touch()
    add_key(storage, "read")
    add_key(storage, "admin")
    settings = Settings(
        mail=MailSettings(secret=SecretStr("s" * 32)), redis_url=SecretStr("redis://ann:s3cret@redis.example:6379/0")
    )
    assert list(describe_start(settings, storage, ["default", "tea"])) == [
        "settings file: reprise.toml",
        "Redis: redis://redis.example:6379/0",
        f"shop default: {small_shop.VERSION} answers",
        "shop tea: no version yet: run `reprise train`",
        "API keys: 2",
        "mail secret: set",
    ]


def test_revoked_keys_open_nothing(storage):
    key = add_key(storage, "read")
    storage.add_api_key(storage.api_keys()[key_id(key)].revoke(small_shop.NOW))
    assert "API keys: all are revoked, so nobody is answered; `reprise keys create` makes one" in list(
        describe_start(Settings(), storage, ["default"])
    )


def test_a_redis_that_does_not_answer_is_told_and_asked_once(storage, monkeypatch):
    asked = []

    def fail() -> None:
        asked.append(1)
        raise StoreUnavailableError("Redis at localhost cannot be reached")

    monkeypatch.setattr(storage, "api_keys", fail)
    _, line, *rest = describe_start(Settings(), storage, ["default", "tea"])
    assert line == "Redis: embedded, under .reprise; it does not answer now: Redis at localhost cannot be reached"
    assert (len(rest), len(asked)) == (1, 1)


@pytest.mark.parametrize("as_json", [True, False])
def test_standard_output_is_left_to_json(storage, capsys, as_json):
    print_start(Settings(), storage, ["default"], as_json=as_json)
    captured = capsys.readouterr()
    said, silent = (captured.err, captured.out) if as_json else (captured.out, captured.err)
    assert (len(said.splitlines()), silent) == (5, "")
