"""The page of documentation stands on its own, and says what the script is."""

import html
import re
import shutil
import subprocess

import pytest

from api.widget.script import read, script


def test_it_says_name_hash_and_size_of_the_script(client):
    page = html.unescape(client.get("/docs/widget").text)
    for said in (script().name, script().integrity, f"{len(script().zipped):,}"):
        assert said in page


def test_it_has_every_attribute_event_and_property(client):
    page = client.get("/docs/widget").text
    observed = re.search(r'"(heading list[^"]*)"', script().code.decode())[1].split()
    announced = re.findall(r'"(reprise:[a-z-]+)"', read("reprise.d.ts"))
    properties = re.findall(r"var\((--reprise-[a-z-]+)", read("style.css"))
    parts = re.findall(r"\[part~?=([a-z]+)\]", read("style.css"))
    for name in {*observed, *announced, *properties, *parts} - {"box", "turns"}:
        assert re.search(rf"<code>[^<]*\b{name}\b|<code>{name}", page), name


def test_its_policy_lets_nothing_in_from_outside_but_pictures(client):
    page = client.get("/docs/widget")
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self';")
    assert set(re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="([^"]*)"', page.text)) == {
        "/widget.js",
        "/docs/widget-examples.js",
    }


def test_a_key_in_the_query_is_that_of_the_live_rows(client):
    assert 'data-key="pk_1_2"' in client.get("/docs/widget?key=pk_1_2").text
    assert "sk_1_2" not in client.get("/docs/widget?key=sk_1_2").text
    assert "<b>" not in client.get('/docs/widget?key=pk_"><b>').text.replace('<b data-field="title">', "")


@pytest.mark.php
def test_the_recipes_for_php_are_php(client, tmp_path):
    recipes = re.findall(r'<code class="php">(.*?)</code>', client.get("/docs/widget").text, re.DOTALL)
    assert len(recipes) == 2
    for number, recipe in enumerate(recipes):
        file = tmp_path / f"{number}.php"
        file.write_text(html.unescape(recipe))
        done = subprocess.run([shutil.which("php"), "-l", file], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout
