"""Minifier of our own JavaScript and CSS, with a source map: comments and spaces go, names stay.

It knows the JavaScript that `source` is written in: statements end with a semicolon, templates hold no backtick.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

_TOKEN = re.compile(
    r"""(?P<gone>//[^\n]*|/\*.*?\*/|\s+)
    |(?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`(?:\\.|[^`\\])*`)
    |(?P<word>[\w$\#]+)
    |(?P<sign>\+\+|--|.)""",
    re.DOTALL | re.VERBOSE,
)
_REGEX = re.compile(r"/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n\[])+/\w*")
_BEFORE_A_REGEX = frozenset("(,=:[!&|?{};+")
_NEEDLESS = (",)", ",]", ",}", ";}")
"""The first sign of these pairs says nothing."""
_BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


class Minified(NamedTuple):
    """A script in one line, and its source map (https://tc39.es/ecma426/)."""

    code: str
    source_map: str


def minify_css(text: str) -> str:
    """A style sheet without comments and needless spaces."""
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    return re.sub(r"\s*([{};,>])\s*|(?<=:)\s+", r"\1", " ".join(text.split())).replace(";}", "}")


def minify(sources: Mapping[str, str], values: Mapping[str, str]) -> Minified:
    """One script of several files, in their order; words that are in `values` are replaced."""
    code, last, segments = "", "", []
    for number, text in enumerate(sources.values()):
        for token, line, column in _tokens(text):
            written = values.get(token, token)
            if last + written in _NEEDLESS:
                code = code[:-1]
            code += " " if _need_space(last, written) else ""
            segments.append((len(code), number, line, column))
            code += written
            last = written
    return Minified(code, _source_map(sources, segments))


def _tokens(text: str) -> Iterable[tuple[str, int, int]]:
    """What is no space and no comment, with its line and column, from 0."""
    at, before = 0, ";"
    while at < len(text):
        found = _REGEX.match(text, at) if before[-1] in _BEFORE_A_REGEX else None
        found = found or _TOKEN.match(text, at)
        assert found is not None  # noqa: S101 - the last alternative takes any character
        if found.lastgroup != "gone":
            before = found.group()
            yield before, text.count("\n", 0, at), at - text.rfind("\n", 0, at) - 1
        at = found.end()


def _need_space(before: str, after: str) -> bool:
    return bool(re.fullmatch(r"[\w$#]{2}|\+\+|--", before[-1:] + after[:1]))


def _source_map(sources: Mapping[str, str], segments: Iterable[tuple[int, int, int, int]]) -> str:
    mappings, last = [], (0, 0, 0, 0)
    for segment in segments:
        mappings.append("".join(_vlq(now - was) for now, was in zip(segment, last, strict=True)))
        last = segment
    return json.dumps(
        {
            "version": 3,
            "sources": list(sources),
            "sourcesContent": list(sources.values()),
            "names": [],
            "mappings": ",".join(mappings),
        },
        separators=(",", ":"),
    )


def _vlq(number: int) -> str:
    """A number in base 64, five bits a digit, the lowest bit for its sign."""
    rest, digits = (abs(number) << 1) | (number < 0), ""
    while True:
        rest, digit = rest >> 5, rest & 31
        digits += _BASE64[digit | (32 if rest else 0)]
        if not rest:
            return digits
