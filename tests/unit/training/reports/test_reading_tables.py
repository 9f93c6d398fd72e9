from training.reports.reading_tables import print_header, print_open, print_products, print_statuses


def test_every_meaning_of_a_cell_stands_beside_its_option(capsys):
    choices = {"--day-first": "4 May 2026", "--month-first": "5 April 2026"}
    print_open([{"code": "order", "column": "when", "cell": "04/05/2026", "choices": choices, "remedy": ""}])
    shown = capsys.readouterr().out
    assert [word for word in ("when", "04/05/2026", *choices, *choices.values()) if word not in shown] == []
    print_open([])
    assert capsys.readouterr().out == ""


def test_words_of_status_are_counted(capsys):
    print_statuses([{"value": "storniert", "rows": 1200, "meaning": "taken back"}])
    shown = capsys.readouterr().out
    assert [word for word in ("storniert", "1,200", "taken back", "--returned") if word not in shown] == []
    print_statuses([])
    assert capsys.readouterr().out == ""


def test_a_header_of_thousands_of_columns_is_cut(capsys):
    print_header({"p.csv": {f"c{n}": "x" * 5_000 for n in range(3_000)}})
    shown = capsys.readouterr().out
    assert "p.csv, 3,000 columns" in shown
    assert len(shown) < 10_000


def test_a_product_file_that_has_most_of_what_was_sold_is_not_mentioned(capsys):
    facts = {"products": 4, "from_file": 3, "never_sold": 1, "sold_but_not_in_file": 1}
    print_products(facts)
    assert capsys.readouterr().out == ""
    print_products({**facts, "sold_but_not_in_file": 2, "from_file": 2})
    assert "Only 1 of 3 sold products" in capsys.readouterr().out
