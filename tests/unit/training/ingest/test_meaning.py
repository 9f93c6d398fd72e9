"""What rows of a shop's own file mean: returns, events, words for nothing, ids that a tool rewrote, sales of nobody."""

import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.cli.progress import Progress
from recommender.customer_salt import digest_of_customer, find_salt
from recommender.data_dir import DataDirectory
from recommender.errors import TooLittleDataError, TooManyBadRowsError, UnclearInputError
from recommender.reading import ReadingOptions
from recommender.settings import Settings
from training.ingest.ingest import PurchaseSource, ingest

AS_OF = datetime(2026, 11, 30, tzinfo=UTC)
COLUMNS = ("customer_id", "product_id", "ordered_at", "order_id", "quantity", "unit_price")
SIX = [
    ("7001", "TEA", "2026-09-13", "A1", "1", "4.50"),
    ("7001", "TEA", "2026-10-14", "A2", "1", "4.50"),
    ("7002", "MUG", "2026-09-20", "A3", "2", "9.00"),
    ("7002", "TEA", "2026-10-25", "A4", "1", "4.50"),
    ("7003", "TEA", "2026-10-28", "A5", "3", "4.50"),
    ("7003", "MUG", "2026-11-16", "A6", "1", "9.00"),
]


def read(folder, rows, *more, header=COLUMNS, **options):
    """Files of these rows, ingested."""
    files = []
    for number, lines in enumerate((rows, *more)):
        files.append(Path(folder, f"p{number}.csv"))
        text = "\n".join(",".join(line) for line in (header, *lines))
        files[-1].write_text(text + "\n")
    settings = Settings(home=Path(folder, "home"))
    return ingest(PurchaseSource(files, ReadingOptions(**options)), settings, AS_OF, Progress(show=False))


def bought(found):
    return sorted(found.ledger.select("customer_id", "product_id", "quantity").iter_rows())


def codes(found):
    return {note["code"]: note["rows"] for note in found.report.notes}


SIX_BOUGHT = sorted((row[0], row[1], float(row[4])) for row in SIX)


