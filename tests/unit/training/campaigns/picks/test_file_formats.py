"""Files of picks, read back."""

import csv
import io
import json

import polars as pl
import pytest
from pydantic import SecretStr

from recommender.campaigns.documents import LinkMaker
from recommender.campaigns.links import read_link
from recommender.campaigns.mail.render import Renderer
from recommender.person import digest_of_person
from recommender.publication.product import Product
from recommender.settings import MailSettings
from recommender.slate.item_json import Presentation
from recommender.words.language import get_language
from tests.support.campaigns import CampaignShop, Customer, Own, make_version
from tests.support.mail_samples import TOLD
from training.campaigns.picks.file_formats import Csv, Html, Jsonl, Parquet, forget_mail
from training.campaigns.picks.flat_rows import FlatRows

SECRET = "a secret of at least 32 characters"
HOSTILE = 'Milk, "1 l"\n=HYPERLINK("https://evil.example")'
PRODUCTS = [
    Product("MILK", HOSTILE, "Dairy", "1.20", "https://shop.example/milk", "https://shop.example/milk.jpg"),
    Product("=TEA", '=cmd|"/C calc"!A1', price="-5", url="javascript:alert(1)"),
    Product("BREAD", "Bread"),
]
CUSTOMERS = {
    "ANNA": Customer([Own("MILK", 0.75, days_ago=6)], {"=TEA": 0.5}),
    "=1+1": Customer(discover={"BREAD": 0.25}),
    "ünï,côdé": Customer(discover={"BREAD": 0.25}),
}
IDS = ["=1+1", "ANNA", "ünï,côdé"]
WRITTEN = ["'=1+1", *IDS[1:]]
"""As CSV has them: no spreadsheet computes an id."""
HALF = "half \ud800 pair"


@pytest.fixture(scope="module")
def made():
    shop = CampaignShop(make_version(CUSTOMERS, PRODUCTS))
    campaign = shop.begin("c", slots=2)
    return campaign, [outcome.picks for outcome in shop.outcomes(campaign).values()]


@pytest.fixture(params=[None, SECRET], ids=["plain links", "signed links"])
def settings(request):
    secret = None if request.param is None else SecretStr(request.param)
    return MailSettings(secret=secret, link_base="https://mail.example")


def write(format_, made, folder):
    """Two parts and what becomes of them."""
    parts = [folder / "parts" / f"{number}.part" for number in range(2)]
    format_.write(iter(made[1][:2]), parts[0])
    format_.write(iter(made[1][2:]), parts[1])
    format_.join(parts, folder / "out")
    return folder / "out"


def read_csv(path):
    return list(csv.DictReader(io.StringIO(path.read_bytes().decode(), newline="")))


class TestCsv:
    def test_has_a_row_a_customer_and_a_line_a_row(self, made, tmp_path):
        out = write(Csv(FlatRows(made[0], 2, LinkMaker(MailSettings(), "tea"), TOLD)), made, tmp_path)
        rows = read_csv(out)
        assert [row["customer_id"] for row in rows] == WRITTEN
        assert out.read_bytes().count(b"\n") == 1 + len(rows)
        assert rows[1] | {"title_1": "", "title_2": ""} == {
            "customer_id": "ANNA",
            "campaign_id": "c",
            "variant": "",
            "products": "2",
            "product_id_1": "MILK",
            "title_1": "",
            "price_1": "1.20",
            "currency_1": "",
            "url_1": "https://shop.example/milk",
            "image_url_1": "https://shop.example/milk.jpg",
            "reason_1": "You usually reorder every 7 days",
            "kind_1": "buy_again",
            "probability_1": "0.75",
            "due_at_1": "2026-11-21",
            "product_id_2": "'=TEA",
            "title_2": "",
            "price_2": "'-5",
            "currency_2": "",
            "url_2": "",
            "image_url_2": "",
            "reason_2": "Chosen from what you bought before",
            "kind_2": "discover",
            "probability_2": "0.5",
            "due_at_2": "",
            "unsubscribe_url": "",
        }

    def test_is_in_the_language_and_currency_of_the_shop(self, made, tmp_path):
        told = Presentation(get_language("ru"), "RUB")
        row = read_csv(write(Csv(FlatRows(made[0], 2, LinkMaker(MailSettings(), "tea"), told)), made, tmp_path))[1]
        assert (row["price_1"], row["currency_1"]) == ("1.20", "RUB")
        assert row["reason_1"] == "Обычно вы заказываете это раз в 7 дней"

    def test_no_text_of_the_shop_is_a_formula_or_a_second_line(self, made, tmp_path):
        rows = read_csv(write(Csv(FlatRows(made[0], 2, LinkMaker(MailSettings(), "tea"), TOLD)), made, tmp_path))
        assert rows[1]["title_1"] == 'Milk, "1 l" =HYPERLINK("https://evil.example")'
        assert rows[1]["title_2"] == '\'=cmd|"/C calc"!A1'
        texts = [cell for row in rows for cell in row.values()]
        assert not [text for text in texts if text.startswith(("=", "+", "-", "@"))]

    def test_links_go_through_the_service_where_there_is_a_secret(self, made, tmp_path):
        settings = MailSettings(secret=SecretStr(SECRET), link_base="https://mail.example")
        row = read_csv(write(Csv(FlatRows(made[0], 2, LinkMaker(settings, "tea"), TOLD)), made, tmp_path))[1]
        base, _, token = row["url_1"].removesuffix("/1/click").rpartition("/")
        assert base == "https://mail.example/v1/m"
        link = read_link(token, SECRET)
        assert (link.shop, link.campaign_id, link.customer_id, link.slots) == ("tea", "c", "ANNA", 2)
        assert row["image_url_1"] == f"{base}/{token}/1/image"
        assert row["unsubscribe_url"] == f"{base}/{token}/unsubscribe"
        assert row["url_2"] == ""  # a script is no address

    def test_links_lead_to_allowed_hosts_alone(self, made, tmp_path):
        maker = LinkMaker(MailSettings(), "tea", ("cdn.example",))
        assert read_csv(write(Csv(FlatRows(made[0], 2, maker, TOLD)), made, tmp_path))[1]["url_1"] == ""


