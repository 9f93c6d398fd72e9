"""The documentation page stands on its own."""

import re

import pytest


def test_the_page_asks_for_nothing_from_outside(client):
    page = client.get("/docs")
    assert page.status_code == 200
    assert "http://" not in page.text
    assert "https://" not in page.text
    assert page.headers["Content-Security-Policy"].startswith("default-src 'self'")


def test_the_page_finds_all_its_assets(client):
    addresses = re.findall(r'(?:src|href)="(/[^"]+)"', client.get("/docs").text)
    assert len(addresses) == 4
    for address in addresses:
        asset = client.get(address)
        assert (asset.status_code, "ETag" in asset.headers) == (200, True)


@pytest.mark.parametrize("path", ["/docs", "/openapi.json", "/docs/swagger.js"])
def test_an_etag_that_still_holds_gets_a_304(client, path):
    etag = client.get(path).headers["ETag"]
    assert client.get(path, headers={"If-None-Match": etag}).status_code == 304
