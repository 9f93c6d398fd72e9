from tests.unit.training.reports.test_evaluation_figures import LONG, QUICK
from training.reports.evaluation_charts import by_orders, calibration, comparison, headline, list_table, score_table
from training.reports.evaluation_figures import EvaluationFigures, figures_of


def test_without_figures_nothing_is_drawn():
    figures = EvaluationFigures()
    assert headline(figures) is None
    assert score_table(figures) is None
    assert list_table(figures) is None
    assert comparison(figures) == by_orders(figures) == calibration(figures) == []


def test_a_headline_names_the_best_baseline_and_the_lead():
    assert "held 20.0 %. The best baseline, “Own decayed + popular”, held 30.0 %." in headline(figures_of(QUICK))
    assert headline(figures_of(LONG)).endswith("; the lead is +0.230, between +0.150 and +0.310 at 95 %.")


def test_there_is_a_chart_for_what_there_are_figures_for():
    assert [chart.heading for chart in comparison(figures_of(QUICK))] == ["All that was bought: recall@10"]
    (orders,) = by_orders(figures_of(QUICK))
    assert orders.legend == (
        ("Reprise", "series-1"),
        ("Own decayed + popular", "series-2"),
        ("Best sellers", "series-3"),
    )
    assert "1 (40)" in orders.svg


def test_calibration_and_lists_are_those_of_the_last_window():
    (chart,) = calibration(figures_of(LONG))
    assert chart.heading == "Ranked lists, 30 days: error 0.0040 over 2,000 pairs"
    assert chart.svg.count("<circle") == 2
    assert list_table(figures_of(LONG)).rows == [("products that stand on any list", "50.0 %")]


def test_a_table_has_a_dash_where_there_is_no_figure():
    scores = {"reprise": {"recall@10": 0.2, "ndcg@10": 0.5}, "mine": {"recall@10": 0.1}}
    table = score_table(figures_of({**QUICK, "scores": scores}))
    assert table.columns == ("ranking", "recall@10", "NDCG@10")
    assert table.rows == [("Reprise", "0.200", "0.500"), ("mine", "0.100", "-")]
