"""Bodies that are too long."""

import io

import pytest
from flask import Response
from flask.testing import FlaskClient
from werkzeug.test import EnvironBuilder

from api.web import body_limits

BODIES = [
    ("POST", "/v1/recommendations"),
    ("POST", "/v1/events"),
    ("POST", "/v1/batch"),
    ("PUT", "/v1/placements/new"),
]

TOO_LARGE = "the body must be shorter than 1,048,576 bytes; send it in several requests"


class Endless(io.RawIOBase):
    """A body without an end."""

    n_bytes = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        self.n_bytes += len(buffer)
        buffer[:] = b" " * len(buffer)
        return len(buffer)


def stream(client: FlaskClient, body: io.RawIOBase, method: str, path: str, **told: str) -> Response:
    """Send a body as servers hand it on: as a stream that ends by itself, with or without a length."""
    environ = EnvironBuilder(path, "http://localhost", method=method, content_type="application/json").get_environ()
    environ.pop("CONTENT_LENGTH", None)
    environ |= {"wsgi.input": body, "wsgi.input_terminated": True, "REMOTE_ADDR": "127.0.0.1", **told}
    return Response.from_app(client.application.wsgi_app, environ)


@pytest.mark.parametrize(("method", "path"), BODIES)
def test_a_body_over_the_limit_is_refused_by_its_length_unread(client: FlaskClient, method: str, path: str):
    body = Endless()
    answer = stream(client, body, method, path, CONTENT_LENGTH=str(body_limits.MAX_BODY_BYTES + 1))
    assert (answer.status_code, answer.json["code"]) == (413, "body_too_large")
    assert answer.json["detail"] == TOO_LARGE
    assert body.n_bytes == 0


@pytest.mark.parametrize(("method", "path"), BODIES)
def test_a_body_in_chunks_is_read_up_to_the_limit_and_no_further(client: FlaskClient, method: str, path: str):
    body = Endless()
    answer = stream(client, body, method, path, HTTP_TRANSFER_ENCODING="chunked")
    assert (answer.status_code, answer.json["code"]) == (413, "body_too_large")
    assert answer.json["detail"] == TOO_LARGE
    assert 0 < body.n_bytes <= body_limits.MAX_BODY_BYTES


@pytest.mark.parametrize("length", ["-1", "abc", "1e3", "", "0x10", "9" * 5_000, "1, 1"])
def test_a_length_that_cannot_be_is_no_error_of_ours(client: FlaskClient, length: str):
    body = io.BytesIO(b'{"placement":"home"}')
    assert stream(client, body, "POST", "/v1/recommendations", CONTENT_LENGTH=length).status_code in (200, 400, 413)
