"""The console of real processes: Redis gone and back, a session of every worker, and versions of every age."""

import json
import re
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode

from api.console.views import VIEWS
from recommender.redis.shops import RedisShopStorage
from recommender.storage.api_keys import ApiKey, digest_of
from tests.support.console import OLDER, publication
from tests.support.keyed_shop import add_key
from tests.support.redis_servers import redis_server, wait_until
from tests.support.served import Served, serve
from tests.support.small_shop import VERSION


class Visitor:
    """A browser that is signed in; each request is a connection of its own, so any worker may answer it."""

    def __init__(self, served: Served, key: str) -> None:
        self.served = served
        self.cookie = ""
        status, headers, _ = self.send("POST", "sign-in", key=key)
        assert status == 303
        self.cookie = next(value.partition(";")[0] for name, value in headers if name.lower() == "set-cookie")

    def send(self, method: str, name: str, **fields: str) -> tuple[int, list[tuple[str, str]], str]:
        connection = HTTPConnection(*self.served.address, timeout=60)
        headers = {"Cookie": self.cookie, "Accept-Language": "en", "User-Agent": "Browser"}
        try:
            if method == "GET":
                query = f"?{urlencode(fields)}" if fields else ""
                connection.request("GET", f"/console/{name}{query}", headers=headers)
            else:
                headers["Content-Type"] = "application/x-www-form-urlencoded"
                connection.request("POST", f"/console/{name}", urlencode(fields), headers)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read().decode()
        finally:
            connection.close()

    def text(self, name: str, **query: str) -> str:
        status, _, page = self.send("GET", name, **query)
        assert status == 200, (name, status, page)
        return " ".join(re.sub(r"<[^>]*>", " ", page[page.index("<main") :]).split())

    def csrf(self) -> str:
        return self.send("GET", "actions")[2].partition('name="csrf" value="')[2].partition('"')[0]


def test_every_worker_knows_a_session_and_while_redis_is_gone_the_console_says_so(tmp_path: Path) -> None:
    with redis_server(tmp_path / "redis") as redis:
        storage = RedisShopStorage(redis.url, timeout_ms=5_000)
        for version in (OLDER, VERSION):
            storage.store("default").publish(publication(version), keep=3)
        key = add_key(storage, "read", "admin")
        with serve(tmp_path, REPRISE_REDIS_URL=redis.url) as served:
            visitor = Visitor(served, key)
            for _ in range(6):
                assert "Version" in visitor.text("overview")
            assert "MILK Whole milk, 1 l 2 1 50 % 6 7 8 1 1 1" in visitor.text("products")
            csrf = visitor.csrf()
            assert visitor.send("POST", "activate", csrf=csrf, version=OLDER, before=VERSION)[0] == 303
            assert storage.store("default").current() == OLDER
            (action,) = storage.actions("default")
            assert (action.what, action.before, action.after) == ("activate", VERSION, OLDER)

            redis.kill()
            served.wait_until_lost()
            assert "Redis does not answer" in visitor.text("overview")
            assert "MILK Whole milk" in visitor.text("customers", customer="ANNA")
            status, _, page = visitor.send("POST", "activate", csrf=csrf, version=VERSION, before=OLDER)
            assert (status, "Redis does not answer" in page or "not known" in page) == (503, True)
            redis.restart()
            for version in (OLDER, VERSION):
                storage.store("default").publish(publication(version), keep=3)
            storage.add_api_key(_again(key))
            wait_until(lambda: "All is well." in visitor.send("GET", "overview")[2], "the console is back")


def _again(key: str) -> ApiKey:
    """What is kept of a key, where Redis may have lost it."""
    return ApiKey(key.split("_")[1], "default", "secret", ("read", "admin"), (), digest_of(key), "2026-11-20T12:00:00Z")


def test_signing_out_ends_the_session_on_every_worker(tmp_path: Path) -> None:
    with redis_server(tmp_path / "redis") as redis:
        storage = RedisShopStorage(redis.url, timeout_ms=5_000)
        storage.store("default").publish(publication(), keep=3)
        key = add_key(storage, "read")
        with serve(tmp_path, REPRISE_REDIS_URL=redis.url) as served:
            visitor = Visitor(served, key)
            assert visitor.send("POST", "sign-out", csrf=visitor.csrf())[0] == 303
            assert {visitor.send("GET", "overview")[0] for _ in range(8)} == {303}
            assert {visitor.send("GET", view)[0] for view in VIEWS} == {303}
            log = tmp_path / "serve.log"
            wait_until(lambda: log.read_text().count('"console_sign_in"'), "the log tells of it")
            lines = log.read_text()
            assert key.split("_")[2] not in lines
            told = [json.loads(line) for line in lines.splitlines() if '"console_sign_in"' in line]
            assert len(told) == 1
