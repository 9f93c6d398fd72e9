"""The page at `/` is for people; a program gets there what it always got."""

import re
from importlib.metadata import version

import pytest

from api import create_app
from api.web.front_page import front_page
from recommender import DISTRIBUTION
from recommender.settings import Settings
from tests.fakes.shops import MemoryShopStorage
from tests.support.keyed_shop import add_key

BROWSERS = [
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8",
    "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "text/html",
]
PROGRAMS = [
    None,
    "*/*",
    "application/json",
    "application/json, text/plain, */*",
    "text/html;q=0.5, */*",
    "",
    "nonsense",
]


@pytest.mark.parametrize("accept", BROWSERS)
def test_a_persons_browser_gets_a_page(client, accept):
    page = client.get("/", headers={"Accept": accept})
    assert (page.status_code, page.content_type) == (200, "text/html; charset=utf-8")
    assert version(DISTRIBUTION) in page.text
    assert page.headers["Vary"] == "Accept"
    again = client.get("/", headers={"Accept": accept, "If-None-Match": page.headers["ETag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("accept", PROGRAMS)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_program_gets_the_problem_of_a_path_without_a_route(client, accept, method):
    headers = {} if accept is None else {"Accept": accept}
    answers = [client.open(path, method=method, headers=headers) for path in ("/", "/nowhere")]
    assert [(answer.status_code, answer.content_type) for answer in answers] == [(404, "application/problem+json")] * 2
    if method == "GET":
        here, nowhere = ({**answer.json, "request_id": ""} for answer in answers)
        assert here == nowhere


def test_no_key_is_needed_and_every_link_leads_somewhere():
    storage = MemoryShopStorage()
    add_key(storage, "read")
    client = create_app(Settings(), storage).test_client()
    page = client.get("/", headers={"Accept": BROWSERS[0]})
    found = {link: client.get(link).status_code for link in re.findall(r'href="([^"]+)"', page.text)}
    assert len(found) == 12
    assert {link for link, status in found.items() if status != 200} == {"/console", "/metrics", "/health/ready"}
    assert found["/console"] == 302  # to its first view
    assert (found["/metrics"], found["/health/ready"]) == (401, 503)  # no key, no version


def test_nothing_comes_from_outside_and_nothing_runs(client):
    page = client.get("/", headers={"Accept": BROWSERS[0]})
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "frame-ancestors 'none'" in policy
    for outside in ("http:", "https:", "<script", "src=", "@import", "url("):
        assert outside not in page.text


def test_what_is_put_in_is_escaped():
    page = front_page("<script>alert('1')</script>&").decode()
    assert "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;" in page
    assert "<script" not in page
