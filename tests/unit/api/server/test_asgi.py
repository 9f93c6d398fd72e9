"""What comes in by ASGI is answered as by WSGI; no body is waited for longer than it may take."""

import asyncio
import json
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from flask import Flask
from werkzeug.test import EnvironBuilder

from api.server import asgi
from api.server.asgi import AsgiApp, to_environ
from api.serving.fast_path import FastPath
from api.serving.service import service
from api.web.body_limits import MAX_BODY_BYTES, MAX_SLOW_BODIES
from api.web.headers import SECURITY_HEADERS

POST = b"/v1/recommendations"
BODY = b'{"placement":"home"}'


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def scope(path: bytes, method: str = "GET", query: bytes = b"", **headers: str) -> dict[str, Any]:
    """As Granian makes it."""
    sent = {"host": "localhost", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path.decode(errors="replace"),
        "raw_path": path,
        "query_string": query,
        "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
        "client": ("127.0.0.1", 50_000),
        "server": ("127.0.0.1", 8_000),
    }


def parts(*chunks: bytes):
    """A body that is there, in these pieces."""
    left = list(chunks)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    return receive


async def never() -> dict[str, Any]:
    """A body that does not come."""
    await asyncio.sleep(3_600)
    return {}


async def endless() -> dict[str, Any]:
    """A body without an end."""
    return {"type": "http.request", "body": b" " * 65_536, "more_body": True}


async def ask(app: AsgiApp, asked: dict[str, Any], receive: Callable = never) -> Answer:
    sent: list[Any] = []

    async def send(message) -> None:
        sent.append(message)

    await app(asked, receive, send)
    start, body = sent
    headers = {name.decode().lower(): value.decode() for name, value in start["headers"]}
    return Answer(start["status"], headers, body["body"])


@pytest.fixture
def at_the_door(app: Flask) -> AsgiApp:
    service(app).shops.cache("default")  # as a worker does before it answers
    return AsgiApp(app)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/products/MILK/similar",
        "/v1/products/a%2Fb%20c/similar",
        "/v1/popular?category=Dairy&exclude=OLD",
        "/v1/nope",
    ],
)
def test_it_answers_what_wsgi_answers(at_the_door: AsgiApp, client, path: str):
    raw, _, query = path.encode().partition(b"?")
    answer, expected = asyncio.run(ask(at_the_door, scope(raw, query=query))), client.get(path)
    assert answer.status == expected.status_code
    assert answer.json.get("items") == expected.json.get("items")
    assert answer.headers.keys() == {name.lower() for name, _ in expected.headers}


def test_lists_are_answered_without_flask_and_without_a_thread(app: Flask):
    assert isinstance(app.wsgi_app, FastPath)
    service(app).shops.cache("default")
    app.wsgi_app.app = lambda *_: pytest.fail("it went to Flask")
    assert asyncio.run(ask(AsgiApp(app), scope(b"/v1/customers/ANNA/recommendations"))).status == 200


def test_an_etag_that_still_holds_is_a_304_without_a_body(at_the_door: AsgiApp):
    etag = asyncio.run(ask(at_the_door, scope(b"/v1/popular"))).headers["etag"]
    again = asyncio.run(ask(at_the_door, scope(b"/v1/popular", if_none_match=etag)))
    assert (again.status, again.body) == (304, b"")
    assert "content-length" not in again.headers


def test_while_requests_are_traced_all_of_them_pass_the_tracer(app: Flask):
    inner, seen = app.wsgi_app, []

    def tracer(environ, start_response):
        seen.append(environ["PATH_INFO"])
        return inner(environ, start_response)

    app.wsgi_app = tracer  # type: ignore[method-assign]
    assert asyncio.run(ask(AsgiApp(app), scope(b"/v1/popular"))).status == 200
    assert seen == ["/v1/popular"]


def test_other_protocols_are_not_spoken(at_the_door: AsgiApp):
    with pytest.raises(NotImplementedError, match="websocket"):
        asyncio.run(ask(at_the_door, {"type": "websocket"}))


# --- bodies -----------------------------------------------------------------------------------------------------


def post(**headers: str) -> dict[str, Any]:
    return scope(POST, "POST", content_type="application/json", **headers)