class TestReturns:
    def test_a_refunded_quantity_that_is_no_number_is_said(self, tmp_path):
        rows = [(*row, refunded) for row, refunded in zip(SIX, ["0", "1", "", "all", "0", "none"], strict=True)]
        found = read(tmp_path, rows, header=(*COLUMNS, "refunded_quantity"))
        assert codes(found)["refunded_unread"] == 1
        left = [row for row in SIX if row[3] != "A2"]
        assert bought(found) == sorted((row[0], row[1], float(row[4])) for row in left)

    def test_a_negative_price_is_a_return_and_no_further_purchase(self, tmp_path):
        back = [
            ("7003", "MUG", "2026-11-18", "A6-R", "1", "-9.00"),
            ("7002", "MUG", "2026-09-24", "A3-R", "2", "-9.00"),
        ]
        found = read(tmp_path, [*SIX, *back])
        assert len(found.ledger) == 4
        assert found.report.customers == 3
        assert (found.report.refunds["by_price"], found.report.refunds["purchases_gone"]) == (2, 2)

    def test_a_part_of_what_was_bought_can_come_back(self, tmp_path):
        found = read(tmp_path, [*SIX, ("7003", "TEA", "2026-11-01", "A5-R", "1", "-4.50")])
        assert ("7003", "TEA", 2.0) in bought(found)

    @pytest.mark.parametrize("price", ["-0.50", "-2.00"])
    def test_a_discount_on_a_product_takes_no_goods_back(self, tmp_path, price):
        found = read(tmp_path, [*SIX, ("7001", "TEA", "2026-10-14", "A2", "1", price)])
        assert bought(found) == SIX_BOUGHT
        assert (found.report.refunds["money_only"], found.report.refunds["by_price"]) == (1, 0)

    def test_a_discount_line_of_its_own_takes_nothing_back(self, tmp_path):
        found = read(tmp_path, [*SIX, ("7001", "DISCOUNT", "2026-10-14", "A2", "1", "-5.00")])
        assert bought(found) == SIX_BOUGHT

    def test_minus_times_minus_is_a_return(self, tmp_path):
        found = read(tmp_path, [*SIX, ("7003", "MUG", "2026-11-18", "A6-R", "-1", "-9.00")])
        assert ("7003", "MUG") not in {row[:2] for row in bought(found)}

    def test_of_quantity_0_nothing_is_left(self, tmp_path):
        found = read(
            tmp_path, [*SIX, *[("7001", "MUG", "2026-10-14", "A2", "0", price) for price in ("9.00", "-9.00")]]
        )
        assert bought(found) == SIX_BOUGHT
        assert found.report.left_out == {"quantity 0: nothing is left": 2}

    def test_a_file_whose_prices_are_negative_throughout_is_asked_about(self, tmp_path):
        with pytest.raises(UnclearInputError, match=r"6 of 6 rows have a negative price in column 'unit_price'; turn"):
            read(tmp_path, [(*row[:5], f"-{row[5]}") for row in SIX])

    def test_a_second_file_of_returns_is_netted(self, tmp_path):
        back = [(*row[:3], f"R-{row[3]}", row[4], f"-{row[5]}") for row in SIX[:2]]
        assert bought(read(tmp_path, SIX, back)) == SIX_BOUGHT[2:]

    def test_status_words_are_listed_with_what_was_taken_of_them(self, tmp_path):
        statuses = ["completed", "storniert", "Order Canceled", "teleported", "on-hold", "completed"]
        found = read(
            tmp_path, [(*row, word) for row, word in zip(SIX, statuses, strict=True)], header=(*COLUMNS, "status")
        )
        assert bought(found) == [("7001", "TEA", 1.0), ("7002", "TEA", 1.0), ("7003", "MUG", 1.0)]
        assert {(one["value"], one["rows"], one["meaning"]) for one in found.report.statuses} == {
            ("completed", 2, "kept"),
            ("storniert", 1, "taken back"),
            ("Order Canceled", 1, "taken back"),
            ("on-hold", 1, "taken back"),
            ("teleported", 1, "unknown"),
        }
        assert (codes(found)["status_taken_back"], codes(found)["status_unknown"]) == (3, 1)
        assert any("'teleported' (1); --returned" in note["text"] for note in found.report.notes)

    def test_more_status_words_can_be_named(self, tmp_path):
        rows = [(*row, word) for row, word in zip(SIX, ["Teleported", *["completed"] * 5], strict=True)]
        assert len(read(tmp_path, rows, header=(*COLUMNS, "status"), returned=("teleported",)).ledger) == 5

    @given(
        st.lists(st.sampled_from(["quantity", "price", "both", "status", "refunded"]), min_size=6, max_size=6),
        st.data(),
    )
    def test_however_a_return_is_written_the_ledger_is_the_same(self, ways, data):
        returned = data.draw(st.sets(st.integers(0, 5), max_size=4))
        rows = []
        for number, row in enumerate(SIX):
            rows.append((*row, "paid", ""))
            if number in returned:
                customer, product, day, order, quantity, price = row
                rows += {
                    "quantity": [(customer, product, day, f"{order}-R", f"-{quantity}", price, "", "")],
                    "price": [(customer, product, day, f"{order}-R", quantity, f"-{price}", "", "")],
                    "both": [(customer, product, day, f"{order}-R", f"-{quantity}", f"-{price}", "", "")],
                    "status": [(customer, product, day, order, quantity, price, "storniert", "")],
                    "refunded": [],
                }[ways[number]]
                if ways[number] == "refunded":
                    rows[-1] = (*row, "paid", quantity)
        with tempfile.TemporaryDirectory() as folder:
            header = (*COLUMNS, "status", "refunded_quantity")
            left = sorted(SIX[number][3] for number in range(6) if number not in returned)
            assert sorted(read(folder, rows, header=header).ledger["order_id"]) == left

    @pytest.mark.parametrize("name", ["Amount", "Line Total", "Betrag (brutto)", "Gesamtpreis", "Сумма", "مبلغ"])
    def test_a_negative_amount_that_is_not_read_is_said_with_the_remedy(self, tmp_path, name):
        header = (*COLUMNS[:5], name)
        rows = [*SIX, ("7003", "MUG", "2026-11-18", "A6-R", "1", "-9.00"), (*SIX[0][:4], "-1", "-4.50")]
        found = read(tmp_path, rows, header=header)
        assert codes(found) == {"amount_not_used": 1}
        assert found.report.notes[0]["text"].endswith(f"--columns unit_price={name!r}")
        assert len(read(tmp_path, rows, header=header, columns={"unit_price": name}).ledger) == 4


