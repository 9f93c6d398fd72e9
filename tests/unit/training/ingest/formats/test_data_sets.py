"""Public data sets of purchases, written as the real ones are."""

from datetime import UTC, datetime

import pytest

from recommender.errors import MissingColumnError, UnreadableFileError


def test_olist_joins_items_orders_and_customers(tmp_path, read, lines):
    folder = tmp_path / "olist"
    folder.mkdir()
    (folder / "olist_orders_dataset.csv").write_text(
        "order_id,customer_id,order_status,order_purchase_timestamp,order_approved_at,"
        "order_delivered_carrier_date,order_delivered_customer_date,order_estimated_delivery_date\n"
        "o1,c1,delivered,2017-10-02 10:56:33,,,,2017-10-18 00:00:00\n"
        "o2,c2,delivered,2017-11-02 10:56:33,,,,2017-11-18 00:00:00\n"
        "o3,c3,canceled,2017-11-03 10:56:33,,,,2017-11-18 00:00:00\n"
    )
    (folder / "olist_order_items_dataset.csv").write_text(
        '"order_id","order_item_id","product_id","seller_id","shipping_limit_date","price","freight_value"\n'
        '"o1","1","p1","s1",2017-10-06 10:56:33,58.90,13.29\n'
        '"o1","2","p1","s1",2017-10-06 10:56:33,58.90,13.29\n'
        '"o2","1","p2","s1",2017-11-06 10:56:33,9.90,1.00\n'
        '"o3","1","p2","s1",2017-11-06 10:56:33,9.90,1.00\n'
    )
    (folder / "olist_customers_dataset.csv").write_text(
        '"customer_id","customer_unique_id","customer_zip_code_prefix","customer_city","customer_state"\n'
        '"c1","ann","14409","franca","SP"\n"c2","ann","14409","franca","SP"\n"c3","bob","14409","franca","SP"\n'
    )
    (folder / "olist_products_dataset.csv").write_text(
        '"product_id","product_category_name","product_name_lenght"\n"p1","beleza_saude",40\n"p2","esporte_lazer",40\n'
    )
    (folder / "product_category_name_translation.csv").write_text(
        "product_category_name,product_category_name_english\nbeleza_saude,health_beauty\n"
    )
    found = read(folder, "olist")
    assert lines(found, "customer_id", "product_id", "order_id", "unit_price") == [
        ("ann", "p1", "o1", 58.9),
        ("ann", "p1", "o1", 58.9),
        ("ann", "p2", "o2", 9.9),
    ]
    (folder / "olist_customers_dataset.csv").unlink()
    with pytest.raises(UnreadableFileError, match="every customer_id is new"):
        read(folder, "olist")


def test_retailrocket_keeps_transactions(tmp_path, read, lines):
    file = tmp_path / "events.csv"
    file.write_text(
        "timestamp,visitorid,event,itemid,transactionid\n"
        "1433221332117,257597,view,355908,\n"
        "1433224214164,257597,addtocart,355908,\n"
        "1433224229496,257597,transaction,355908,4000\n"
    )
    found = read(file, "retailrocket")
    assert lines(found, "customer_id", "product_id", "order_id") == [("257597", "355908", "4000")]
    assert found.ledger["ordered_at"][0] == datetime(2015, 6, 2, 5, 50, 29, 496000, tzinfo=UTC)
    assert found.report.left_out == {"not a purchase event": 2}


def test_rees46_keeps_purchases(tmp_path, read, lines):
    file = tmp_path / "2019-Oct.csv"
    file.write_text(
        "event_time,event_type,product_id,category_id,category_code,brand,price,user_id,user_session\n"
        "2019-10-01 00:00:00 UTC,view,44600062,2103807459595387724,,shiseido,35.79,541312140,72d76fde\n"
        "2019-10-01 00:02:14 UTC,purchase,1004856,2053013555631882655,electronics.phone,samsung,130.76,54,8187d148\n"
        "2019-10-01 00:02:15 UTC,cart,1004856,2053013555631882655,electronics.phone,samsung,130.76,54,8187d148\n"
    )
    found = read(file, "rees46")
    assert lines(found, "customer_id", "product_id", "order_id", "unit_price") == [
        ("54", "1004856", "8187d148", 130.76)
    ]
    assert found.ledger["ordered_at"][0] == datetime(2019, 10, 1, 0, 2, 14, tzinfo=UTC)


