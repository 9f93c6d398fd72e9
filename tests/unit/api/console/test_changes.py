"""What may be changed: previewed before, noted with who, before and after, and taken back."""

import json

import pytest

from recommender.catalogue.overrides import ProductChange
from recommender.slate.placements import Placement
from tests.support.console import OLDER, Visitor, World, read_forms, to_text
from tests.support.keyed_shop import key_id
from tests.support.small_shop import NOW, VERSION


def placement(world: World, name: str = "home") -> Placement:
    found = world.storage.store("default").placement(name)
    assert found is not None
    return found


def add_rule(owner: Visitor, kind: str, **fields: str):
    """The preview of a rule of a kind, in placement home."""
    page = owner.get("merchandising", placement="home")
    given = next(form["fields"] for form in read_forms(page.text) if "op" in form["fields"])
    return owner.post("preview", **{**given, "op": kind, **fields})


def test_a_version_is_activated_noted_and_taken_back(world: World, owner: Visitor) -> None:
    answer = owner.submit(owner.get("versions"), "Activate")
    assert (answer.status_code, world.storage.store("default").current()) == (303, OLDER)
    world.follow()
    assert "Done: this version answers now." in to_text(
        owner.client.get(answer.headers["Location"], headers={"User-Agent": "Browser"}).text
    )
    assert "A newer version is there, but does not answer" in owner.text("versions")
    (action,) = world.storage.actions("default")
    assert (action.what, action.subject, action.before, action.after) == ("activate", OLDER, VERSION, OLDER)
    assert (action.key_id, action.at) == (key_id(world.keys["admin"]), f"{NOW:%Y-%m-%dT%H:%M:%SZ}")
    owner.submit(owner.get("actions"), "Undo")
    assert world.storage.store("default").current() == VERSION
    text = owner.text("actions")
    assert text.count("Version activated") == 2
    assert key_id(world.keys["admin"]) in text


def test_a_pin_is_seen_before_and_after_then_set_and_taken_back(world: World, owner: Visitor) -> None:
    preview = add_rule(owner, "pins", target="KETTLE", position="1")
    text = to_text(preview.text)
    assert "What a visitor of whom nothing is known sees, before and after. Nothing is changed yet." in text
    assert "1 Coffee beans Kettle new" in text
    assert world.storage.store("default").placement("home") is None
    assert owner.submit(preview, "Apply").status_code == 303
    world.follow()
    assert [pin.product_id for pin in placement(world).pins] == ["KETTLE"]
    assert "KETTLE 1" in owner.text("merchandising", placement="home")
    assert "1 KETTLE Kettle Picked by the shop" in owner.text("customers", customer="ANNA")
    owner.submit(owner.get("actions"), "Undo")
    assert placement(world).pins == ()


def test_a_preview_is_of_the_customer_who_is_named(owner: Visitor) -> None:
    preview = add_rule(owner, "blocks", target="MILK", of="product")
    text = to_text(owner.submit(preview, "Preview for this one", customer="ANNA").text)
    assert "What ANNA sees, before and after." in text
    assert "Whole milk, 1 l (goes)" in text
    assert "MILK Whole milk, 1 l blocked by the shop" in text


@pytest.mark.parametrize("rules", ["pins", "boosts", "blocks"])
def test_every_kind_of_rule_comes_with_dates_and_goes(world: World, owner: Visitor, rules: str) -> None:
    more = {"pins": {"position": "3"}, "boosts": {"factor": "2,5", "of": "category"}, "blocks": {"of": "category"}}[
        rules
    ]
    preview = add_rule(
        owner, rules, target="Dairy", **{"from": "2026-12-01T08:00", "until": "2026-12-24T18:00"}, **more
    )
    owner.submit(preview, "Apply")
    (rule,) = getattr(placement(world), rules)
    assert (f"{rule.from_:%Y-%m-%dT%H:%M%z}", f"{rule.until:%Y-%m-%dT%H:%M%z}") == (
        "2026-12-01T08:00+0000",
        "2026-12-24T18:00+0000",
    )
    world.follow()
    preview = owner.submit(owner.get("merchandising", placement="home"), "Remove")
    owner.submit(preview, "Apply")
    assert getattr(placement(world), rules) == ()


