"""The script of the widget: its size, its names, how it is served."""

import gzip
import json
import re
import shutil
import subprocess
from base64 import b64encode
from hashlib import sha384

import pytest

from api.widget.minify import minify, minify_css
from api.widget.script import Script, read, script
from recommender.words.language import LANGUAGES

MOST_BYTES = 6_000


def test_w1_it_is_one_module_of_at_most_6_kb():
    assert len(gzip.compress(script().code, 9)) <= MOST_BYTES
    code = script().code.decode()
    assert not re.search(
        r"\bimport[ (\"']|\beval\b|\bFunction\(|innerHTML|setAttribute\(\"style|\.style\.|<style", code
    )
    assert "//" not in re.sub(r'"(?:\\.|[^"\\])*"', "", code)


@pytest.mark.node
def test_it_is_javascript(tmp_path):
    (tmp_path / "widget.mjs").write_bytes(script().code)
    assert subprocess.run([shutil.which("node"), "--check", tmp_path / "widget.mjs"], check=False).returncode == 0


def test_its_name_is_its_contents():
    assert re.fullmatch(r"widget-[0-9a-f]{12}\.js", script().name)
    assert Script(b"x", b"").name != Script(b"y", b"").name
    assert script().integrity == f"sha384-{b64encode(sha384(script().code).digest()).decode()}"


@pytest.mark.parametrize(
    ("path", "cache_control"),
    [
        ("/widget.js", "public, max-age=300"),
        (f"/{script().name}", "public, max-age=31536000, immutable"),
        (f"/{script().name}.map", "public, max-age=31536000, immutable"),
        ("/widget.d.ts", "public, max-age=300"),
    ],
)
def test_any_page_may_load_it(client, path, cache_control):
    answer = client.get(path, headers={"Origin": "https://shop.example"})
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == cache_control
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"


def test_it_is_sent_zipped_to_who_takes_that(client):
    plain = client.get("/widget.js")
    zipped = client.get("/widget.js", headers={"Accept-Encoding": "br, gzip"})
    assert ("Content-Encoding" in plain.headers, zipped.headers["Content-Encoding"]) == (False, "gzip")
    assert gzip.decompress(zipped.data) == plain.data == script().code
    assert [answer.headers["Vary"] for answer in (plain, zipped)] == ["Accept-Encoding"] * 2
    again = client.get("/widget.js", headers={"If-None-Match": plain.headers["ETag"]})
    assert again.status_code == 304
    refused = client.get("/widget.js", headers={"Accept-Encoding": "gzip;q=0"})
    assert "Content-Encoding" not in refused.headers


def test_the_name_of_another_release_leads_to_this_one(client):
    answer = client.get("/widget-0123456789ab.js", headers={"Origin": "https://shop.example"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/widget.js")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert client.get("/widget-0123456789ab.js.map").status_code == 404


def test_its_map_leads_to_the_line_that_somebody_wrote(client):
    assert client.get("/widget.js").headers["SourceMap"] == f"/{script().name}.map"
    document = client.get(f"/{script().name}.map").json
    sources = dict(zip(document["sources"], document["sourcesContent"], strict=True))
    assert sources["rows.js"] == read("rows.js")
    for text, file in (("/v1/batch", "rows.js"), ("MOST", ""), ("aria-hidden", "")):
        if file:
            column = script().code.decode().index(f'"{text}"')
            assert f'"{text}"' in sources[file].splitlines()[_place(document, column)[1]]


def _place(document, column):
    """File number and line of what stands at a column of the script."""
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    at = [0, 0, 0, 0]
    for segment in document["mappings"].split(","):
        numbers, shift, value = [], 0, 0
        for digit in map(digits.index, segment):
            value |= (digit & 31) << shift
            shift += 5
            if not digit & 32:
                numbers.append(-(value >> 1) if value & 1 else value >> 1)
                shift = value = 0
        at = [was + by for was, by in zip(at, numbers, strict=True)]
        if at[0] == column:
            return at[1], at[2]
    raise AssertionError(column)


def test_every_language_has_its_words():
    words = json.loads(re.search(r"\{\"ar\":\[.*?\]\}", script().code.decode())[0])
    assert sorted(words) == sorted(LANGUAGES)
    assert {len(each) for each in words.values()} == {3}


def test_the_types_name_what_there_is():
    types, code = read("reprise.d.ts"), script().code.decode()
    for name in ("consent", "token", "tell", "attribution", "refresh", "version"):
        assert re.search(rf"\b{name}\b", types)
    announced = set(re.findall(r'"reprise:([a-z-]+)"', types))
    assert announced == {"load", "empty", "error", "impression", "click", "add-to-cart", "token-expired"}
    assert all(f'"{name}"' in code for name in announced)
    observed = re.search(r'"(heading list[^"]*)"', code)[1].split()
    others = ("product-url", "add-to-cart", "impression-ms")
    assert all(f"`{name}`" in types for name in (*observed, *others))


# the minifier


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("const a = 1; // one\n", "const a=1;"),
        ("/* gone */ f(x + +y, x - -y, x++ + y);", "f(x+ +y,x- -y,x++ +y);"),
        ("return /a b\\/[/ ]/g.test(x) ? 1 / 2 : 3;", "return/a b\\/[/ ]/g.test(x)?1/2:3;"),
        ("f('// no', \"/* no */\", `a ${ b } // no`, );", "f('// no',\"/* no */\",`a ${ b } // no`);"),
        ("const { a, b, } = { a, b };", "const{a,b}={a,b};"),
        ("const long = 1; f(long, x.long);", "const long=1;f(long,x.long);"),
        ("const long = 1; f(long + 1);", "const a=1;f(a+1);"),
        ("const long = 1; g({ long });", "const long=1;g({long});"),
        ("const long = 1; g(`${long}`);", "const long=1;g(`${long}`);"),
        ("const long = 1; class A { long() { f(long); } }", "const long=1;class A{long(){f(long)}}"),
        ("const a = 1; const long = 2; f(a, long + a);", "const a=1;const b=2;f(a,b+a);"),
        ("f(TEXT);", 'f("é");'),
    ],
)
def test_what_is_left_of_a_script(source, code):
    assert minify({"a.js": source}, {"TEXT": '"é"'}).code == code


def test_what_is_left_of_a_style_sheet():
    source = "/* gone */ a > b, c { margin: 0 -4px ; color: red; }\n @media (x: y) { d::after { content: ' '; } }"
    assert minify_css(source) == "a>b,c{margin:0 -4px;color:red}@media (x:y){d::after{content:' '}}"
