"""The embedded server: shared by all processes of a home, kept after they are killed, gone with the last one."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

from recommender.connection import embedded
from recommender.connection.embedded import embedded_server
from recommender.data_dir import DataDirectory
from recommender.errors import HomeError, SettingsError, StoreUnavailableError
from recommender.publication.lists import ListKey
from recommender.redis.open import open_version_store, store_url
from recommender.settings import load_settings
from recommender.storage.versions import ListQuery

USER = """
import signal, sys
from pathlib import Path
from recommender.connection.embedded import embedded_server
from recommender.data_dir import DataDirectory
signal.signal(signal.SIGINT, signal.default_int_handler)  # a parent that ignores Ctrl-C hands that down
with embedded_server(DataDirectory(Path(sys.argv[1]))) as url:
    print(url, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[DataDirectory]:
    """A home whose server, if a test leaves one, is stopped afterwards."""
    yield DataDirectory(tmp_path / "home")
    with contextlib.suppress(Exception), embedded_server(DataDirectory(tmp_path / "home")):
        pass


@pytest.fixture
def start_user(home: DataDirectory) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """A function that starts a process which uses the server until its standard input ends."""
    users: list[subprocess.Popen[str]] = []

    def start(*, start_new_session: bool = False) -> subprocess.Popen[str]:
        user = subprocess.Popen(
            [sys.executable, "-c", USER, str(home.root)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=start_new_session,
        )
        users.append(user)
        return user

    yield start
    for user in users:
        with user:  # closes the pipes
            user.kill()


def _is_up(url: str) -> bool:
    with socket.socket(socket.AF_UNIX) as connection:
        return connection.connect_ex(unquote(url.removeprefix("unix://"))) == 0


def _process_id(client) -> int:
    return client.call("INFO", "server")["process_id"]


def _is_running(process_id: int) -> bool:
    """Whether the process lives; one that ended and that nobody has waited for yet does not."""
    try:
        return Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_it_answers_while_it_is_used_and_is_gone_afterwards(home, connect):
    with embedded_server(home) as url:
        process_id = _process_id(connect(url))
        assert _is_running(process_id)
    assert not _is_up(url)
    assert not _is_running(process_id)


def test_what_was_written_is_there_after_a_restart(home, connect):
    with embedded_server(home) as url:
        connect(url).call("SET", "key", "value")
    with embedded_server(home) as url:
        assert connect(url).call("GET", "key") == b"value"


def test_what_was_written_survives_an_error_of_its_user(home, connect):
    def use() -> None:
        with embedded_server(home) as url:
            connect(url).call("SET", "key", "value")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        use()
    assert not _is_up(f"unix://{home.redis / 'server.sock'}")
    with embedded_server(home) as url:
        assert connect(url).call("GET", "key") == b"value"


def test_it_listens_on_no_port_and_only_its_owner_may_connect(home, connect):
    with embedded_server(home) as url:
        config = connect(url).call("CONFIG", "GET", "port")
        assert config in ({b"port": b"0"}, {"port": "0"})
        assert Path(url.removeprefix("unix://")).stat().st_mode & 0o777 == 0o700


def test_all_its_files_are_under_the_home(home):
    with embedded_server(home):
        names = {path.name for path in home.redis.iterdir()}
    assert {"server.sock", "server.log", "server.pid", "appendonlydir"} <= names


def test_users_share_one_server_and_the_last_one_stops_it(home, start_user, connect):
    user = start_user()
    url = user.stdout.readline().strip()
    process_id = _process_id(connect(url))
    with embedded_server(home) as same_url:
        assert same_url == url
        assert _process_id(connect(url)) == process_id
    assert _is_up(url)
    user.communicate(timeout=60)
    assert user.returncode == 0
    assert not _is_running(process_id)


def test_many_users_that_start_at_once_get_one_server(home, start_user, connect):
    users = [start_user() for _ in range(6)]
    urls = {user.stdout.readline().strip() for user in users}
    assert len(urls) == 1
    process_id = _process_id(connect(urls.pop()))
    for user in users:
        user.stdin.close()
    assert [user.wait(timeout=60) for user in users] == [0] * 6
    assert not _is_running(process_id)


def test_threads_that_come_and_go_always_find_it_up(home, connect):
    failures: list[Exception] = []

    def use() -> None:
        for _ in range(5):
            try:
                with embedded_server(home) as url:
                    connect(url).call("INCR", "uses")
            except Exception as error:
                failures.append(error)

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with embedded_server(home) as url:
        assert connect(url).call("GET", "uses") == b"20"


def test_ctrl_c_ends_the_user_and_the_server(home, start_user, connect):
    user = start_user(start_new_session=True)
    url = user.stdout.readline().strip()
    client = connect(url)
    client.call("SET", "key", "value")
    process_id = _process_id(client)
    os.killpg(user.pid, signal.SIGINT)  # what a terminal does: to the whole group
    user.communicate(timeout=60)
    assert not _is_running(process_id)
    with embedded_server(home) as url:
        assert connect(url).call("GET", "key") == b"value"


def test_a_server_whose_users_were_killed_is_used_by_the_next_one(home, start_user, connect):
    user = start_user()
    url = user.stdout.readline().strip()
    process_id = _process_id(connect(url))
    user.kill()
    user.wait()
    assert _is_up(url)
    with embedded_server(home) as same_url:
        assert _process_id(connect(same_url)) == process_id
    assert not _is_running(process_id)


def test_a_killed_server_is_started_again_with_its_data(home, connect):
    with embedded_server(home) as url:
        client = connect(url)
        client.call("SET", "key", "value")
        client.call("CONFIG", "SET", "appendfsync", "always")
        process_id = _process_id(client)
        client.close()
        os.kill(process_id, signal.SIGKILL)
        with embedded_server(home) as again:  # its socket file is still there
            assert connect(again).call("GET", "key") == b"value"


def test_a_half_written_end_of_the_data_does_not_stop_it(home, connect):
    with embedded_server(home) as url:
        connect(url).call("SET", "key", "value")
    (data,) = (home.redis / "appendonlydir").glob("*.incr.aof")
    with data.open("ab") as file:
        file.write(b"*3\r\n$3\r\nSET\r\n$3\r\nke")
    with embedded_server(home) as url:
        assert connect(url).call("GET", "key") == b"value"


def test_data_that_cannot_be_read_is_told_with_the_log(home):
    with embedded_server(home):
        pass
    next((home.redis / "appendonlydir").glob("*.manifest")).write_text("nonsense\n")
    with pytest.raises(StoreUnavailableError, match=r"embedded Redis .*server\.log"), embedded_server(home):
        pass


def test_a_home_with_a_long_path_has_its_socket_in_a_private_folder(tmp_path, connect):
    home = DataDirectory(tmp_path / ("long" * 30) / "ho me ☕")
    with embedded_server(home) as url:
        connect(url).call("SET", "key", "value")
        folder = Path(url.removeprefix("unix://")).parent
        assert folder.stat().st_mode & 0o777 == 0o700
        assert home.redis not in folder.parents
        with embedded_server(home) as same_url:
            assert same_url == url
    with embedded_server(home) as url:
        assert connect(url).call("GET", "key") == b"value"
    folder.rmdir()


def test_an_open_socket_folder_is_refused(tmp_path, tmp_path_factory, monkeypatch):
    short_path = tmp_path_factory.mktemp("t")
    monkeypatch.setattr(embedded, "SOCKET_PATH_BYTES", 1)
    monkeypatch.setattr(embedded.tempfile, "gettempdir", lambda: str(short_path))
    home = DataDirectory(tmp_path / "home")
    with embedded_server(home) as url:
        folder = Path(url.removeprefix("unix://")).parent
    folder.chmod(0o755)
    with pytest.raises(HomeError, match="is not a private folder"), embedded_server(home):
        pass


def test_spaces_and_signs_in_the_path_are_no_trouble(tmp_path, connect):
    with embedded_server(DataDirectory(tmp_path / "a b?#%41'\"☕")) as url:
        assert connect(url).call("PING")


def test_without_any_server_program_the_remedy_is_told(home, monkeypatch):
    monkeypatch.setattr(embedded, "find_spec", lambda _: None)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(StoreUnavailableError, match="set REPRISE_REDIS_URL"), embedded_server(home):
        pass


def test_a_program_that_is_no_server_is_told(home, monkeypatch):
    monkeypatch.setattr(embedded, "_find_program", lambda: "/bin/false")
    with pytest.raises(StoreUnavailableError, match="did not start"), embedded_server(home):
        pass


def test_a_home_that_is_a_file_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(HomeError, match="set REPRISE_HOME"), embedded_server(DataDirectory(tmp_path / "file")):
        pass


def test_a_store_of_the_home_keeps_its_versions(tmp_path, make_publication):
    settings = load_settings(home=tmp_path, redis_timeout_ms=5_000)
    with open_version_store(settings) as store:
        store.publish(make_publication("v1", {"discover": {"ann": [3]}}), keep=3)
    with open_version_store(settings) as store:
        assert list(store.read(ListQuery([ListKey("discover", "ann")])).products) == [3]


def test_an_address_in_the_settings_is_used_as_it_is(tmp_path, redis_url, shop):
    settings = load_settings(home=tmp_path, redis_url=redis_url, shop=shop, redis_timeout_ms=5_000)
    with store_url(settings) as url, open_version_store(settings) as store:
        assert url == redis_url
        assert store.current() is None
    assert not (tmp_path / "redis").exists()


def test_an_address_without_a_server_is_told_when_it_is_used(tmp_path):
    settings = load_settings(redis_url=f"unix://{tmp_path}/none")
    with open_version_store(settings) as store, pytest.raises(StoreUnavailableError, match="cannot be reached"):
        store.current()


def test_an_address_that_cannot_be_is_told(tmp_path):
    with (
        pytest.raises(SettingsError, match="is not an address"),
        open_version_store(load_settings(redis_url="nowhere")),
    ):
        pass
