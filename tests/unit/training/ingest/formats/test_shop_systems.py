"""Exports of shop systems, written as their real ones are."""

import json
from datetime import UTC, datetime

import pytest

from recommender.errors import MissingColumnError

WOO = (
    '"Order Number","Order Status","Order Date","Customer Note","First Name (Billing)","Email (Billing)",'
    '"Country Code (Billing)","Payment Method Title","Cart Discount Amount","Order Total Amount",'
    'SKU,"Item #","Item Name","Quantity (- Refund)","Item Cost","Coupon Code","Discount Amount"\n'
)
SKYVERGE = (
    "order_id,order_number,order_number_formatted,date,status,shipping_total,order_total,customer_id,billing_email,"
    "item_id,item_product_id,item_name,item_sku,item_quantity,item_subtotal,item_total,item_refunded,"
    "item_refunded_qty,item_meta\n"
)


def test_woocommerces_advanced_order_export(tmp_path, read, lines):
    file = tmp_path / "orders.csv"
    file.write_text(
        WOO + '101,Completed,"2024-01-03 10:15",,Ann,ann@x.org,DE,Stripe,0,13.50,TEA,1,"Green tea",2,4.50,,\n'
        ',,,,,,,,,,,2,"Handmade bowl",1,4.50,,\n'
        '102,Refunded,"2024-01-04 10:15",,Bob,bob@x.org,DE,Stripe,0,4.50,TEA,1,"Green tea",1,4.50,,\n'
        '103,"Pending payment","2024-01-05 10:15",,Bob,bob@x.org,DE,,0,4.50,TEA,1,"Green tea",1,4.50,,\n'
        '104,Processing,"2024-01-06 10:15",,Bob,bob@x.org,DE,Stripe,0,4.50,TEA,1,"Green tea",1,4.50,,\n'
    )
    found = read(file, "woocommerce")
    assert lines(found, "customer_id", "product_id", "order_id", "quantity", "unit_price") == [
        ("ann@x.org", "Handmade bowl", "101", 1.0, 4.5),
        ("ann@x.org", "TEA", "101", 2.0, 4.5),
        ("bob@x.org", "TEA", "104", 1.0, 4.5),
    ]
    assert found.report.left_out == {"not paid": 1}
    assert found.catalogue["title"].to_list() == ["Handmade bowl", "Green tea"]


def test_woocommerces_quantity_without_what_was_refunded(tmp_path, read, lines):
    file = tmp_path / "orders.csv"
    file.write_text(
        '"Order Number","Order Status","Order Date","Email (Billing)","Item #",SKU,Name,Quantity,"Quantity (- Refund)",'
        '"Item Cost"\n'
        '101,Completed,"2024-01-03 10:15",ann@x.org,1,TEA,"Green tea",3,1,4.50\n'
        '101,Completed,"2024-01-03 10:15",ann@x.org,2,MUG,"A mug",1,0,9.00\n'
    )
    found = read(file, "woocommerce")
    assert lines(found, "customer_id", "product_id", "quantity") == [("ann@x.org", "TEA", 1.0)]
    with pytest.raises(MissingColumnError, match="--format woocommerce"):
        read(file, "reprise")


def test_woocommerces_order_export_with_account_numbers(tmp_path, read, lines):
    file = tmp_path / "orders.csv"
    file.write_text(
        SKYVERGE + "11,11,#11,2024-01-03 10:15:00,completed,0,9,7,ann@x.org,1,501,Green tea,TEA,2,9.00,9.00,0,0,\n"
        "12,12,#12,2024-01-04 10:15:00,completed,0,9,0,guest@x.org,2,502,Mug,,3,27.00,27.00,-9,-1,\n"
        "13,13,#13,2024-01-05 10:15:00,failed,0,9,7,ann@x.org,3,501,Green tea,TEA,1,4.50,4.50,0,0,\n"
        "14,14,#14,2024-01-06 10:15:00,cancelled,0,9,7,ann@x.org,3,501,Green tea,TEA,1,4.50,4.50,0,0,\n"
    )
    found = read(file, "woocommerce")
    assert lines(found, "customer_id", "product_id", "quantity", "unit_price") == [
        ("7", "TEA", 2.0, 4.5),
        ("guest@x.org", "502", 2.0, 9.0),
    ]
    assert found.report.left_out == {"not paid": 1}


