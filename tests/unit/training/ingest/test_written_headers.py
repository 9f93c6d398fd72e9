"""The same purchases under headers of every kind: read alike, or refused with what would read them."""

import csv
from datetime import UTC, datetime

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recommender.cli.progress import Progress
from recommender.errors import MissingColumnError
from recommender.reading import ReadingOptions
from recommender.settings import Settings
from training.ingest.headers.folding import fold
from training.ingest.headers.synonyms import synonyms
from training.ingest.ingest import PurchaseSource, ingest

COLUMNS = ("customer_id", "product_id", "ordered_at", "order_id", "quantity", "unit_price")
ROWS = [
    ("7001", "TEA", "2026-09-13", "A1", "1", "4.50"),
    ("7002", "MUG", "2026-09-20", "A3", "2", "9.00"),
    ("7002", "TEA", "2026-10-25", "A4", "1", "4.50"),
]
LEDGER = [("7001", "TEA", "A1", 1.0, 4.5), ("7002", "MUG", "A3", 2.0, 9.0), ("7002", "TEA", "A4", 1.0, 4.5)]
anything = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=12).filter(fold)


def spelt(ours):
    """A column of ours as somebody may write it."""
    words = ours.split("_")
    return st.sampled_from(
        [ours, ours.upper(), f" {ours} ", " ".join(words).title(), "-".join(words), "".join(map(str.title, words))]
    )


@st.composite
def headers(draw):
    """Names of the columns, and those that the user names."""
    names, said = [], {}
    for ours in COLUMNS:
        kind = draw(st.sampled_from(["spelt", "synonym", "named"]))
        if kind == "spelt":
            name = draw(spelt(ours))
        elif kind == "synonym":
            name = draw(st.sampled_from(sorted(synonyms()[ours])))
        else:
            name = said[ours] = draw(anything)
        names.append(name)
    return names, said


def ledger_of(folder, names, **reading):
    file = folder / "orders.csv"
    with file.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows([names, *ROWS])
    found = ingest(
        PurchaseSource([file], ReadingOptions(**reading)),
        Settings(home=folder / "home"),
        datetime(2026, 11, 20, tzinfo=UTC),
        Progress(show=False),
    )
    return list(found.ledger.select("customer_id", "product_id", "order_id", "quantity", "unit_price").iter_rows())


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(headers())
def test_a_header_is_read_as_it_is_meant_or_refused_with_the_columns_that_read_it(tmp_path, header):
    names, said = header
    if len(set(map(fold, names))) < len(names) or any("|" in name or "\0" in name for name in names):
        return  # two columns of one name are another matter, and `A|B` stands for two
    columns = dict(said)
    try:
        found = ledger_of(tmp_path, names, columns=columns)
    except MissingColumnError as error:
        columns |= error.proposed["columns"]
        found = ledger_of(tmp_path, names, columns=columns)
    read_optional = all(ours in columns or fold(name) == fold(ours) for ours, name in zip(COLUMNS, names, strict=True))
    if read_optional:
        assert found == LEDGER
    else:  # what is not required is not guessed: it is left out, and a note says so
        assert [row[:2] for row in found] == [row[:2] for row in LEDGER]
