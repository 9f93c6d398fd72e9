"""Minifier of our own JavaScript and CSS, with a source map: comments and spaces go, and long names of variables.

It knows the JavaScript that `source` is written in: statements end with a semicolon, templates hold no backtick.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from string import ascii_letters
from typing import NamedTuple

_TOKEN = re.compile(
    r"""(?P<gone>//[^\n]*|/\*.*?\*/|\s+)
    |(?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`(?:\\.|[^`\\])*`)
    |(?P<word>[\w$\#]+)
    |(?P<sign>\+\+|--|\.\.\.|\?\.|.)""",
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


class _Token(NamedTuple):
    """What is no space and no comment, with its file, line and column, from 0."""

    text: str
    file: int
    line: int
    column: int


def minify_css(text: str) -> str:
    """A style sheet without comments and needless spaces."""
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    return re.sub(r"\s*([{};,>])\s*|(?<=:)\s+", r"\1", " ".join(text.split())).replace(";}", "}")


def minify(sources: Mapping[str, str], values: Mapping[str, str]) -> Minified:
    """One script of several files, in their order; words that are in `values` are replaced."""
    tokens = [token for number, text in enumerate(sources.values()) for token in _tokens(text, number)]
    written = {**_short_names([token.text for token in tokens]), **values}
    code, last, segments = "", "", []
    for token in tokens:
        text = written.get(token.text, token.text)
        if last[-1:] + text in _NEEDLESS:
            code = code[:-1]
        code += " " if re.fullmatch(r"[\w$#]{2}|\+\+|--", last[-1:] + text[:1]) else ""
        segments.append((len(code), *token[1:]))
        code, last = code + text, text
    return Minified(code, _source_map(sources, segments))


def _tokens(text: str, file: int) -> Iterator[_Token]:
    at, before = 0, ";"
    while at < len(text):
        found = _REGEX.match(text, at) if before[-1] in _BEFORE_A_REGEX else None
        found = found or _TOKEN.match(text, at)
        if found is None:  # the last alternative takes any character
            raise ValueError(f"{text[at : at + 20]!r} is no JavaScript")
        if found.lastgroup != "gone":
            before = found.group()
            yield _Token(before, file, text.count("\n", 0, at), at - text.rfind("\n", 0, at) - 1)
        at = found.end()


def _short_names(tokens: Sequence[str]) -> dict[str, str]:
    """Short names of variables, the most frequent first.

    The same name is the same everywhere, so no scope is looked at. One that might be a property somewhere stays.
    """
    around = list(zip(["", *tokens], tokens, [*tokens[1:], ""], strict=False))
    declared = {name for before, name, _ in around if before in ("const", "let", "class") and name[0].isalpha()}
    properties = {
        name
        for before, name, after in around
        if before in (".", "?.") or after == ":" or (before in ("{", ",") and after in (",", "}", "="))
    }
    properties |= {name for text in tokens if text[0] == "`" for name in re.findall(r"\w+", text)}
    properties |= set(re.findall(r"(\w+) \((?:[^()]|\([^()]*\))*\) \{", " ".join(tokens)))  # methods
    counts = Counter(token for token in tokens if token in declared - properties and len(token) > 2)
    taken = set(tokens)
    free = (
        name for n in (1, 2) for letters in product(ascii_letters, repeat=n) if (name := "".join(letters)) not in taken
    )
    return {name: short for (name, _), short in zip(counts.most_common(), free, strict=False)}


def _source_map(sources: Mapping[str, str], segments: Iterable[tuple[int, ...]]) -> str:
    mappings: list[str] = []
    last: tuple[int, ...] = (0, 0, 0, 0)
    for segment in segments:
        mappings.append("".join(_vlq(now - was) for now, was in zip(segment, last, strict=True)))
        last = segment
    document = {
        "version": 3,
        "sources": list(sources),
        "sourcesContent": list(sources.values()),
        "names": [],
        "mappings": ",".join(mappings),
    }
    return json.dumps(document, separators=(",", ":"))


def _vlq(number: int) -> str:
    """A number in base 64, five bits a digit, the lowest bit for its sign."""
    rest, digits = (abs(number) << 1) | (number < 0), ""
    while True:
        rest, digit = rest >> 5, rest & 31
        digits += _BASE64[digit | (32 if rest else 0)]
        if not rest:
            return digits