def test_woocommerces_orders_with_all_items_in_one_cell(tmp_path, read, lines):
    file = tmp_path / "orders.csv"
    file.write_text(
        "order_id,order_number,date,status,customer_id,billing_email,line_items\n"
        "11,11,2024-01-03 10:15:00,completed,7,ann@x.org,"
        '"id:1|name:Green; tea|product_id:501|sku:TEA|quantity:2|subtotal:9.00|total:8.00|refunded_qty:0|meta:'
        ';id:2|name:Mug|product_id:502|sku:|quantity:3|subtotal:27.00|total:27.00|refunded:9.00|refunded_qty:-1|meta:"\n'
        "12,12,2024-01-04 10:15:00,failed,0,guest@x.org,id:3|name:Mug|product_id:502|sku:|quantity:1|total:9.00\n"
    )
    with pytest.raises(MissingColumnError, match="--format woocommerce"):
        read(file, "reprise")
    found = read(file, "woocommerce")
    assert lines(found, "customer_id", "product_id", "order_id", "quantity", "unit_price") == [
        ("7", "502", "11", 2.0, 9.0),
        ("7", "TEA", "11", 2.0, 4.0),
    ]
    assert found.catalogue["title"].to_list() == ["Mug", "Green; tea"]
    assert found.report.left_out == {"not paid": 1}


def test_woocommerces_orders_as_its_rest_interface_has_them(tmp_path, read, lines):
    file = tmp_path / "orders.json"
    tea = {"id": 1, "name": "Green tea", "product_id": 501, "sku": "TEA", "quantity": 2, "total": "8.00", "price": 4}
    mug = {"id": 2, "name": "Mug", "product_id": 502, "variation_id": 0, "sku": "", "quantity": 1, "total": "9.00"}
    order = {"id": 727, "number": "727", "status": "processing", "customer_id": 0, "billing": {"email": "bob@x.org"}}
    times = {"date_created": "2024-01-03T12:15:00", "date_created_gmt": "2024-01-03T10:15:00"}
    file.write_text(json.dumps([{**order, **times, "line_items": [tea, mug]}]))
    with pytest.raises(MissingColumnError, match="--format woocommerce"):
        read(file, "reprise")
    found = read(file, "woocommerce")
    assert lines(found, "customer_id", "product_id", "order_id", "quantity", "unit_price", "ordered_at") == [
        ("bob@x.org", "502", "727", 1.0, 9.0, datetime(2024, 1, 3, 10, 15, tzinfo=UTC)),
        ("bob@x.org", "TEA", "727", 2.0, 4.0, datetime(2024, 1, 3, 10, 15, tzinfo=UTC)),
    ]


def test_shopifys_orders_as_its_api_has_them(tmp_path, read, lines):
    file = tmp_path / "orders.json"
    tea = {"id": 1, "sku": "TEA", "name": "Green tea", "quantity": 3, "current_quantity": 1, "price": "4.50"}
    mug = {"id": 2, "sku": None, "name": "Mug", "quantity": 1, "current_quantity": 1, "price": "9.00"}
    order = {
        "id": 45,
        "name": "#1001",
        "email": "ann@x.org",
        "customer": {"id": 7},
        "created_at": "2024-01-03T10:15:00Z",
    }
    paid = {**order, "financial_status": "partially_refunded", "cancelled_at": None, "line_items": [tea, mug]}
    gone = {**order, "name": "#1002", "financial_status": "paid", "cancelled_at": "2024-01-04T10:00:00Z"}
    file.write_text(json.dumps({"orders": [paid, {**gone, "line_items": [mug]}]}))
    with pytest.raises(MissingColumnError, match="--format shopify"):
        read(file, "reprise")
    found = read(file, "shopify")
    assert lines(found, "customer_id", "product_id", "order_id", "quantity", "unit_price") == [
        ("7", "Mug", "#1001", 1.0, 9.0),
        ("7", "TEA", "#1001", 1.0, 4.5),
    ]


