"""JSON bytes: compact, UTF-8, the same for the same document."""

import json
from typing import Any


def dump(document: Any) -> bytes:
    """Raises ValueError on NaN, which is no JSON."""
    # what cannot be encoded (half a surrogate pair in an id) is escaped instead
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode(
        "utf-8", "backslashreplace"
    )
