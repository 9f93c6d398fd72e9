"""`reprise serve` and what is no good HTTP: an answer or none, never two for one, and never an error of ours."""

from collections.abc import Iterator

import pytest

from api.web.body_limits import BODY_TIMEOUT_S
from tests.support import small_shop
from tests.support.raw_http import chunks, exchange, get, post, statuses
from tests.support.redis_servers import redis_server
from tests.support.served import Served, serve, store_of

BODY = b'{"placement":"home"}'
RECOMMEND = "/v1/recommendations"
HIDDEN = get("/v1/models")
"""What somebody tries to smuggle in: no test may get an answer to it."""


def chunked(body: bytes, *headers: str) -> bytes:
    """A POST with a body in chunks."""
    return post(RECOMMEND, body, *(headers or ["Transfer-Encoding: chunked"]), length=False)


def sized(length: str) -> bytes:
    """A POST that says how long its body is."""
    return post(RECOMMEND, BODY, f"Content-Length{length}", length=False)


def with_method(method: bytes) -> bytes:
    return get("/v1/popular").replace(b"GET", method, 1)


ANSWERED: dict[str, tuple[bytes, list[int]]] = {
    # versions and forms of HTTP
    "HTTP/1.0": (get("/v1/popular", version="1.0"), [200]),
    "HTTP/1.2": (get("/v1/popular", version="1.2"), [400]),
    "HTTP/2.0 in text": (get("/v1/popular", version="2.0"), [400]),
    "HTTP/0.9": (b"GET /v1/popular\r\n\r\n", [400]),
    "the preface of HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(100), []),
    "an upgrade to HTTP/2": (get("/v1/popular", "Connection: Upgrade", "Upgrade: h2c"), [200]),
    "an upgrade to a WebSocket": (get("/v1/popular", "Connection: Upgrade", "Upgrade: websocket"), [200]),
    "a greeting of TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500), [400]),
    "noise": (bytes(range(256)) * 10, [400]),
    "lines that end in LF": (b"GET /v1/popular HTTP/1.1\nHost: localhost\n\n", [200]),
    "lines that end in CR": (b"GET /v1/popular HTTP/1.1\rHost: localhost\r\r", [400]),
    "three at once": (get("/v1/popular") + get("/v1/products/no/similar") + get("/health/live"), [200, 404, 200]),
    # targets
    "an absolute address": (get("http://localhost/v1/popular"), [200]),
    "no slash": (get("v1/popular"), [400]),
    "backslashes": (get("\\v1\\popular"), [400]),
    "no path": (b"GET  HTTP/1.1\r\nHost: localhost\r\n\r\n", [400]),
    "a space": (get("/v1/products/a b/similar"), [400]),
    "a star": (b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n", [404]),
    "a tunnel": (b"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n", [404]),
    "up and up": (get("/docs/../../etc/passwd"), [404]),
    "up and up, escaped": (get("/docs/%2e%2e%2f%2e%2e%2fetc%2fpasswd"), [404]),
    "NUL": (get("/v1/popular\0"), [400]),
    "NUL, escaped": (get("/v1/products/%00/similar"), [404]),
    "a path that is not escaped": (get("/v1/products/käse 🧀/similar".replace(" ", "%20")), [200]),
    "a query that is not escaped": (get("/v1/popular?category=käse"), [200]),
    "a query that is not escaped, beyond Latin-1": (get("/v1/popular?category=🧀"), [200]),
    "a query that is no UTF-8": (get("/v1/popular?category=X").replace(b"X", b"\xff"), [400]),
    "a path that is no UTF-8": (get("/v1/products/X/similar").replace(b"X", b"\xff"), [400]),
    "a path that is no UTF-8, escaped": (get("/v1/products/%ff%fe/similar"), [404]),
    "a long path": (get("/v1/products/" + "x" * 20_000 + "/similar"), [400]),
    "a very long path": (get("/v1/products/" + "x" * 200_000 + "/similar"), [431]),
    # methods
    "an unknown method": (with_method(b"BREW"), [405]),
    "a trace": (with_method(b"TRACE"), [405]),
    "a long method": (with_method(b"G" * 10_000), [405]),
    "a method that is none": (with_method(b"G(T"), [400]),
    # headers
    "101 headers": (get("/v1/popular", *[f"X-{i}: 1" for i in range(101)]), [431]),
    "a megabyte of header": (get("/v1/popular", "X: " + "a" * 1_000_000), [431]),
    "another host": (b"GET /v1/popular HTTP/1.1\r\nHost: evil.example\r\n\r\n", [403]),
    "two hosts": (get("/v1/popular", "Host: evil.example"), [403]),
    "no host": (b"GET /v1/popular HTTP/1.1\r\n\r\n", [403]),
    "a folded header": (get("/v1/popular", "X: a\r\n b"), [400]),
    "NUL in a header": (get("/v1/popular", "X: a\0b"), [400]),
    "a header that is not ASCII": (get("/v1/popular", "X-Request-ID: ä", "If-None-Match: 🧀", "traceparent: ä"), [200]),
    "another method in a header": (get("/v1/popular", "X-HTTP-Method-Override: DELETE"), [200]),
    "an address in a header": (get("/v1/popular", "REMOTE_ADDR: 9.9.9.9", "Content_Length: 5"), [200]),
    "100-continue": (post(RECOMMEND, BODY, "Expect: 100-continue"), [100, 200]),
    "another expectation": (post(RECOMMEND, BODY, "Expect: 200-ok"), [200]),
    # two ways to tell how long a body is
    "a length and chunks": (post(RECOMMEND, b"0\r\n\r\n" + HIDDEN, "Transfer-Encoding: chunked"), [400]),
    "two lengths": (post(RECOMMEND, BODY + HIDDEN, f"Content-Length: {len(BODY)}"), [400]),
    "a list of lengths": (sized(": 20, 20"), [400]),
    "a length with a sign": (sized(": +20"), [400]),
    "a length under 0": (sized(": -1"), [400]),
    "a length of 20 digits": (sized(": 99999999999999999999"), [400]),
    "a space before the colon": (sized(" : 20"), [400]),
    "chunked, then identity": (
        chunked(chunks(BODY, 9), "Transfer-Encoding: chunked", "Transfer-Encoding: identity"),
        [400],
    ),
    "identity": (chunked(chunks(BODY, 9), "Transfer-Encoding: identity"), [400]),
    "chunked by another name": (chunked(chunks(BODY, 9), "Transfer-Encoding: xchunked"), [400]),
    "chunked behind a control character": (chunked(chunks(BODY, 9), "Transfer-Encoding: \x0bchunked"), [400]),
    "chunked with a space before the colon": (chunked(chunks(BODY, 9) + HIDDEN, "Transfer-Encoding : chunked"), [400]),
    "chunked in HTTP/1.0": (chunked(chunks(BODY, 9)).replace(b"HTTP/1.1", b"HTTP/1.0"), [400]),
    # chunks
    "good chunks": (chunked(chunks(BODY, 9)), [200]),
    "chunks with an extension": (chunked(b"14;a=b\r\n" + BODY + b"\r\n0\r\n\r\n"), [200]),
    "chunks with a long extension": (chunked(b"14;" + b"a" * 100_000 + b"\r\n" + BODY + b"\r\n0\r\n\r\n"), [400]),
    "a chunk of 0x14": (chunked(b"0x14\r\n" + BODY + b"\r\n0\r\n\r\n"), [400]),
    "a chunk under 0": (chunked(b"-14\r\n" + BODY + b"\r\n0\r\n\r\n"), [400]),
    "chunks that end in LF": (chunked(b"14\n" + BODY + b"\n0\n\n"), [400]),
    "a trailer": (chunked(b"14\r\n" + BODY + b"\r\n0\r\nHost: evil.example\r\n\r\n"), [200]),
    # bodies that nobody reads
    "a GET with a body": (get("/v1/popular", f"Content-Length: {len(HIDDEN)}") + HIDDEN, [200]),
    "a 404 with a body": (post("/nowhere", HIDDEN) + get("/health/live"), [404, 200]),
    "a 415 with a body": (post(RECOMMEND, HIDDEN).replace(b"/json", b"/xml"), [415]),
}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("raw")
    with redis_server(folder / "redis") as redis:
        store_of(redis.url).publish(small_shop.publication(), keep=3)
        with serve(folder, REPRISE_REDIS_URL=redis.url, REPRISE_LOG_LEVEL="warning") as served:
            yield served


@pytest.fixture(autouse=True)
def _unharmed(served: Served) -> Iterator[None]:
    workers = served.workers()
    yield
    assert served.workers() == workers
    log = (served.folder / "serve.log").read_text()
    assert "Traceback" not in log
    assert "panicked" not in log


@pytest.mark.parametrize(("sent", "expected"), ANSWERED.values(), ids=ANSWERED)
def test_it_is_answered_once_and_with_what_it_deserves(served: Served, sent: bytes, expected: list[int]):
    received = exchange(served.address, sent, quiet_s=0.5)
    assert statuses(received) == expected
    assert b'"models"' not in received


@pytest.mark.parametrize(
    "sent",
    [
        post(RECOMMEND, b"5c\r\n" + HIDDEN, "Transfer-Encoding: chunked", "Content-Length: 4", length=False),
        chunked(b"FFFFFFFFFFFFFFFF\r\n" + BODY + b"\r\n0\r\n\r\n"),
        chunked(b"FFFFFFFFFFFFFFFFF\r\n" + BODY + b"\r\n0\r\n\r\n"),
    ],
    ids=["chunks and a shorter length", "a chunk of 16 digits", "a chunk of 17 digits"],
)
def test_a_body_that_says_it_is_longer_than_it_is_gets_one_answer_or_none(served: Served, sent: bytes):
    received = exchange(served.address, sent, quiet_s=BODY_TIMEOUT_S + 2)
    assert statuses(received) in ([], [400], [408])
    assert b'"models"' not in received


def test_a_body_that_waits_for_100_continue_is_read(served: Served):
    head = post(RECOMMEND, BODY, "Expect: 100-continue").removesuffix(BODY)
    assert statuses(exchange(served.address, head, more=[BODY])) == [100, 200]


def test_head_has_no_body(served: Served):
    head, _, body = exchange(served.address, with_method(b"HEAD")).partition(b"\r\n\r\n")
    assert body == b""
    told, _, whole = exchange(served.address, get("/v1/popular")).partition(b"\r\n\r\n")
    assert b"content-length: %d" % len(whole) in head.lower()
    assert {line.split(b":")[0] for line in told.splitlines()} == {line.split(b":")[0] for line in head.splitlines()}


def test_no_version_of_any_software_is_told(served: Served):
    for path in ("/v1/popular", "/nowhere", "/docs"):
        head = exchange(served.address, get(path)).partition(b"\r\n\r\n")[0].lower()
        assert b"server: granian" in head.splitlines()  # its name alone; Granian always tells it
        assert not any(name in head for name in (b"werkzeug", b"python", b"flask", b"x-powered-by"))


@pytest.mark.parametrize(
    "path", ["/v1/popular", "/health/live", "/docs", "/openapi.json", "/nowhere", "/v1/popular?x=1"]
)
def test_the_security_headers_go_over_the_wire_once(served: Served, path: str):
    head = exchange(served.address, get(path)).partition(b"\r\n\r\n")[0].lower()
    for name in (
        b"x-content-type-options",
        b"content-security-policy",
        b"referrer-policy",
        b"cross-origin-resource-policy",
    ):
        assert head.count(b"\r\n" + name + b":") == 1