def test_magentos_items_with_their_order_in_one_table(tmp_path, read, lines):
    file = tmp_path / "magento.csv"
    file.write_text(
        "item_id,status,created_at,sku,price,qty_ordered,grand_total,increment_id,category_name_1,discount_amount,"
        "payment_method,Customer ID\n"
        "1,complete,7/1/2016,TEA-500,1950,2,3900,100147443,Tea,0,cod,1\n"
        "2,canceled,7/1/2016,MUG,240,1,240,100147444,Mugs,0,cod,2\n"
        "3,order_refunded,7/1/2016,MUG,240,1,240,100147445,Mugs,0,cod,3\n"
        "4,pending_paypal,7/2/2016,MUG,240,1,240,100147446,Mugs,0,paypal,3\n"
        "5,received,7/2/2016,MUG,240,1,240,100147447,Mugs,0,cod,3\n"
    )
    found = read(file, "magento")
    assert lines(found, "customer_id", "product_id", "ordered_at", "unit_price") == [
        ("1", "TEA-500", datetime(2016, 7, 1, tzinfo=UTC), 1950.0),
        ("3", "MUG", datetime(2016, 7, 2, tzinfo=UTC), 240.0),
    ]
    assert found.report.left_out == {"not paid": 1}
    assert dict(found.catalogue.select("product_id", "category").iter_rows()) == {"MUG": "Mugs", "TEA-500": "Tea"}


def test_magentos_tables_of_orders_and_items(tmp_path, read, lines):
    folder = tmp_path / "dump"
    folder.mkdir()
    (folder / "sales_order.csv").write_text(
        "entity_id,state,status,customer_id,customer_email,created_at,increment_id,grand_total\n"
        "1,complete,complete,7,ann@x.org,2024-01-03 10:15:00,000000101,9\n"
        "2,complete,complete,,guest@x.org,2024-01-04 10:15:00,000000102,9\n"
        "3,closed,closed,7,ann@x.org,2024-01-05 10:15:00,000000103,9\n"
    )
    (folder / "sales_order_item.csv").write_text(
        "item_id,order_id,parent_item_id,product_type,created_at,sku,name,qty_ordered,qty_refunded,price\n"
        "1,1,,configurable,2024-01-03 10:15:00,SHIRT-M,Shirt,2.0000,1.0000,20.0000\n"
        "2,1,1,simple,2024-01-03 10:15:00,SHIRT-M,Shirt M,2.0000,0.0000,0.0000\n"
        "3,2,,simple,2024-01-04 10:15:00,MUG,Mug,1.0000,0.0000,9.0000\n"
        "4,3,,simple,2024-01-05 10:15:00,MUG,Mug,1.0000,0.0000,9.0000\n"
    )
    found = read(folder, "magento")
    assert lines(found, "customer_id", "product_id", "order_id", "quantity", "unit_price") == [
        ("7", "SHIRT-M", "000000101", 1.0, 20.0),
        ("guest@x.org", "MUG", "000000102", 1.0, 9.0),
    ]
    assert found.report.left_out == {"part of the product on another line": 1}


