"""Each view answers its question, says what is missing where something is, and gives its tables as files."""

import csv
import io
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from api.console.rendering import POLICY
from api.console.views import VIEWS
from recommender.events.event import Event
from recommender.slate.placements import Placement
from tests.support import small_shop
from tests.support.console import OLDER, Visitor, World, open_world, publication, to_text
from tests.support.keyed_shop import bearer
from tests.support.small_shop import NOW, VERSION
from training.campaigns.picks.customer_file import read_customers
from training.commands.campaigns.list_files import ListFiles

view = pytest.mark.parametrize("view", VIEWS)


@view
def test_every_view_shows_itself_and_asks_its_question(reader: Visitor, view: str) -> None:
    answer = reader.get(view)
    assert (answer.status_code, answer.content_type) == (200, "text/html; charset=utf-8")
    assert len(re.findall(r"<h1>", answer.text)) == 1
    assert re.search(r'<p class="question">[^<]+\?</p>', answer.text)
    assert len(re.findall(r'aria-current="page"', answer.text)) == 1


@view
def test_no_page_has_anything_inline_or_from_elsewhere(reader: Visitor, view: str) -> None:
    answer = reader.get(view)
    assert answer.headers["Content-Security-Policy"] == POLICY
    assert "unsafe" not in POLICY
    assert not re.search(
        r"<style|style=|<script(?! type=\"module\" src=\"/console/)|\son[a-z]+=|javascript:", answer.text
    )
    assert not re.search(r"(?:src|href|action)=\"(?:https?:)?//", answer.text)
    assert answer.headers["Cache-Control"] == "no-store"


@view
def test_every_table_is_a_file_in_both_forms(reader: Visitor, view: str) -> None:
    links = re.findall(r'href="/console/([^"?]+)\?([^"]*)" download', reader.get(view).text)
    for name, query in links:
        asked = dict(part.split("=") for part in query.replace("&amp;", "&").split("&"))
        answer = reader.get(name, **asked)
        assert answer.content_type == "text/csv; charset=utf-8"
        assert answer.headers["Content-Disposition"].endswith('.csv"')
        german = asked["as"] == "csv-de"
        rows = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig")), delimiter=";" if german else ","))
        assert len(rows) > 1
        assert len({len(row) for row in rows}) == 1


@view
def test_before_the_first_version_every_view_says_what_to_do(view: str) -> None:
    world = open_world(empty=True)
    text = world.browser().text(view)
    if view not in ("placements", "customers", "merchandising", "actions", "experiments", "campaigns"):
        assert "Run `reprise train`" in text


@view
def test_a_version_of_an_earlier_release_is_shown_as_far_as_it_goes(view: str) -> None:
    world = open_world(publication(insights=None))
    text = world.browser().text(view)
    if view in ("overview", "products", "due", "retention", "value"):
        assert "trained by an earlier release" in text


@view
def test_while_redis_is_gone_a_view_says_so_and_shows_what_it_knows(world: World, reader: Visitor, view: str) -> None:
    from api.serving.service import service

    service(world.app).shops.cache("default").answering = False
    answer = reader.get(view)
    assert answer.status_code in (200, 503)
    text = to_text(answer.text)
    assert text.count("Redis does not answer") >= 1
    for untrue in ("trained by an earlier release", "No version is published", "No product is called"):
        assert untrue not in text, view
    if view in ("products", "due", "retention", "value", "versions", "campaigns"):
        assert "Redis does not answer, and this is not kept in memory." in text


def test_the_overview_says_that_all_is_well_and_what_is_not(world: World, reader: Visitor) -> None:
    assert "All is well." in reader.text("overview")
    event = Event(event_id="1", event_type="view", session_id="s", product_id="MILK", occurred_at=NOW)
    world.storage.event_log("default").accept([event], NOW, 10)
    world.clock.now = NOW + timedelta(hours=3)
    text = reader.text("overview")
    assert "One thing needs somebody." in text
    assert "1 event waits, and no worker is there" in text
    world.storage.note_training("default", "refused", NOW)
    assert "The gate refused the last training" in reader.text("overview")


def test_an_old_version_is_to_be_trained_anew(world: World) -> None:
    world.clock.now = NOW + timedelta(days=20)
    assert "The version is 20 days old. Train again" in world.browser(world.keys["read"]).text("overview")