class TestEventLogs:
    def log(self, *, refunds=False):
        rows = []
        for customer, product, day, order, *_ in SIX:
            rows += [(customer, product, day, "", kind) for kind in ("view", "addtocart", "view")]
            rows.append((customer, product, day, order, "transaction"))
        if refunds:
            rows.append(("7003", "MUG", "2026-11-20", "A6", "refund"))
        return rows

    def test_views_are_no_purchases(self, tmp_path):
        header = (*COLUMNS[:4], "whatever")
        with pytest.raises(UnclearInputError, match=r"--purchases-where 'whatever=transaction'"):
            read(tmp_path, self.log(), header=header)
        found = read(tmp_path, self.log(), header=header, purchases_where="whatever=transaction")
        assert (len(found.ledger), found.report.orders) == (6, 6)
        assert found.report.left_out == {"not whatever=transaction": 18}

    def test_nor_are_they_in_a_column_of_status(self, tmp_path):
        header = (*COLUMNS[:4], "status")
        with pytest.raises(UnclearInputError, match=r"column 'status': .*--purchases-where 'status=transaction'"):
            read(tmp_path, self.log(), header=header)
        assert len(read(tmp_path, self.log(), header=header, purchases_where="status=transaction").ledger) == 6

    def test_refunds_of_a_log_are_netted_by_the_options_that_are_proposed(self, tmp_path):
        found = read(
            tmp_path,
            self.log(refunds=True),
            header=(*COLUMNS[:4], "event"),
            purchases_where="event=transaction|refund",
            columns={"status": "event"},
        )
        assert [row[:2] for row in bought(found)] == [row[:2] for row in SIX_BOUGHT if row[:2] != ("7003", "MUG")]

    @given(
        st.sampled_from(["event", "Event Type", "behavior", "status", "kind_of_row"]),
        st.sampled_from([("view", "cart", "purchase"), ("PageView", "AddToCart", "Purchase"), ("pv", "fav", "buy")]),
        st.lists(st.sampled_from([0, 1]), max_size=12),
    )
    def test_however_a_log_is_written_it_is_asked_for_and_then_read(self, name, words, others):
        rows = [(*row, words[2]) for row in SIX] + [(*SIX[n % 6], words[kind]) for n, kind in enumerate([0, *others])]
        with tempfile.TemporaryDirectory() as folder:
            with pytest.raises(UnclearInputError, match=f"--purchases-where '{name}={words[2]}'"):
                read(folder, rows, header=(*COLUMNS, name))
            found = read(folder, rows, header=(*COLUMNS, name), purchases_where=f"{name}={words[2]}")
            assert bought(found) == SIX_BOUGHT
            assert found.report.left_out == {f"not {name}={words[2]}": len(rows) - 6}

    def test_a_value_that_never_comes_leaves_nothing_and_says_so(self, tmp_path):
        with pytest.raises(TooLittleDataError, match=r"24 left out \(not event=sold: 24\)"):
            read(tmp_path, self.log(), header=(*COLUMNS[:4], "event"), purchases_where="event=sold")


class TestNobody:
    def test_sales_without_a_customer_are_normal_and_counted(self, tmp_path):
        rows = [("", *row[1:]) if number in (0, 4) else row for number, row in enumerate(SIX)]
        found = read(tmp_path, rows)
        assert len(found.ledger) == 4
        assert found.report.left_out == {"no customer (anonymous sale)": 2}
        assert (found.report.quarantined, found.report.without_customer) == ({}, 2)

    def test_so_are_guests_by_any_word(self, tmp_path):
        guests = [(word, *row[1:]) for word, row in zip(("guest", "0", "(not set)"), SIX, strict=False)]
        found = read(tmp_path, [*SIX, *guests])
        assert bought(found) == SIX_BOUGHT
        assert codes(found) == {"nothing": 3}

    def test_where_most_sales_are_of_nobody_one_question_is_asked(self, tmp_path):
        rows = [("", *row[1:]) for row in SIX[:4]] + SIX[4:]
        with pytest.raises(
            UnclearInputError, match=r"4 of 6 rows are \(--anonymous-share 0\.67\), or the wrong column"
        ):
            read(tmp_path, rows)
        assert len(read(tmp_path, rows, anonymous_share=0.67).ledger) == 2

    def test_a_row_without_customer_and_product_is_bad(self, tmp_path):
        with pytest.raises(TooManyBadRowsError, match=r"no customer_id \(1\)"):
            read(tmp_path, [*SIX, ("", "", "2026-09-13", "A9", "1", "1")])

    def test_a_product_that_says_that_there_is_none_is_left_out(self, tmp_path):
        found = read(tmp_path, [*SIX, ("7001", "(not set)", "2026-09-13", "A1", "1", "1")])
        assert found.report.left_out == {"product_id is a word for nothing": 1}

    def test_orders_by_a_word_for_nothing_are_those_of_a_day(self, tmp_path):
        found = read(tmp_path, [(*row[:3], "(not set)", *row[4:]) for row in SIX])
        assert found.report.orders == 6
        assert set(found.ledger["order_id"]) == {f"{row[0]}@{row[2]}" for row in SIX}

    @given(st.data())
    def test_whatever_word_stands_for_nobody_the_ledger_is_the_same(self, data):
        words = st.sampled_from(
            ["", "guest", "GUEST", "N/A", "0", "null", "(not set)", "undefined", "-", "None", "NaN"]
        )
        extra = [(data.draw(words), *row[1:]) for row in SIX[: data.draw(st.integers(0, 6))]]
        with tempfile.TemporaryDirectory() as folder:
            assert bought(read(folder, [*SIX, *extra])) == SIX_BOUGHT


