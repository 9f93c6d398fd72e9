import json
from datetime import UTC, datetime

import pytest

from recommender.errors import UnreadableFileError


def test_online_retail_leaves_out_what_is_no_product_sale(tmp_path, read, lines):
    file = tmp_path / "retail.csv"
    file.write_text(
        "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
        "1,85123a,HEART,6,12/1/2010 8:26,2.55,17850.0,UK\n"
        "2,85123A,HEART,6,12/8/2010 8:26,2.55,17850.0,UK\n"
        "C3,85123A,HEART,-2,12/9/2010 8:26,2.55,17850.0,UK\n"
        "4,85123A,HEART,6,12/1/2010 8:26,2.55,,UK\n"
        "5,POST,POSTAGE,1,12/1/2010 8:26,18,17850.0,UK\n"
        "6,gift_0001_20,Voucher,1,12/1/2010 8:26,20,17850.0,UK\n"
        "7,71053,LANTERN,1,12/1/2010 8:26,0,17850.0,UK\n"
    )
    found = read(file, "online-retail")
    assert lines(found, "order_id", "product_id", "quantity") == [("1", "85123A", 6.0), ("2", "85123A", 4.0)]
    assert found.report.left_out == {"not a product code": 2, "no customer (guest sale)": 1, "price 0": 1}
    assert found.report.quarantined == {}
    assert found.catalogue.select("product_id", "title", "price").row(0) == ("85123A", "HEART", "2.55")


def test_shopify_orders_fill_their_lines(tmp_path, read, lines):
    file = tmp_path / "orders.csv"
    file.write_text(
        "Name,Email,Financial Status,Created at,Cancelled at,"
        "Lineitem quantity,Lineitem name,Lineitem price,Lineitem sku\n"
        "#1,ann@x.org,paid,2024-01-01 10:00:00 -0500,,2,Mug,9.00,MUG\n"
        "#1,,,,,1,Handmade bowl,20.00,\n"
        "#2,,paid,2024-01-02 10:00:00 -0500,,1,Mug,9.00,MUG\n"
        "#3,bob@x.org,paid,2024-01-03 10:00:00 -0500,2024-01-04 10:00:00 -0500,1,Mug,9.00,MUG\n"
        "#4,bob@x.org,refunded,2024-01-05 10:00:00 -0500,,1,Mug,9.00,MUG\n"
        "#4,,,,,1,Plate,9.00,PLATE\n"
    )
    found = read(file, "shopify")
    assert lines(found) == [("ann@x.org", "Handmade bowl", 1.0), ("ann@x.org", "MUG", 2.0)]
    assert found.ledger["ordered_at"][0] == datetime(2024, 1, 1, 15, tzinfo=UTC)
    assert found.report.left_out == {"no customer (guest or till)": 1}
    assert found.report.refunds["own_lines"] == 3


def test_ga4_events_become_one_line_per_item(tmp_path, read, lines):
    def event(name, user, *items):
        return {
            "event_name": name,
            "event_timestamp": "1704456000000000",
            "user_id": user,
            "user_pseudo_id": "cookie",
            "ecommerce": {"transaction_id": f"T-{name}"},
            "items": [{"item_id": id_, "item_name": id_.title(), "price": 2.5, "quantity": n} for id_, n in items],
        }

    events = [
        event("purchase", "ann", ("milk", 2), ("bread", 1)),
        event("purchase", None, ("milk", 1)),
        event("purchase", "undefined", ("tea", 1)),
        event("view_item", "ann", ("milk", 1)),
        event("refund", "ann", ("bread", 1)),
    ]
    events[4]["ecommerce"] = {"transaction_id": "T-purchase"}
    file = tmp_path / "events.jsonl"
    file.write_text("\n".join(map(json.dumps, events)))
    found = read(file, "ga4")
    assert lines(found) == [("ann", "milk", 2.0), ("cookie", "milk", 1.0), ("cookie", "tea", 1.0)]
    assert found.report.times == ["microseconds since 1970"]
    assert found.report.left_out == {"not a purchase event": 1}
    assert found.catalogue["title"].to_list() == ["Milk", "Tea"]


def test_ga4_parquet_with_nested_items(tmp_path, read, lines):
    import polars as pl

    rows = [
        {
            "event_name": "purchase",
            "event_timestamp": 1704456000000000,
            "user_pseudo_id": "c1",
            "ecommerce": {"transaction_id": "T1"},
            "items": [{"item_id": "a", "quantity": 2}, {"item_id": "b", "quantity": None}],
        }
    ]
    pl.DataFrame(rows).write_parquet(tmp_path / "e.parquet")
    assert lines(read(tmp_path / "e.parquet", "ga4")) == [("c1", "a", 2.0), ("c1", "b", 1.0)]


def test_a_flattened_ga4_table(tmp_path, read, lines):
    file = tmp_path / "flat.csv"
    file.write_text("event_date,user_pseudo_id,transaction_id,item_id,quantity\n20240105,c1,T1,milk,2\n")
    found = read(file, "ga4")
    assert lines(found) == [("c1", "milk", 2.0)]
    assert found.report.times == ["dates such as 20240131, taken as midnight UTC"]


def test_personalize_keeps_purchases_where_there_are_any(tmp_path, read, lines):
    file = tmp_path / "interactions.csv"
    rows = "USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE\n1,a,1704456000,Purchase\n1,b,1704456000,View\n"
    file.write_text(rows)
    found = read(file, "personalize")
    assert lines(found) == [("1", "a", 1.0)]
    assert found.report.left_out == {"not a purchase event": 1}
    file.write_text(rows.replace("Purchase", "Watch"))
    assert len(read(file, "personalize").ledger) == 2


def test_instacart_joins_its_files_and_dates_orders_from_a_stated_day(tmp_path, read, lines):
    folder = tmp_path / "instacart"
    folder.mkdir()
    (folder / "orders.csv").write_text(
        "order_id,user_id,eval_set,order_number,order_dow,order_hour_of_day,days_since_prior_order\n"
        "20,7,prior,2,1,09,15.0\n10,7,prior,1,0,08,\n30,7,test,3,1,09,5.0\n"
    )
    (folder / "order_products__prior.csv").write_text(
        "order_id,product_id,add_to_cart_order,reordered\n10,1,1,0\n20,1,1,1\n"
    )
    (folder / "products.csv").write_text("product_id,product_name,aisle_id,department_id\n1,Milk,5,4\n")
    (folder / "departments.csv").write_text("department_id,department\n4,dairy\n")
    found = read(folder, "instacart")
    assert lines(found, "customer_id", "product_id", "ordered_at") == [
        ("7", "1", datetime(2015, 1, 1, 8, tzinfo=UTC)),
        ("7", "1", datetime(2015, 1, 16, 9, tzinfo=UTC)),
    ]
    assert found.catalogue.select("title", "category").row(0) == ("Milk", "dairy")
    (folder / "orders.csv").unlink()
    with pytest.raises(UnreadableFileError, match=r"instacart needs orders.csv"):
        read(folder, "instacart")
