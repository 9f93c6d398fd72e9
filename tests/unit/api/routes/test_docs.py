"""The documentation page stands on its own."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]


def test_the_page_asks_for_nothing_from_outside(client):
    page = client.get("/docs")
    assert page.status_code == 200
    assert "http://" not in page.text
    assert "https://" not in page.text
    assert page.headers["Content-Security-Policy"].startswith("default-src 'self'")


def test_the_page_finds_all_its_assets(client):
    addresses = re.findall(r'(?:src|href)="(/[^"]+)"', client.get("/docs").text)
    assert len(addresses) == 10
    for address in addresses:
        asset = client.get(address)
        assert (asset.status_code, "ETag" in asset.headers or address == "/docs/widget") == (200, True)


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("api", "api/README.md"),
        ("deploy", "api/deploy/README.md"),
        ("recommender", "recommender/README.md"),
        ("training", "training/README.md"),
        ("campaigns", "training/campaigns/README.md"),
    ],
)
def test_the_pages_of_the_manual_are_served_as_they_are(client, name, file):
    page = client.get(f"/docs/pages/{name}")
    assert (page.status_code, page.content_type) == (200, "text/plain; charset=utf-8")
    assert page.text == (ROOT / file).read_text()


@pytest.mark.parametrize("name", ["nope", "README.md", "..", "training%2FREADME.md"])
def test_no_other_file_is_a_page(client, name):
    assert client.get(f"/docs/pages/{name}").status_code == 404


@pytest.mark.parametrize("path", ["/docs", "/openapi.json", "/docs/swagger.js", "/docs/pages/api"])
def test_an_etag_that_still_holds_gets_a_304(client, path):
    etag = client.get(path).headers["ETag"]
    assert client.get(path, headers={"If-None-Match": etag}).status_code == 304