class TestJsonl:
    def test_has_a_document_a_line(self, made, settings, tmp_path):
        lines = write(Jsonl(made[0], LinkMaker(settings, "tea"), TOLD), made, tmp_path).read_bytes().splitlines()
        documents = [json.loads(line) for line in lines]
        assert [document["customer_id"] for document in documents] == IDS
        first = documents[1]["items"][0]
        assert first["product"]["title"] == HOSTILE
        assert (first["rank"], first["probability"], first["due"]["at"]) == (1, 0.75, "2026-11-21")
        assert "text" not in first["due"]  # who knows on which day it is read
        assert (documents[1]["unsubscribe_url"] is None) is (settings.secret is None)


class TestParquet:
    def test_has_the_columns_of_the_csv(self, made, settings, tmp_path):
        rows = FlatRows(made[0], 2, LinkMaker(settings, "tea"), TOLD)
        frame = pl.read_parquet(write(Parquet(rows), made, tmp_path))
        assert frame.schema == pl.Schema(rows.schema)
        assert frame["customer_id"].to_list() == IDS
        assert frame["title_1"][1] == HOSTILE
        assert frame["probability_1"].to_list() == [0.25, 0.75, 0.25]

    def test_of_nobody_has_its_columns(self, made, tmp_path):
        format_ = Parquet(FlatRows(made[0], 2, LinkMaker(MailSettings(), "tea"), TOLD))
        format_.write(iter([]), tmp_path / "0.part")
        format_.join([tmp_path / "0.part"], tmp_path / "out")
        assert pl.read_parquet(tmp_path / "out").shape == (0, 25)


class TestHtml:
    def test_has_a_mail_a_customer_and_an_index(self, made, tmp_path):
        out = write(Html(made[0], Renderer(MailSettings(), "tea")), made, tmp_path)
        index = read_csv(out / "index.csv")
        assert [row["customer_id"] for row in index] == WRITTEN
        mail = (out / index[1]["html"]).read_text("utf-8")
        assert "<html" in mail
        assert "Milk, &#34;1 l&#34;" in mail
        assert all((out / row["text"]).read_text("utf-8") for row in index)

    def test_replaces_what_was_there(self, made, tmp_path):
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "old.html").write_text("old")
        out = write(Html(made[0], Renderer(MailSettings(), "tea")), made, tmp_path)
        assert not (out / "old.html").exists()

    def test_forgets_one_mail(self, made, tmp_path):
        part = tmp_path / "parts" / "0.part"
        Html(made[0], Renderer(MailSettings(), "tea")).write(iter(made[1]), part)
        forget_mail(part, digest_of_person("ANNA", None))
        assert len(list((tmp_path / "parts" / "mails").rglob("*.html"))) == len(IDS) - 1


def test_an_experiment_with_more_slots_has_columns_for_them(made):
    rows = FlatRows(made[0], 3, LinkMaker(MailSettings(), "tea"), TOLD)
    assert {len(rows.row(picks)) for picks in made[1]} == {len(rows.schema)}


class TestHalfASurrogatePair:
    """JSON can carry it in an id, UTF-8 cannot: it is written as JSON writes it."""

    @pytest.fixture
    def made(self):
        shop = CampaignShop(make_version({HALF: Customer(discover={"BREAD": 0.25})}, PRODUCTS))
        campaign = shop.begin("c", slots=2)
        return campaign, [shop.outcomes(campaign)[HALF].picks]

    def test_is_written_by_every_format(self, made, tmp_path):
        rows, maker = FlatRows(made[0], 2, LinkMaker(MailSettings(), "tea"), TOLD), LinkMaker(MailSettings(), "tea")
        assert b"half \\ud800 pair" in write(Csv(rows), made, tmp_path / "csv").read_bytes()
        assert (
            json.loads(write(Jsonl(made[0], maker, TOLD), made, tmp_path / "jsonl").read_bytes())["customer_id"] == HALF
        )
        frame = pl.read_parquet(write(Parquet(rows), made, tmp_path / "parquet"))
        assert frame["customer_id"].to_list() == ["half \\ud800 pair"]
        assert write(Html(made[0], Renderer(MailSettings(), "tea")), made, tmp_path / "html").is_dir()
