from datetime import UTC, datetime

from recommender.cli.progress import Progress
from recommender.reading import ReadingOptions
from recommender.settings import Settings
from tests.support.purchase_files import GOOD, HEADER, write
from training.ingest.ingest import PurchaseSource, ingest
from training.reports.reading_lines import reading_lines

AS_OF = datetime(2026, 11, 30, tzinfo=UTC)


def lines(tmp_path, text, products=None, **options):
    file = write(tmp_path / "p.csv", text)
    settings = Settings(home=tmp_path / "home", max_bad_rows_share=0.5)
    found = ingest(PurchaseSource([file], ReadingOptions(**options), products), settings, AS_OF, Progress(show=False))
    return reading_lines(found.report)


def test_nothing_is_said_of_a_file_of_which_all_goes_on(tmp_path):
    distinct = "".join(f"c{n % 7},p{n % 5},2024-01-{n % 28 + 1:02}T{n % 24:02}:00:00Z,1,2.50\n" for n in range(60))
    assert lines(tmp_path, HEADER + distinct) == []


def test_each_thing_left_out_or_changed_has_its_line(tmp_path):
    people = "".join(f"c{n},p1,2024-01-{day:02},1,2.50\n" for n in range(20) for day in (1, 2))
    till = "".join(f"till,p{n},2024-02-{n + 1:02},1,2.50\n" for n in range(28))
    odd = [
        "c1,p1,never,1,1",
        ",p1,2024-01-01,1,1",
        "guest,p1,2024-01-01,1,1",
        "c1,p1,2024-01-03,0,1",
        "c2,p9,2024-01-03,1,cheap",
        "c1,p1,2024-01-03,-1,1",
        "c2,p1,2024-01-03,1,-2.50",
        "c3,p1,2024-01-03,1,-0.10",
    ]
    products = write(tmp_path / "products.csv", "product_id,price\n,3\np1,1\np1,2\np2,3\np3,4\n")
    found = lines(tmp_path, HEADER + people + till + "\n".join(odd) + "\n", products)
    said = "\n".join(found)
    for wanted in (
        "1 bad rows left out: ordered_at cannot be read as a time (",
        "2 rows left out: no customer (anonymous sale)",
        "1 rows left out: quantity 0: nothing is left",
        "customer 'till' left out as a till or bot: 28 purchases, ",
        "1 rows kept without a price: theirs is not a number",
        "2 refunds netted (1 told by a negative price): 2 purchases gone, 0 refunds found none",
        "1 rows with a negative price left out: too little for goods",
        "customer_id: a word for nothing, such as guest, N/A or 0, counts as empty (1 rows)",
        "product file: 1 lines of a product that stands on a later line, too",
        "product file: 1 lines left out: broken, or without a product_id",
    ):
        assert wanted in said


def test_lines_that_repeat_others_are_named(tmp_path):
    assert lines(tmp_path, HEADER + GOOD + GOOD)[-1].endswith(" purchases repeat another line exactly and are kept")