class TestRewrittenIds:
    @pytest.mark.parametrize("form", ["{}.0", "'{}", "'{}'", '"=""{}"""'])
    def test_a_tool_may_have_rewritten_the_ids_of_one_file(self, tmp_path, form):
        found = read(tmp_path, [(form.format(row[0]), *row[1:]) for row in SIX[:3]], SIX[3:])
        assert bought(found) == SIX_BOUGHT
        assert sum(rows for rows in codes(found).values()) == 3

    @pytest.mark.parametrize("id_", ["9.23E+11", "9,23E+11", "9.23e+11", "1E+12", "9.2300000001E11"])
    def test_scientific_notation_is_refused(self, tmp_path, id_):
        rows = [(f'"{id_}"', *row[1:]) for row in SIX]
        with pytest.raises(TooManyBadRowsError, match=r"6 of 6 rows are bad .*format the column as text and export it"):
            read(tmp_path, rows)

    @pytest.mark.parametrize("id_", ["1E5", "5E10", "E11", "9.23E", "1e3a"])
    def test_what_only_looks_like_it_is_an_id(self, tmp_path, id_):
        assert id_ in set(read(tmp_path, [*SIX, (id_, *SIX[0][1:])]).ledger["customer_id"])

    @pytest.mark.parametrize(("one", "other"), [("00123", "123"), ("Ann", "ann")])
    def test_ids_that_look_alike_stay_apart_and_are_named(self, tmp_path, one, other):
        found = read(tmp_path, [(one, *SIX[0][1:]), *SIX[3:]], [(other, *SIX[1][1:])])
        assert {one, other} <= set(found.ledger["customer_id"])
        (note,) = [note for note in found.report.notes if note["code"] == "alike_ids"]
        assert repr(one) in note["text"]
        assert repr(other) in note["text"]
        (kept,) = [note for note in found.report.summary()["notes"] if note["code"] == "alike_ids"]
        assert kept["text"] == ""

    @given(st.data())
    def test_however_an_id_is_guarded_the_ledger_is_the_same(self, data):
        forms = st.sampled_from(["{}", "{}.0", "'{}", '"=""{}"""', " {} "])
        rows = [(data.draw(forms).format(row[0]), *row[1:]) for row in SIX]
        with tempfile.TemporaryDirectory() as folder:
            assert bought(read(folder, rows)) == SIX_BOUGHT


class TestColumns:
    def test_a_customer_is_the_first_filled_of_several_columns(self, tmp_path):
        rows = [
            (f"c{row[0]}@shop.example" if i % 2 else "", f"+44794607{row[0]}", *row[1:]) for i, row in enumerate(SIX)
        ]
        columns = ("Email", "Phone", *COLUMNS[1:])
        path = tmp_path / "p.csv"
        path.write_text("\n".join(",".join(line) for line in (columns, *rows)))
        options = ReadingOptions(columns={"customer_id": "Email|Phone"})
        found = ingest(PurchaseSource([path], options), Settings(home=tmp_path), AS_OF, Progress(show=False))
        assert (len(found.ledger), found.report.customers) == (6, 6)
        assert found.report.columns["customer_id"] == "Email|Phone"
        assert found.report.columns_unused == []
        assert "personal_ids" in codes(found)