def test_the_placements_have_their_rules(world: World, reader: Visitor) -> None:
    world.storage.store("default").place("new-place", Placement(cap=9, default_limit=7))
    world.follow()
    assert re.search(r"new-place 9 7", reader.text("placements"))


def test_the_products_say_which_come_back_after_how_many_days(reader: Visitor) -> None:
    text = reader.text("products")
    assert "Whole milk, 1 l brings most customers back: half of its repeat purchases come within 7 days" in text
    assert "MILK Whole milk, 1 l 2 1 50 % 6 7 8 1 1 1" in text
    assert "KETTLE Kettle 1 0 0 % – – –" in text


def test_a_product_has_its_lists_its_stock_and_whether_it_is_hidden(reader: Visitor) -> None:
    text = reader.text("products", product="MILK")
    assert "may be shown" in text
    assert "1 BUTTER Butter Dairy yes" in text
    assert "out of stock" in reader.text("products", product="OLD")
    assert "No product is called NOPE" in reader.text("products", product="NOPE")


def test_products_are_found_by_words_of_their_titles_and_by_id(reader: Visitor) -> None:
    assert "1 found. " in reader.text("products", search="MILK whole")
    assert "KETTLE Kettle" in reader.text("products", search="kettle")
    assert "COFFEE" in reader.text("products", search="COFFEE")
    assert "No product has these words" in reader.text("products", search="no such thing")


def test_a_customer_sees_each_rules_verdict(reader: Visitor) -> None:
    text = reader.text("customers", customer="ANNA")
    assert "Ordered 21 times, the last time on 19 Nov 2026, and is" in text
    assert re.search(r"1 MILK Whole milk, 1 l You usually reorder every 7 days 80 % 21 Nov 2026", text)
    assert "BREAD Rye bread not due until 26 Nov 2026 50 %" in text
    assert "COFFEE" in text


def test_the_verdicts_of_one_place_are_not_those_of_another(world: World, reader: Visitor) -> None:
    world.storage.store("default").place("tight", Placement(cap=1, default_limit=1, fallbacks=()))
    world.follow()
    text = reader.text("customers", customer="ANNA", placement="tight")
    assert "COFFEE Coffee beans no rule hides it, but the place is full 60 %" in text


def test_looking_is_not_showing(world: World, reader: Visitor) -> None:
    reader.text("customers", customer="ANNA")
    assert world.storage.event_log("default").queue.backlog().waiting == 0


def test_the_latest_events_of_a_customer_are_shown(world: World, reader: Visitor) -> None:
    event = Event(event_id="1", event_type="view", customer_id="ANNA", product_id="KETTLE", occurred_at=NOW)
    world.storage.event_log("default").accept([event], NOW, 10)
    assert "20 Nov 2026, 12:00 UTC looked at KETTLE" in reader.text("customers", customer="ANNA")


def test_a_customer_who_is_not_known_sees_best_sellers(reader: Visitor) -> None:
    text = reader.text("customers", customer="NOBODY")
    assert "does not know this customer" in text
    assert "best sellers stand in" in text


def test_the_due_board_counts_by_day_and_category_and_lists_whom_to_write_to(world: World, reader: Visitor) -> None:
    text = reader.text("due")
    assert "1 purchases are due within the next seven days, 2 in all the days of the board." in text
    assert "ANNA MILK Whole milk, 1 l Dairy 21 Nov 2026 80 %" in text
    assert "x/y" not in text
    assert "x/y COFFEE Coffee beans Coffee 10 Dec 2026 25 %" in reader.text("due", within="30")
    coffee = reader.text("due", within="30", category="Coffee")
    assert "ANNA" not in coffee
    assert "0 purchases are due within the next seven days, 1 in all" in coffee
    assert "21 Nov 2026 0" in coffee, "the days are those of the category"
    world.storage.store("default").erase("ANNA", NOW)
    assert "ANNA" not in reader.text("due", within="30")


def test_the_list_of_the_due_board_is_an_audience(reader: Visitor, tmp_path: Path) -> None:
    named = re.search(r"--columns customer_id=(\w+)", reader.text("due"))
    assert named is not None
    file = tmp_path / "due-due_list.csv"
    file.write_bytes(reader.get("due", within="30", **{"table": "due_list", "as": "csv"}).data)
    columns = ListFiles({"customer_id": named[1]}, None).customer_columns
    audience = read_customers(file, columns)
    assert (len(audience), "ANNA" in audience, "x/y" in audience) == (2, True, True)