def test_the_cap_is_set_with_the_other_limits(world: World, owner: Visitor) -> None:
    page = owner.get("merchandising", placement="cart")
    preview = owner.submit(page, "Preview", cap="3", default_limit="2", max_per_category="", min_probability="1.5")
    owner.submit(preview, "Apply")
    found = placement(world, "cart")
    assert (found.cap, found.default_limit, found.max_per_category, found.min_probability) == (3, 2, None, 0.015)


def test_a_pin_that_is_not_shown_is_said(owner: Visitor) -> None:
    assert "Pinned, but not shown: NOPE." in to_text(add_rule(owner, "pins", target="NOPE", position="1").text)
    assert "Pinned, but not shown: OLD." in to_text(add_rule(owner, "pins", target="OLD", position="1").text)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"op": "pins", "target": "MILK", "position": "51"}, "Position: give a whole number from 1 to 50."),
        ({"op": "pins", "target": "MILK", "position": "-1"}, "Position: give a whole number from 1 to 50."),
        ({"op": "pins", "target": "", "position": "1"}, "Product or category: give its id"),
        ({"op": "boosts", "target": "MILK", "factor": "abc"}, "Factor: give a number over 0, 100 at most."),
        ({"op": "boosts", "target": "MILK", "factor": "nan"}, "Factor: give a number over 0"),
        ({"op": "boosts", "target": "MILK", "factor": "1e999"}, "Factor: give a number over 0"),
        ({"op": "pins", "target": "MILK", "position": "1", "from": "tomorrow"}, "From: give a day and a time"),
        ({"op": "pins", "target": "x" * 10_000, "position": "1"}, "512 characters at most"),
        ({"op": "limits", "cap": "5", "default_limit": "9"}, "over the cap"),
        ({"op": "limits", "cap": "", "default_limit": "9"}, "Cap: give a whole number"),
        ({"op": "limits", "cap": "51", "default_limit": "9"}, "Cap: give a whole number from 1 to 50."),
        ({"op": "limits", "cap": "5", "default_limit": "5", "mix": "x"}, "Mix: choose from the list."),
        ({"op": "limits", "cap": "5", "default_limit": "5", "min_probability": "101"}, "give a number from 0 to 100"),
        ({"op": "blocks", "target": "MILK", "from": "2026-12-02T00:00", "until": "2026-12-01T00:00"}, "never hold"),
        ({"op": "blocks", "target": "MILK", "from": "2026-12-01T00:00", "until": "2026-12-01T00:00"}, "never hold"),
        ({"op": "limits", "cap": "5", "default_limit": "5", "max_per_category": "0"}, "from 1 on, or nothing"),
        ({"op": "boosts", "target": "Dairy", "of": "category", "factor": "0"}, "Factor: give a number over 0"),
        ({"op": "remove-pins", "index": "0"}, "no such rule"),
        ({"op": "nonsense"}, "no change that is known"),
        ({}, "no change that is known"),
    ],
)
def test_what_cannot_be_is_refused_with_the_field(
    world: World, owner: Visitor, fields: dict[str, str], said: str
) -> None:
    csrf = owner.get("merchandising").text.partition('name="csrf" value="')[2].partition('"')[0]
    answer = owner.post("preview", csrf=csrf, placement="home", **fields)
    assert (answer.status_code, said in answer.text) == (400, True), to_text(answer.text)
    assert owner.post("place", csrf=csrf, placement="nope", **fields).status_code in (400, 404)
    assert world.storage.actions("default") == []


@pytest.mark.parametrize("index", ["1", "0000000009", "9" * 5_000, "-1"])
def test_a_number_of_any_length_names_no_rule_beyond_the_last(world: World, owner: Visitor, index: str) -> None:
    owner.submit(add_rule(owner, "pins", target="MILK", position="1"), "Apply")
    assert add_rule(owner, "remove-pins", index=index).status_code == 400
    assert len(placement(world).pins) == 1


def test_of_two_who_act_at_once_the_second_is_told_and_changes_nothing(world: World, owner: Visitor) -> None:
    other = world.browser(world.keys["admin"])
    mine, theirs = (
        add_rule(one, "pins", target=product, position="1") for one, product in ((owner, "MILK"), (other, "KETTLE"))
    )
    assert owner.submit(mine, "Apply").status_code == 303
    answer = other.submit(theirs, "Apply")
    assert (answer.status_code, "Somebody else has changed the same thing" in answer.text) == (409, True)
    assert [pin.product_id for pin in placement(world).pins] == ["MILK"]
    first = owner.get("versions")
    other.submit(other.get("versions"), "Activate")
    assert owner.submit(first, "Activate").status_code == 409


