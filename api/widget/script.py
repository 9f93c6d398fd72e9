"""The script of the widget, made once a process from `source` and from the words of every language."""

import gzip
import json
from base64 import b64encode
from dataclasses import dataclass
from functools import cache, cached_property
from hashlib import sha256, sha384
from importlib.metadata import version
from importlib.resources import files

from api.widget.minify import minify, minify_css
from recommender import DISTRIBUTION
from recommender.words.language import LANGUAGES, get_language

_SOURCES = ("page.js", "memory.js", "events.js", "rows.js", "card.js", "element.js", "start.js")
"""Files of `source`, in the order in which they are joined to one module."""

_WORDS = ("previous", "next", "add_to_cart")
"""Words of a language's file, in the order in which the script knows them."""


@dataclass(frozen=True)
class Script:
    """The script as it is served.

    Attributes:
        code: one ES module, in UTF-8.
        source_map: leads from it to the files of `source`.
    """

    code: bytes
    source_map: bytes

    @cached_property
    def zipped(self) -> bytes:
        """The code with gzip."""
        return gzip.compress(self.code, 9, mtime=0)

    @cached_property
    def name(self) -> str:
        """The name of this very code: another script has another one."""
        return f"widget-{sha256(self.code).hexdigest()[:12]}.js"

    @cached_property
    def integrity(self) -> str:
        """The hash for Subresource Integrity."""
        return f"sha384-{b64encode(sha384(self.code).digest()).decode()}"


@cache
def script() -> Script:
    """The script of this release."""
    values = {
        "STYLE": minify_css(read("style.css")),
        "WORDS": {
            language: [get_language(language).words["widget"][name] for name in _WORDS] for language in LANGUAGES
        },
        "VERSION": version(DISTRIBUTION),
    }
    written = {name: json.dumps(value, ensure_ascii=False, separators=(",", ":")) for name, value in values.items()}
    made = minify({name: read(name) for name in _SOURCES}, written)
    return Script(made.code.encode(), made.source_map.encode())


def read(name: str) -> str:
    """A file of `source`."""
    return files("api.widget").joinpath("source", name).read_text("utf-8")
