"""The Lua scripts as servers know them."""

import pkgutil
from importlib import import_module, resources

import pytest

import recommender.redis
from recommender.redis.lua import Script, load_script

MODULES = [
    import_module(module.name) for module in pkgutil.walk_packages(recommender.redis.__path__, "recommender.redis.")
]
SCRIPTS = {
    f"{module.__name__}.{name}": script
    for module in MODULES
    for name, script in vars(module).items()
    if isinstance(script, Script)
}


@pytest.fixture(params=["redis_url", "other_redis_url"])
def client(request: pytest.FixtureRequest):
    return request.getfixturevalue("connect")(request.getfixturevalue(request.param))


def test_servers_compile_each_script_and_know_it_by_its_sha1(client):
    assert len(SCRIPTS) > 30
    for name, script in SCRIPTS.items():
        assert client.call("SCRIPT", "LOAD", script.text).decode() == script.sha1, name


def test_every_file_belongs_to_a_script():
    folder = resources.files("recommender.redis").joinpath("scripts")
    files = [file for room in folder.iterdir() for file in room.iterdir()]
    texts = [file.read_text("utf-8") for file in files if file.name.endswith(".lua")]
    assert len(texts) == len(files) > 30
    assert all(any(text in script.text for script in SCRIPTS.values()) for text in texts)


def test_constants_stand_before_the_files_in_their_order(client):
    script = load_script("contacts/last_order", "contacts/read", day_s=86_400, week_s=604_800)
    order = [
        "local day_s = 86400\nlocal week_s = 604800\n-- Functions",
        "local function last_order",
        "-- Reads the marks",
    ]
    assert [script.text.index(part) for part in order] == sorted(script.text.index(part) for part in order)
    assert script.text.startswith(order[0])
    assert client.call("SCRIPT", "LOAD", script.text).decode() == script.sha1


def test_a_script_that_is_not_there_is_an_error():
    with pytest.raises(FileNotFoundError):
        load_script("contacts/nothing")
