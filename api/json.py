"""JSON bytes: compact, UTF-8, the same for the same document."""

import json
from typing import Any

import orjson


def dump(document: Any) -> bytes:
    """A number that JSON cannot say (NaN) becomes null."""
    try:
        found = orjson.dumps(document)  # ten times as fast as `json`
        return bytes(memoryview(found))  # a copy, as answers are kept: the first one holds up to seven times its length
    except orjson.JSONEncodeError:  # half a surrogate pair in an id: escaped
        text = json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        return text.encode("utf-8", "backslashreplace")
