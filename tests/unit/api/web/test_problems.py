"""Every error is a problem that names what is wrong, and nothing else."""

import gzip
import io
import json

import pytest

from api import create_app
from api.telemetry.logs import make_logger
from recommender.errors import BusyError, UnansweredError
from recommender.settings import Settings
from tests.fakes.shops import MemoryShopStorage
from tests.fakes.versions import MemoryVersionStore
from tests.support import small_shop

KEYS = {"type", "title", "status", "detail", "code", "errors", "request_id"}


def fields(answer) -> list[str]:
    assert answer.status_code == 400, answer.text
    return [error["field"] for error in answer.json["errors"]]


def post(client, body: str | bytes, content_type: str = "application/json"):
    return client.post("/v1/recommendations", data=body, content_type=content_type)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=abc", "limit"),
        ("limit=-1", "limit"),
        ("limit=1.5", "limit"),
        ("limit=1_0", "limit"),
        ("limit=", "limit"),
        ("limit=%D9%A1", "limit"),
        ("limit=" + "9" * 5000, "limit"),
        ("limit=1&limit=2", "limit"),
        ("placement=home&placement=home", "placement"),
        ("categori=red", "categori"),
        ("mix=auto", "mix"),
        ("exclude=", "exclude.0"),
        ("exclude=" + "x" * 513, "exclude.0"),
        ("&".join(["exclude=a"] * 201), "exclude"),
        ("category=" + "x" * 513, "category.0"),
    ],
)
def test_a_wrong_parameter_is_named(client, query, field):
    answer = client.get(f"/v1/popular?{query}")
    assert fields(answer) == [field]
    assert (answer.json["code"], answer.json["title"]) == ("invalid_request", "Invalid request")
    assert field in answer.json["detail"]


@pytest.mark.parametrize("value", ["14", "0d", "014d", "1000d", "14D", "-1d", "14d%0A", "%D9%A1d", ""])
def test_a_wrong_due_within_is_named(client, value):
    assert fields(client.get(f"/v1/customers/ANNA/buy-again?due_within={value}")) == ["due_within"]


def test_a_wrong_mix_is_named(client):
    assert fields(client.get("/v1/customers/ANNA/recommendations?mix=both")) == ["mix"]


def test_all_wrong_parameters_are_named_at_once(client):
    assert fields(client.get("/v1/popular?limit=0&mixx=1&due_within=1d&cart=a")) == ["limit", "due_within", "cart"]


@pytest.mark.parametrize("path", ["/v1/products/{}/similar", "/v1/customers/{}/recommendations", "/v1/placements/{}"])
def test_an_endless_id_is_refused(client, path):
    assert len(fields(client.get(path.format("x" * 513)))) == 1


@pytest.mark.parametrize("path", ["/v1/models", "/v1/placements", "/v1/placements/home"])
def test_a_parameter_that_is_not_known_is_refused_everywhere(client, path):
    assert fields(client.get(f"{path}?limit=1")) == ["limit"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ("", "body"),
        ("{", "body"),
        (b"\xff", "body"),
        ("[]", "body"),
        ("null", "body"),
        ('"home"', "body"),
        ("[" * 100_000, "body"),
        ("{}", "placement"),
        ('{"placement": 1}', "placement"),
        ('{"placement": "home", "limit": "5"}', "limit"),
        ('{"placement": "home", "limit": 0}', "limit"),
        ('{"placement": "home", "limit": 1.5}', "limit"),
        ('{"placement": "home", "limit": 1e999}', "limit"),
        ('{"placement": "home", "limit": true}', "limit"),
        ('{"placement": "home", "colour": "red"}', "colour"),
        ('{"placement": "home", "cart": "BREAD"}', "cart"),
        ('{"placement": "home", "cart": [1.5]}', "cart.0"),
        ('{"placement": "home", "cart": [true]}', "cart.0"),
        ('{"placement": "home", "cart": [""]}', "cart.0"),
        ('{"placement": "home", "customer_id": [42]}', "customer_id"),
        (json.dumps({"placement": "home", "cart": ["a"] * 201}), "cart"),
        (json.dumps({"placement": "home", "recently_viewed": ["a"] * 201}), "recently_viewed"),
        (json.dumps({"placement": "home", "exclude": ["x" * 513]}), "exclude.0"),
    ],
)
def test_a_wrong_body_is_named(client, body, field):
    assert fields(post(client, body)) == [field]


