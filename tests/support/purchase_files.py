"""Lines of a small purchase file, to spoil one at a time."""

from datetime import UTC, datetime
from pathlib import Path

AS_OF = datetime(2024, 6, 1, tzinfo=UTC)
HEADER = "customer_id,product_id,ordered_at,quantity,unit_price\n"
GOOD = "".join(f"c{number % 7},p{number % 5},2024-01-{number % 28 + 1:02}T10:00:00Z,1,2.50\n" for number in range(60))


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path