@pytest.mark.parametrize("button", ["Remove", "Preview"])
def test_a_page_that_somebody_else_has_changed_since_it_was_opened_changes_nothing(
    world: World, owner: Visitor, button: str
) -> None:
    owner.submit(add_rule(owner, "pins", target="MILK", position="1"), "Apply")
    owner.submit(add_rule(owner, "pins", target="KETTLE", position="2"), "Apply")
    page, other = owner.get("merchandising", placement="home"), world.browser(world.keys["admin"])
    other.submit(other.submit(other.get("merchandising", placement="home"), "Remove"), "Apply")
    answer = owner.submit(page, button)
    assert (answer.status_code, "Somebody else has changed the same thing" in answer.text) == (409, True)
    assert [pin.product_id for pin in placement(world).pins] == ["KETTLE"]


def test_a_moment_may_have_seconds(world: World, owner: Visitor) -> None:
    owner.submit(add_rule(owner, "blocks", target="MILK", until="2026-12-01T10:00:30"), "Apply")
    assert placement(world).blocks[0].model_dump(mode="json")["until"] == "2026-12-01T10:00:30Z"


def test_a_preview_offers_no_file_since_it_has_no_address(owner: Visitor) -> None:
    preview = add_rule(owner, "pins", target="KETTLE", position="1")
    assert preview.status_code == 200
    assert "as=csv" not in preview.text
    assert "as=csv" in owner.get("placements").text


@pytest.mark.parametrize("product", ["", "NOPE", "x" * 10_000])
def test_what_is_no_product_cannot_be_hidden(world: World, owner: Visitor, product: str) -> None:
    csrf = owner.get("products", product="MILK").text.partition('name="csrf" value="')[2].partition('"')[0]
    answer = owner.post("block", csrf=csrf, product=product, blocked="yes")
    assert (answer.status_code, "no such product" in answer.text) == (404, True)
    assert world.storage.actions("default") == []


def test_undoing_a_block_leaves_what_the_shops_programs_said_since(world: World, owner: Visitor) -> None:
    store = world.storage.store("default")
    owner.submit(owner.get("products", product="MILK"), "Hide this product everywhere")
    store.update_products([ProductChange("MILK", "patch", {"in_stock": False, "price": "2.50"})])
    world.follow()
    assert owner.submit(owner.get("actions"), "Undo").status_code == 303
    world.follow()
    text = owner.text("products", product="MILK")
    assert "out of stock" in text
    assert "2.50" in text


def test_what_was_changed_since_is_not_undone(world: World, owner: Visitor) -> None:
    owner.submit(add_rule(owner, "pins", target="MILK", position="1"), "Apply")
    log = owner.get("actions")
    owner.submit(add_rule(owner, "pins", target="KETTLE", position="2"), "Apply")
    assert owner.submit(log, "Undo").status_code == 409
    assert len(placement(world).pins) == 2
    csrf = log.text.partition('name="csrf" value="')[2].partition('"')[0]
    assert owner.post("undo", csrf=csrf, action_id="unknown").status_code == 400


def test_a_product_is_hidden_everywhere_and_shown_again(world: World, owner: Visitor) -> None:
    owner.submit(owner.get("products", product="MILK"), "Hide this product everywhere")
    world.follow()
    assert "blocked by the shop" in owner.text("products", product="MILK")
    assert "MILK Whole milk, 1 l blocked by the shop" in owner.text("customers", customer="ANNA")
    owner.submit(owner.get("actions"), "Undo")
    world.follow()
    assert "may be shown" in owner.text("products", product="MILK")
    assert [one.what for one in world.storage.actions("default")] == ["product", "product"]


def test_the_service_log_has_every_action_and_who_signed_in(world: World, owner: Visitor) -> None:
    owner.submit(owner.get("versions"), "Activate")
    lines = [json.loads(line) for line in world.log.getvalue().splitlines()]
    told = [line for line in lines if line["event"].startswith("console_")]
    assert [line["event"] for line in told] == ["console_sign_in", "console_action"]
    assert {line["key_id"] for line in told} == {key_id(world.keys["admin"])}
