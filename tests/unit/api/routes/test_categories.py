"""`category` may be repeated: products of any of them, in one order of score."""

import pytest

from tests.support import small_shop

PEOPLE = ["/v1/customers/ANNA/recommendations", "/v1/customers/ANNA/buy-again", "/v1/customers/nobody/recommendations"]
PRODUCTS = ["/v1/popular", "/v1/products/MILK/similar", "/v1/products/BREAD/bought-together"]
CATEGORY = {product.product_id: product.category for product in small_shop.PRODUCTS}


def shown(answer) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [item["product_id"] for item in answer.json["items"]]


@pytest.mark.parametrize("path", [*PEOPLE, *PRODUCTS])
def test_of_any_of_them(client, path):
    def ask(*categories):
        return set(shown(client.get(path, query_string=[("category", one) for one in categories])))

    both = ask("Dairy", "Coffee")
    assert both == ask("Dairy") | ask("Coffee")
    assert {CATEGORY[one] for one in both} <= {"Dairy", "Coffee"}
    assert ask("Nope", "Nothing") == set()


def test_a_new_product_stands_behind_what_sells(client):
    client.put("/v1/products/NEW", json={"title": "Oat milk", "category": "Dairy"})
    client.application.extensions["reprise"].shops.cache("default").follow()
    found = shown(client.get("/v1/popular?category=Dairy&category=Kitchen"))
    assert found[-1] == "NEW"
    assert "MILK" in found


@pytest.mark.parametrize("path", ["/v1/popular", *PRODUCTS[1:]])
def test_the_order_in_which_they_are_named_is_nothing(client, store, path):
    first = client.get(f"{path}?category=Dairy&limit=2&category=Coffee")
    reads = store.reads
    for query in ("category=Coffee&category=Dairy&limit=2", "limit=2&category=Coffee&category=Dairy"):
        answer = client.get(f"{path}?{query}")
        assert (answer.data, answer.headers["ETag"]) == (first.data, first.headers["ETag"])
    assert store.reads == reads  # kept, and found again


@pytest.mark.parametrize(
    "category", ["Dairy", ["Dairy"], ["Dairy", "Coffee"], ["Coffee", "", "Dairy", "Dairy"], "", [], None]
)
def test_in_a_body_one_or_several(client, category):
    body = {"placement": "home", "customer_id": "ANNA", "category": category}
    wanted = [category] if isinstance(category, str) else category or []
    query = [("category", one) for one in wanted]
    alone = shown(client.get("/v1/customers/ANNA/recommendations", query_string=query))
    assert shown(client.post("/v1/recommendations", json=body)) == alone


@pytest.mark.parametrize("category", [7, [7], [7.0, "Nope"]])
def test_in_a_body_a_whole_number_is_the_name_of_one(client, category):
    client.put("/v1/products/NEW", json={"title": "Oat milk", "category": 7})
    client.application.extensions["reprise"].shops.cache("default").follow()
    body = {"placement": "home", "category": category}
    assert shown(client.post("/v1/recommendations", json=body)) == ["NEW"]
    batch = {"requests": [{"path": "/v1/recommendations", "body": body}]}
    (answer,) = client.post("/v1/batch", json=batch).json["responses"]
    assert [item["product_id"] for item in answer["body"]["items"]] == ["NEW"]


@pytest.mark.parametrize("category", [True, {"a": 1}, [None], 7.5])
def test_in_a_body_what_is_no_name_is_refused(client, category):
    answer = client.post("/v1/recommendations", json={"placement": "home", "category": category})
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (400, "category.0")


def test_in_batches_too(client):
    paths = [f"{path}?category=Dairy&category=Coffee" for path in (*PEOPLE, *PRODUCTS)]
    answers = client.post("/v1/batch", json={"requests": [{"path": path} for path in paths]}).json["responses"]
    for path, answer in zip(paths, answers, strict=True):
        assert [item["product_id"] for item in answer["body"]["items"]] == shown(client.get(path))


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("&".join(f"category=c{number}" for number in range(21)), "category"),
        (f"category=a&category={'x' * 513}", "category.1"),
        ("limit=1&limit=1", "limit"),
    ],
)
def test_what_cannot_be_is_named(client, query, field):
    answer = client.get(f"/v1/popular?{query}")
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (400, field)