def test_ta_feng_has_the_price_of_the_line(tmp_path, read, lines):
    file = tmp_path / "ta_feng_all_months_merged.csv"
    file.write_text(
        '"TRANSACTION_DT","CUSTOMER_ID","AGE_GROUP","PIN_CODE","PRODUCT_SUBCLASS","PRODUCT_ID","AMOUNT","ASSET",'
        '"SALES_PRICE"\n"11/1/2000","01104905","45-49","115","110411","4710199010372","2","24","30"\n'
        '"12/13/2000","00418683","45-49","115","120107","4710857472535","1","48","46"\n'
    )
    found = read(file, "tafeng")
    assert lines(found, "customer_id", "ordered_at", "quantity", "unit_price") == [
        ("01104905", datetime(2000, 11, 1, tzinfo=UTC), 2.0, 15.0),
        ("00418683", datetime(2000, 12, 13, tzinfo=UTC), 1.0, 46.0),
    ]


def test_hm_with_and_without_its_articles(tmp_path, read, lines):
    folder = tmp_path / "hm"
    folder.mkdir()
    transactions = folder / "transactions_train.csv"
    transactions.write_text(
        "t_dat,customer_id,article_id,price,sales_channel_id\n2018-09-20,000058a1,0663713001,0.0508305084745762,2\n"
    )
    (folder / "articles.csv").write_text(
        "article_id,product_code,prod_name,product_type_no,product_type_name\n0663713001,0663713,Atlanta,283,Underwear\n"
    )
    assert lines(read(transactions, "hm")) == lines(read(folder, "hm")) == [("000058a1", "0663713001", 1.0)]
    assert read(folder, "hm").catalogue.select("title", "category").row(0) == ("Atlanta", "Underwear")


def test_dunnhumby_as_the_package_completejourney_has_it(tmp_path, read, lines):
    folder = tmp_path / "journey"
    folder.mkdir()
    (folder / "transactions.csv").write_text(
        "household_id,store_id,basket_id,product_id,quantity,sales_value,retail_disc,week,transaction_timestamp\n"
        "900,330,31198570044,1095275,2,1.00,0.29,1,2017-01-01 11:53:26\n"
        "900,330,31198570047,9878513,1,0.99,0.10,1,2017-01-01 12:10:28\n"
        "900,330,31198570047,9878514,0,0.00,0.10,1,2017-01-01 12:10:28\n"
    )
    (folder / "products.csv").write_text(
        "product_id,manufacturer_id,department,brand,product_category,product_type,package_size\n"
        "1095275,2,GROCERY,National,FRZN ICE,ICE - CRUSHED/CUBED,22 LB\n"
    )
    (folder / "coupons.csv").write_text("coupon_upc,product_id,campaign_id\n1,1095275,26\n")
    with pytest.raises(MissingColumnError, match="--format dunnhumby"):
        read(folder / "transactions.csv", "reprise")
    found = read(folder, "dunnhumby")
    assert lines(found, "customer_id", "product_id", "order_id", "quantity", "unit_price") == [
        ("900", "1095275", "31198570044", 2.0, 0.5),
        ("900", "9878513", "31198570047", 1.0, 0.99),
    ]
    assert found.catalogue["title"].to_list()[0] == "ICE - CRUSHED/CUBED"
    assert found.report.left_out == {"quantity 0": 1}


def test_dunnhumby_has_day_numbers_and_the_price_of_the_line(tmp_path, read, lines):
    folder = tmp_path / "journey"
    folder.mkdir()
    transactions = folder / "transaction_data.csv"
    transactions.write_text(
        "household_key,BASKET_ID,DAY,PRODUCT_ID,QUANTITY,SALES_VALUE,STORE_ID,RETAIL_DISC,TRANS_TIME,WEEK_NO,"
        "COUPON_DISC,COUPON_MATCH_DISC\n"
        "2375,26984851472,1,1004906,2,2.78,364,-0.60,1631,1,0.00,0.00\n"
        "2375,26984851516,8,1004906,1,1.39,364,0.00,1642,2,0.00,0.00\n"
        "2375,26984851516,8,5978648,0,0.00,364,0.00,1642,2,0.00,0.00\n"
    )
    (folder / "product.csv").write_text(
        "PRODUCT_ID,MANUFACTURER,DEPARTMENT,BRAND,COMMODITY_DESC,SUB_COMMODITY_DESC,CURR_SIZE_OF_PRODUCT\n"
        "1004906,69,PRODUCE,Private,POTATOES,POTATOES RUSSET (BULK&BAG),5 LB\n"
    )
    found = read(folder, "dunnhumby")
    assert lines(found, "customer_id", "ordered_at", "quantity", "unit_price") == [
        ("2375", datetime(2016, 1, 1, 16, 31, tzinfo=UTC), 2.0, 1.39),
        ("2375", datetime(2016, 1, 8, 16, 42, tzinfo=UTC), 1.0, 1.39),
    ]
    assert found.report.left_out == {"quantity 0": 1}
    assert found.catalogue["category"].to_list() == ["POTATOES"]
    assert len(lines(read(transactions, "dunnhumby"))) == 2
