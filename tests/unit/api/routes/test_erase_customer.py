"""DELETE /v1/customers/{id}: what is shown of a customer goes at once."""

import pytest

from tests.support.small_shop import NOW

PURCHASE = {
    "event_type": "purchase",
    "customer_id": "ANNA",
    "product_id": "KETTLE",
    "occurred_at": NOW.replace(hour=11).isoformat(),
}


def kinds(client, customer_id: str = "ANNA") -> set[str]:
    answer = client.get(f"/v1/customers/{customer_id}/recommendations")
    return {item["kind"] for item in answer.json["items"]}


def test_lists_and_events_go_and_the_rest_stays(app, client, store):
    client.post("/v1/events", json={"events": [{**PURCHASE, "event_id": "1"}]})
    assert "buy_again" in kinds(client)
    answer = client.delete("/v1/customers/ANNA")
    assert (answer.status_code, answer.json) == (200, {"events": 1, "lists": 2})
    app.extensions["reprise"].shops.follow()
    assert kinds(client) == {"popular"}
    assert "buy_again" in kinds(client, "x/y")
    assert store.event_log.queue.backlog().waiting == 0


def test_the_profile_goes_at_once(client):
    assert client.get("/v1/customers/ANNA/profile").status_code == 200
    client.delete("/v1/customers/ANNA")
    answer = client.get("/v1/customers/ANNA/profile")
    assert (answer.status_code, answer.json["code"]) == (404, "unknown_customer")
    assert client.get("/v1/customers/x%2Fy/profile").status_code == 200


def test_it_may_be_repeated_and_be_of_a_stranger(client):
    client.delete("/v1/customers/ANNA")
    for customer_id in ("ANNA", "nobody"):
        answer = client.delete(f"/v1/customers/{customer_id}")
        assert (answer.status_code, answer.json) == (200, {"events": 0, "lists": 0})


def test_later_events_are_refused_by_name(client):
    client.delete("/v1/customers/ANNA")
    answer = client.post("/v1/events", json={"events": [{**PURCHASE, "event_id": "1"}]})
    assert (answer.status_code, answer.json["code"]) == (400, "nothing_accepted")
    assert [(one["field"], one["code"]) for one in answer.json["errors"]] == [("events.0", "erased")]


@pytest.mark.parametrize(("path", "lists"), [("x/y", 2), ("x%2Fy", 2), ("x", 0)])
def test_an_id_may_hold_slashes(client, path, lists):
    assert client.delete(f"/v1/customers/{path}").json["lists"] == lists


@pytest.mark.parametrize("name", ["recommendations", "buy-again", "profile"])
def test_the_path_of_a_list_is_no_customer(client, name):
    assert client.delete(f"/v1/customers/ANNA/{name}").status_code == 405
    assert "buy_again" in kinds(client)


def test_a_query_is_refused(client):
    assert client.delete("/v1/customers/ANNA?soft=true").status_code == 400
    assert "buy_again" in kinds(client)