@pytest.mark.parametrize("headers", [{"content_length": str(len(BODY))}, {"transfer_encoding": "chunked"}])
def test_a_body_may_come_in_pieces(at_the_door: AsgiApp, headers: dict[str, str]):
    answer = asyncio.run(ask(at_the_door, post(**headers), parts(BODY[:5], BODY[5:])))
    assert (answer.status, answer.json["placement"]) == (200, "home")


def test_a_body_over_the_limit_is_refused_by_its_length_unread(at_the_door: AsgiApp):
    answer = asyncio.run(ask(at_the_door, post(content_length=str(MAX_BODY_BYTES + 1)), never))
    assert (answer.status, answer.json["code"]) == (413, "body_too_large")


def test_so_is_one_without_a_length_once_it_is_over(at_the_door: AsgiApp):
    answer = asyncio.run(ask(at_the_door, post(transfer_encoding="chunked"), endless))
    assert (answer.status, answer.json["code"]) == (413, "body_too_large")


@pytest.fixture
def short(monkeypatch) -> None:
    monkeypatch.setattr(asgi, "PROMPT_S", 0.01)
    monkeypatch.setattr(asgi, "BODY_TIMEOUT_S", 0.02)


@pytest.mark.usefixtures("short")
def test_a_body_that_does_not_come_is_given_up(at_the_door: AsgiApp):
    answer = asyncio.run(ask(at_the_door, post(content_length="20"), never))
    assert (answer.status, answer.json["code"]) == (408, "request_timeout")
    assert {name.lower() for name, _ in SECURITY_HEADERS} <= answer.headers.keys()


@pytest.mark.usefixtures("short")
def test_slow_bodies_give_back_their_places(at_the_door: AsgiApp):
    async def ask_often() -> list[Answer]:
        return [await ask(at_the_door, post(content_length="20"), never) for _ in range(MAX_SLOW_BODIES + 1)]

    assert {answer.status for answer in asyncio.run(ask_often())} == {408}
    assert at_the_door._bodies._n_slow == 0


def test_while_all_places_are_taken_a_slow_body_waits_shortly_and_a_prompt_one_is_read(at_the_door: AsgiApp):
    at_the_door._bodies._n_slow = MAX_SLOW_BODIES
    late = asyncio.run(ask(at_the_door, post(content_length="20"), never))
    prompt = asyncio.run(ask(at_the_door, post(content_length=str(len(BODY))), parts(BODY)))
    assert (late.status, prompt.status) == (408, 200)


def test_a_client_that_went_away_while_sending_gets_no_more_than_a_mistake(at_the_door: AsgiApp):
    async def gone() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    assert asyncio.run(ask(at_the_door, post(content_length="20"), gone)).status == 400


# --- the environment --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/a%2Fb%20c", "/k%C3%A4se", "/%FF%00", "/plain"])
def test_the_environment_is_that_of_any_wsgi_server(path: str):
    made = to_environ(scope(path.encode(), query=b"x=%C3%A4", x_request_id="7", content_type="text/plain"))
    headers = {"X-Request-ID": "7", "Host": "localhost"}
    builder = EnvironBuilder(headers=headers, query_string="x=%C3%A4", content_type="text/plain")
    expected = builder.get_environ() | {"PATH_INFO": made["PATH_INFO"]}
    for name in ("REQUEST_METHOD", "SCRIPT_NAME", "QUERY_STRING", "CONTENT_TYPE", "HTTP_X_REQUEST_ID", "HTTP_HOST"):
        assert made[name] == expected[name]
    assert made["PATH_INFO"].encode("latin-1").decode("latin-1") == made["PATH_INFO"]


def test_a_path_is_unquoted_to_bytes_and_never_loses_any():
    assert to_environ(scope(b"/%FF%C3%A4%2F"))["PATH_INFO"] == "/\xff\xc3\xa4/"


def test_a_header_that_comes_twice_is_one_with_both_values_and_one_with_an_underscore_is_none():
    asked = scope(b"/")
    asked["headers"] += [
        (b"x-a", b"1"),
        (b"x-a", b"2"),
        (b"x_a", b"3"),
        (b"authorization", b"good"),
        (b"authorization", b"x"),
    ]
    environ = to_environ(asked)
    assert (environ["HTTP_X_A"], environ["HTTP_AUTHORIZATION"]) == ("1,2", "good,x")
