"""What an operator changes while the service runs."""

import pytest

from tests.support import small_shop

NEWER = "20261121T020000Z-3f2a"


@pytest.fixture
def follow(app):
    """See at once what the background would see a moment later."""
    return app.extensions["reprise"].shops.follow


class TestPlacements:
    def test_a_placement_is_set_for_all_answers_that_follow(self, client, follow):
        wide = client.get("/v1/popular?placement=home").json
        assert wide["limit"]["cap"] == 20
        answer = client.put("/v1/placements/home", json={"cap": 2, "default_limit": 1})
        assert (answer.status_code, answer.json["cap"]) == (200, 2)
        follow()
        narrow = client.get("/v1/popular?placement=home").json
        assert narrow["limit"] == {"requested": None, "applied": 1, "cap": 2}
        assert len(narrow["items"]) == 1

    def test_a_new_one_can_be_used_at_once(self, client, follow):
        client.put("/v1/placements/checkout", json={"cap": 3, "default_limit": 3})
        follow()
        assert client.get("/v1/popular?placement=checkout").json["limit"]["cap"] == 3
        assert "checkout" in [found["name"] for found in client.get("/v1/placements").json["placements"]]

    def test_a_whole_number_is_an_id(self, client):
        rules = {"pins": [{"product_id": 42, "position": 1}], "blocks": [{"category": 7}]}
        answer = client.put("/v1/placements/home", json={"cap": 2, "default_limit": 1, **rules})
        assert (answer.json["pins"][0]["product_id"], answer.json["blocks"][0]["category"]) == ("42", "7")

    def test_a_default_over_the_cap_is_clamped(self, client):
        assert client.put("/v1/placements/home", json={"cap": 2, "default_limit": 3}).json["default_limit"] == 2

    @pytest.mark.parametrize(
        "body",
        [
            {"cap": 51, "default_limit": 1},
            {"cap": 2},
            {"cap": 2, "default_limit": 1, "colour": "red"},
            {"cap": 2, "default_limit": 1, "min_probability": 1.5},
        ],
    )
    def test_one_that_cannot_be_is_refused_and_changes_nothing(self, client, follow, body):
        assert client.put("/v1/placements/home", json=body).status_code == 400
        follow()
        assert client.get("/v1/placements/home").json["cap"] == 20

    @pytest.mark.parametrize("name", ["A", "a b", "x" * 65, "-", "ä"])
    def test_a_name_is_short_and_plain(self, client, name):
        answer = client.put(f"/v1/placements/{name}", json={"cap": 2, "default_limit": 1})
        assert (answer.status_code, answer.json["errors"][0]["field"]) == (400, "name")


class TestActivation:
    def test_an_older_version_answers_again(self, client, store, follow):
        store.publish(small_shop.publication(NEWER), keep=3)
        answer = client.post(f"/v1/models/{small_shop.VERSION}/activate")
        assert (answer.status_code, answer.json) == (200, {"current": small_shop.VERSION})
        follow()
        assert client.get("/v1/popular").json["model_version"] == small_shop.VERSION
        assert client.get("/v1/models").json["current"] == small_shop.VERSION

    def test_one_that_is_not_kept_is_a_404_and_changes_nothing(self, client, store):
        answer = client.post("/v1/models/20200101T000000Z-0000/activate")
        assert (answer.status_code, answer.json["code"]) == (404, "version_not_found")
        assert "20200101T000000Z-0000" in answer.json["detail"]
        assert store.current() == small_shop.VERSION