class TestNoProducts:
    def test_lines_are_left_out_by_id_or_title(self, tmp_path):
        rows = [(*row, "Tea") for row in SIX] + [("7001", "X1", "2026-10-14", "A2", "1", "5", "Tip")]
        header = (*COLUMNS, "title")
        assert len(read(tmp_path, rows, header=header).ledger) == 7
        for named in ("tip", "X1"):
            found = read(tmp_path, rows, header=header, not_products=(named,))
            assert bought(found) == SIX_BOUGHT
            assert found.report.left_out == {"no product (--not-products)": 1}

    @pytest.mark.parametrize(
        "title", ["Tip", "Versand", "Gift card", "доставка", "Standard Shipping", "Subtotal", "Итого"]
    )
    def test_a_title_of_a_charge_is_pointed_out(self, tmp_path, title):
        rows = [(*row, "Tea") for row in SIX] + [("7001", "X1", "2026-10-14", "A2", "1", "5", title)]
        assert codes(read(tmp_path, rows, header=(*COLUMNS, "title"))) == {"no_product": 1}

    @pytest.mark.parametrize(
        "title", ["Ship in a bottle", "Total yoghurt", "Tipp-Ex", "Shipping container model kit", "Tea"]
    )
    def test_other_titles_are_not(self, tmp_path, title):
        rows = [(*row, "Tea") for row in SIX] + [("7001", "X1", "2026-10-14", "A2", "1", "5", title)]
        assert codes(read(tmp_path, rows, header=(*COLUMNS, "title"))) == {}

    def test_what_stands_on_nearly_every_order_is_pointed_out(self, tmp_path):
        rows = [(f"c{n % 9}", f"P{n % 7}", "2026-10-14", f"O{n}", "1", "5") for n in range(30)]
        found = read(tmp_path, [*rows, *[(row[0], "PROTECT", *row[2:]) for row in rows[:25]]])
        assert codes(found) == {"on_every_order": 25}


def test_an_order_that_holds_half_a_shop_is_named(tmp_path):
    rows = [(f"c{n % 9}", f"P{n % 7}", "2026-10-14", "X" if n % 2 else f"O{n}", "1", "5") for n in range(60)]
    found = read(tmp_path, rows)
    assert codes(found) == {"large_order": 30}
    assert "order_id 'X' stands on 30 lines of 9 customers, 50% of all" in found.report.notes[0]["text"]


class TestHashedCustomers:
    def test_digests_stand_for_ids_everywhere(self, tmp_path):
        rows = [(f"c{row[0]}@shop.example", *row[1:3], "", *row[4:]) for row in SIX]
        broken = [("c7009@shop.example", "", "2026-09-13", "", "1", "1")]
        found = read(tmp_path, [*rows * 20, *broken], hash_customers=True)
        home = DataDirectory(tmp_path / "home")
        salt = find_salt(home)
        assert set(found.ledger["customer_id"]) == {digest_of_customer(row[0], salt) for row in rows}
        assert not any("@shop.example" in path.read_text() for path in home.root.rglob("*") if path.is_file())
        assert "@shop" not in "".join(found.ledger["order_id"])
        again = read(tmp_path, [*rows * 20, *broken], hash_customers=True)
        assert again.ledger.equals(found.ledger)

    def test_without_the_option_no_salt_is_made(self, tmp_path):
        read(tmp_path, SIX)
        assert find_salt(DataDirectory(tmp_path / "home")) is None


def test_an_order_in_one_row_with_its_products_in_one_cell_is_said(tmp_path):
    rows = [*SIX, ("7001", "TEA|MUG", "2026-11-02", "A7", "1", "13.50")]
    assert codes(read(tmp_path, rows))["several_products"] == 1


@pytest.mark.parametrize("name", ["currency", "Währung", "presentment_currency", "валюта"])
def test_prices_in_several_currencies_that_another_column_names_are_said(tmp_path, name):
    rows = [(*row, "JPY" if row[1] == "MUG" else "EUR") for row in SIX]
    assert "currency_not_used" in codes(read(tmp_path, rows, header=(*COLUMNS, name)))


@pytest.mark.parametrize(("name", "cells"), [("currency", ["EUR"]), ("colour", ["EUR", "JPY"]), ("currency", ["1.1"])])
def test_other_columns_name_no_several_currencies(tmp_path, name, cells):
    rows = [(*row, cells[number % len(cells)]) for number, row in enumerate(SIX)]
    assert "currency_not_used" not in codes(read(tmp_path, rows, header=(*COLUMNS, name)))