def test_magentos_pieces_that_were_cancelled_before_they_were_sent(tmp_path, read, lines):
    folder = tmp_path / "dump"
    folder.mkdir()
    (folder / "sales_flat_order.csv").write_text(
        "entity_id,status,customer_id,created_at,increment_id\n"
        "1,complete,7,2013-10-27 22:51:06,100000001\n"
        "2,canceled,7,2013-10-28 22:51:06,100000002\n"
    )
    (folder / "sales_flat_order_item.csv").write_text(
        "item_id,order_id,parent_item_id,created_at,product_id,product_type,sku,name,qty_backordered,qty_canceled,"
        "qty_invoiced,qty_ordered,qty_refunded,qty_shipped,price\n"
        "1,1,NULL,2013-10-27 22:51:06,16,simple,n2610,Phone,NULL,2.0000,3.0000,5.0000,1.0000,3.0000,12.0000\n"
        "2,1,NULL,2013-10-27 22:51:06,17,simple,case,Case,NULL,0.0000,1.0000,1.0000,0.0000,1.0000,3.0000\n"
        "3,2,NULL,2013-10-28 22:51:06,17,simple,case,Case,NULL,1.0000,0.0000,1.0000,0.0000,0.0000,3.0000\n"
    )
    found = read(folder, "magento")
    assert lines(found, "customer_id", "product_id", "order_id", "quantity") == [
        ("7", "case", "100000001", 1.0),
        ("7", "n2610", "100000001", 2.0),
    ]


def test_prestashops_tables_and_one_query_of_both(tmp_path, read, lines):
    folder = tmp_path / "dump"
    folder.mkdir()
    (folder / "ps_orders.csv").write_text(
        "id_order;reference;id_customer;current_state;payment;valid;date_add\n"
        "1;XKBKNABJK;7;5;Card;1;2024-01-03 10:15:00\n"
        "2;OHSATSERP;8;6;Card;0;2024-01-04 10:15:00\n"
        "3;UOYEVOLI;8;8;Card;0;2024-01-05 10:15:00\n"
    )
    (folder / "ps_order_detail.csv").write_text(
        "id_order_detail;id_order;product_id;product_attribute_id;product_name;product_quantity;"
        "product_quantity_refunded;product_price;product_reference;unit_price_tax_incl\n"
        "1;1;2;10;Tea;3;1;4.000000;demo_2;4.500000\n"
        "2;2;2;10;Tea;1;0;4.000000;demo_2;4.500000\n"
        "3;3;2;10;Tea;1;0;4.000000;demo_2;4.500000\n"
    )
    found = read(folder, "prestashop")
    assert lines(found, "customer_id", "product_id", "order_id", "quantity", "unit_price") == [
        ("7", "2", "1", 2.0, 4.5)
    ]
    assert found.report.left_out == {"payment failed (state 8)": 1}
    file = tmp_path / "query.csv"
    file.write_text(
        "id_order;id_customer;date_add;current_state;product_id;product_name;product_quantity;unit_price_tax_incl\n"
        "1;7;2024-01-03 10:15:00;5;2;Tea;2;4.500000\n"
    )
    assert lines(read(file, "prestashop")) == [("7", "2", 2.0)]


def test_prestashops_returns_and_orders_that_are_not_valid(tmp_path, read, lines):
    folder = tmp_path / "dump"
    folder.mkdir()
    (folder / "ps_orders.csv").write_text(
        "id_order;reference;id_customer;current_state;valid;date_add\n"
        "1;A;7;5;1;2024-01-03 10:15:00\n2;B;8;10;0;2024-01-04 10:15:00\n3;C;8;21;0;2024-01-05 10:15:00\n"
        "4;D;8;9;0;2024-01-06 10:15:00\n5;E;8;22;1;2024-01-07 10:15:00\n"
    )
    (folder / "ps_order_detail.csv").write_text(
        "id_order_detail;id_order;product_id;product_name;product_quantity;product_quantity_refunded;"
        "product_quantity_return;unit_price_tax_incl\n"
        "1;1;2;Tea;5;1;2;4.500000\n" + "".join(f"{order};{order};2;Tea;1;0;0;4.500000\n" for order in (2, 3, 4, 5))
    )
    found = read(folder, "prestashop")
    assert lines(found, "customer_id", "order_id", "quantity") == [("7", "1", 2.0), ("8", "4", 1.0), ("8", "5", 1.0)]
    assert found.report.left_out == {"not paid yet (states 1 and 10, or not valid)": 2}