def test_a_whole_number_may_be_written_with_a_point(client):
    assert post(client, '{"placement": "home", "limit": 2.0}').json["limit"]["requested"] == 2


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", None])
def test_a_body_that_is_not_json_is_a_415(client, content_type):
    answer = post(client, '{"placement": "home"}', content_type)
    assert (answer.status_code, answer.json["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "zstd", "GZIP", "identity, gzip", "x" * 9_000])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        *[("POST", "/v1/recommendations"), ("POST", "/v1/events"), ("POST", "/v1/batch"), ("POST", "/v1/products")],
        *[("PUT", "/v1/products/MILK"), ("PATCH", "/v1/products/MILK"), ("PUT", "/v1/placements/home")],
        ("POST", "/v1/campaigns/w47/picks"),
    ],
)
def test_an_encoded_body_is_a_415_that_says_so(client, method, path, encoding):
    packed = {"data": gzip.compress(b"{}"), "content_type": "application/json"}
    answer = client.open(path, method=method, headers={"Content-Encoding": encoding}, **packed)
    assert (answer.status_code, answer.json["code"]) == (415, "unsupported_media_type")
    assert "without Content-Encoding" in answer.json["detail"]
    assert len(answer.data) < 1_000


@pytest.mark.parametrize("encoding", ["identity", "Identity", ""])
def test_no_encoding_may_be_named(client, encoding):
    body = {"json": {"placement": "home"}, "headers": {"Content-Encoding": encoding}}
    assert client.post("/v1/recommendations", **body).status_code == 200


def test_a_body_of_a_megabyte_is_a_413(client):
    answer = post(client, " " * (1 << 20))
    assert (answer.status_code, answer.json["code"]) == (413, "body_too_large")


def test_a_body_of_a_megabyte_in_chunks_is_a_413(client):
    answer = client.post(
        "/v1/recommendations",
        input_stream=io.BytesIO(b" " * (2 << 20)),
        content_type="application/json",
        headers={"Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input_terminated": True},
    )
    assert (answer.status_code, answer.json["code"]) == (413, "body_too_large")


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/popular/", "/v2/popular", "/docs/nope.js", "/static/docs.js"])
def test_an_unknown_path_is_a_404(client, path):
    answer = client.get(path)
    assert (answer.status_code, answer.json["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"), [("DELETE", "/v1/popular", "GET"), ("GET", "/v1/recommendations", "POST")]
)
def test_another_method_is_a_405_that_names_those_there_are(client, method, path, allowed):
    answer = client.open(path, method=method)
    assert (answer.status_code, answer.json["code"]) == (405, "method_not_allowed")
    assert allowed in answer.headers["Allow"]


@pytest.mark.parametrize("path", ["/v1/popular?limit=0", "/nope", "/v1/products/nope/similar"])
def test_a_problem_has_all_its_fields_and_its_media_type(client, path):
    answer = client.get(path)
    assert answer.content_type == "application/problem+json"
    assert set(answer.json) == KEYS
    assert answer.json["status"] == answer.status_code
    assert answer.json["type"] == f"urn:reprise:problem:{answer.json['code']}"
    assert answer.json["request_id"] == answer.headers["X-Request-ID"]
    assert answer.headers["Cache-Control"] == "no-store"


class BrokenStore(MemoryVersionStore):
    """A bug, and an error that no caller of the API should ever cause."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def read(self, query):
        raise self.error


@pytest.mark.parametrize("error", [ZeroDivisionError("the secret"), BusyError("the secret")])
@pytest.mark.parametrize("testing", [True, False])
def test_a_bug_is_a_500_whose_trace_is_only_in_the_log(error, testing):
    app = create_app(Settings(), MemoryShopStorage({"default": BrokenStore(error)}), lambda: small_shop.NOW)
    app.testing = testing
    stream = io.StringIO()
    app.extensions["reprise_log"] = make_logger("info", stream)
    answer = app.test_client().get("/v1/customers/ANNA/recommendations")
    assert (answer.status_code, answer.json["code"]) == (500, "internal_server_error")
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    logged = json.loads(stream.getvalue().splitlines()[0])
    assert "the secret" in logged["exception"]
    assert logged["request_id"] == answer.json["request_id"]


def test_a_change_without_an_answer_says_that_its_outcome_is_not_known(monkeypatch):
    def wait(*_arguments):
        raise UnansweredError("Redis at redis://secret-host did not answer within 4.9 s")

    store = MemoryVersionStore()
    monkeypatch.setattr(store, "activate", wait)
    monkeypatch.setattr(store, "current", wait)
    client = create_app(Settings(), MemoryShopStorage({"default": store}), lambda: small_shop.NOW).test_client()
    changed, looked = client.post("/v1/models/20261120T020000Z-3f2a/activate"), client.get("/v1/models")
    assert (changed.status_code, changed.json["code"]) == (503, "outcome_unknown")
    assert "not known" in changed.json["detail"]
    assert "secret-host" not in changed.text
    assert (looked.status_code, looked.json["code"]) == (503, "store_unavailable")
    assert changed.headers["Retry-After"] == looked.headers["Retry-After"] == "1"