def test_what_was_due_before_today_is_off_the_board(world: World) -> None:
    world.clock.now = NOW + timedelta(days=5)
    text = world.browser(world.keys["read"]).text("due")
    assert "0 purchases are due within the next seven days, 1 in all" in text
    world.clock.now = NOW + timedelta(days=40)
    assert "all of its board lies in the past" in world.browser(world.keys["read"]).text("due")


def test_retention_says_who_comes_back_with_its_days(reader: Visitor) -> None:
    text = reader.text("retention")
    assert "100 % of all customers have ordered again." in text
    assert "Churn: 25 % of those who ordered in the 90 days before have not ordered in the last 90." in text
    assert "Jul 2026 1 100 % 50 %" in text
    assert "Churn in 90 days" in text
    assert not re.search(r"Churn (?!in \d+ days)(?!is of)[A-Z]", text), "churn comes with its days"
    assert "Dairy 1 100 % 100 % 100 %" in text
    assert "active 0 1" in text


def test_value_stands_in_tenths_with_its_currency_and_the_last_forecast_beside_what_came(reader: Visitor) -> None:
    text = reader.text("value")
    assert "The best tenth of the customers is expected to bring 97 % of what comes in the next 365 days." in text
    assert "1 1 €200.00 €300.00" in text
    assert "In all 12 orders were expected and 13 came." in text


def test_the_versions_have_figures_and_what_changed(reader: Visitor) -> None:
    text = reader.text("versions")
    assert f"{VERSION} answers. It knows what was bought until 20 Nov 2026, 02:00 UTC." in text
    assert f"{OLDER} kept" in text
    assert "reprise 41 % 30 % 60 %" in text
    assert "popular 20 % 10 % 10 %" in text


def test_lists_of_two_versions_are_compared() -> None:
    products = [one if one.product_id != "BUTTER" else replace(one, product_id="GHEE") for one in small_shop.PRODUCTS]
    newer = replace(publication(), products=products)
    text = open_world(newer).browser().text("versions")
    assert re.search(r"MILK Whole milk, 1 l similar 67 % Butter Butter", text)


def test_the_overview_counts_what_stood_in_for_the_servers_own_shop_alone(world: World, reader: Visitor) -> None:
    for _ in range(3):
        assert (
            reader.client.get("/v1/customers/NEW/recommendations", headers=bearer(world.keys["read"])).status_code
            == 200
        )
    text = reader.text("overview")
    assert "Nothing is known of this customer, so best sellers stand in." in text
    other = world.browser(world.add_key("read", shop="other"))
    assert "How often something else stood in" not in other.text("overview")


def test_a_customer_is_shown_in_every_place_in_short(reader: Visitor) -> None:
    text = reader.text("customers", customer="ANNA", placement="home")
    assert re.search(r"In the other places .* cart \d Whole milk, 1 l, ", text)


def test_the_figures_of_versions_are_drawn_beside_the_best_simple_method(reader: Visitor) -> None:
    page = reader.get("versions").text
    assert len(re.findall(r'<polyline class="line s[01]"', page)) == 2


def test_the_best_product_is_told_with_its_buyers_and_who_came_back(reader: Visitor) -> None:
    assert "Of 2 customers who bought it, 1 came back." in reader.text("products")


def test_it_says_why_the_two_probabilities_of_a_customer_differ(reader: Visitor) -> None:
    assert "their probabilities differ" in reader.text("customers", customer="ANNA")


def test_a_key_sees_its_own_shop_and_changes_nothing_elsewhere(world: World) -> None:
    other = world.add_key("read", "admin", shop="other")
    world.storage.store("other").publish(publication(insights=None), keep=3)
    visitor = world.browser(other)
    assert "trained by an earlier release" in visitor.text("products")
    assert "No action" not in visitor.text("actions")
    visitor.submit(visitor.get("products", product="MILK"), "Hide this product everywhere")
    world.follow()
    assert world.storage.actions("default") == []
    assert "may be shown" in world.browser(world.keys["read"]).text("products", product="MILK")