def test_prestashops_first_tables_which_have_no_state(tmp_path, read, lines):
    file = tmp_path / "query.csv"
    file.write_text(
        "id_order;id_customer;valid;date_add;product_id;product_name;product_quantity;product_price\n"
        "1;1;0;2009-09-17 09:48:51;7;Player;1;392.140500\n"
        "2;1;1;2009-09-17 10:34:39;11;Short;5;12.123746\n"
    )
    assert lines(read(file, "prestashop")) == [("1", "11", 5.0)]


def test_squarespaces_lines_below_the_first_of_an_order(tmp_path, read, lines):
    file = tmp_path / "orders.csv"
    file.write_text(
        "Order ID,Email,Financial Status,Paid at,Fulfillment Status,Amount Refunded,Created at,Lineitem quantity,"
        "Lineitem name,Lineitem price,Lineitem sku,Lineitem variant,Cancelled at\n"
        "1,ann@x.org,PAID,7/25/2018 21:06,pending,0,7/25/2018 21:06,2,Tea,5,TEA,,\n1,,,,,,,1,Mug,10,,,\n"
        "2,bob@x.org,PAID,8/5/2018 21:06,pending,0,8/5/2018 21:06,2,Tea,5,TEA,,8/6/2018 10:00\n"
    )
    with pytest.raises(MissingColumnError, match="--format squarespace"):
        read(file, "reprise")
    found = read(file, "squarespace")
    assert lines(found, "customer_id", "product_id", "order_id", "quantity", "unit_price") == [
        ("ann@x.org", "Mug", "1", 1.0, 10.0),
        ("ann@x.org", "TEA", "1", 2.0, 5.0),
    ]


def test_etsys_sold_items_which_seldom_have_a_sku(tmp_path, read, lines):
    file = tmp_path / "EtsySoldOrderItems2023.csv"
    file.write_text(
        "Sale Date,Item Name,Buyer,Quantity,Price,Discount Amount,Item Total,Currency,Transaction ID,Listing ID,"
        "Date Paid,Ship Name,Order ID,Variations,SKU\n"
        "08/04/23,Fox card,buyer42,2,$5.00,,$10.00,USD,4001,9001,08/04/23,Ann,3001,Style: Matte,FOX\n"
        "08/04/23,Fox sticker,buyer42,1,$3.00,,$3.00,USD,4002,9002,08/04/23,Ann,3001,,\n"
        "08/05/23,Fox sticker,,1,$3.00,,$3.00,USD,4003,9002,08/05/23,Guest,3002,,\n"
    )
    with pytest.raises(MissingColumnError, match="--format etsy"):
        read(file, "reprise")
    found = read(file, "etsy")
    assert lines(found, "customer_id", "product_id", "order_id", "quantity", "unit_price", "ordered_at") == [
        ("buyer42", "9001", "3001", 2.0, 5.0, datetime(2023, 8, 4, tzinfo=UTC)),
        ("buyer42", "9002", "3001", 1.0, 3.0, datetime(2023, 8, 4, tzinfo=UTC)),
    ]
    assert found.report.left_out == {"no customer (guest)": 1}


def test_shopify_knows_a_customer_by_phone_and_a_tip_is_no_product(tmp_path, read, lines):
    file = tmp_path / "orders.csv"
    file.write_text(
        "Name,Email,Phone,Financial Status,Created at,Lineitem quantity,Lineitem name,Lineitem price,Lineitem sku\n"
        "#1,,+44794607001,paid,2024-01-01 10:00:00 +0000,2,Mug,9.00,MUG\n"
        "#1,,,,,1,Tip,1.00,\n"
        "#2,ann@x.org,+44794607002,paid,2024-01-02 10:00:00 +0000,1,Mug,9.00,MUG\n"
    )
    found = read(file, "shopify")
    assert lines(found) == [("+44794607001", "MUG", 2.0), ("ann@x.org", "MUG", 1.0)]
    assert found.report.left_out == {"no product": 1}
