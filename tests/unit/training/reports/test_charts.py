"""Pictures: what is written in them, where things stand, and that no text becomes markup."""

import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.reports.charts import Axis, Bar, Series, axis, bar_chart, number, percent, plot


def texts(svg: str) -> list[str]:
    return [text for element in ElementTree.fromstring(svg).iter() if (text := (element.text or "").strip())]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.1234, "0.123"), (1, "1.000"), (12.34, "12.3"), (12345.6, "12,346"), (float("nan"), "-"), (float("inf"), "-")],
)
def test_numbers(value, text):
    assert number(value) == text


def test_percentages():
    assert percent(0.4567) == "45.7 %"
    assert percent(float("nan")) == "-"


@pytest.mark.parametrize(
    ("high", "ticks"),
    [
        (1, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        (0.66, ["0.0", "0.2", "0.4", "0.6", "0.8"]),
        (0.012, ["0.000", "0.002", "0.004", "0.006", "0.008", "0.010", "0.012"]),
        (33, ["0", "10", "20", "30", "40"]),
        (4000, ["0", "1,000", "2,000", "3,000", "4,000"]),
        (0, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
    ],
)
def test_ticks_are_round(high, ticks):
    assert [text for _, text in axis("x", high).ticks] == ticks


@given(st.floats(min_value=1e-6, max_value=1e9))
def test_an_axis_reaches_what_it_must_in_a_few_even_steps(high):
    made = axis("x", high)
    places = [place for place, _ in made.ticks]
    assert places[0] == 0
    assert places[-1] == made.high >= high * (1 - 1e-9)
    assert 4 <= len(places) <= 9
    assert all(after > before for before, after in pairwise(places))


def test_bars_are_as_long_as_their_values():
    svg = bar_chart("Who found what", "recall", [Bar("ours", 0.4, "0.400", strong=True), Bar("theirs", 0.2, "0.200")])
    ours, theirs = (float(width) for width in re.findall(r'<rect[^>]* width="([\d.]+)"', svg))
    assert ours == pytest.approx(2 * theirs, abs=0.2)
    assert 'role="img"' in svg
    assert {"Who found what", "ours 0.400; theirs 0.200", "recall", "ours", "theirs", "0.200"} <= set(texts(svg))


def test_an_interval_is_drawn_and_told():
    svg = bar_chart("t", "x", [Bar("ours", 0.4, "0.400", (0.35, 0.48))])
    assert "ours: 0.400 (0.350 to 0.480)" in texts(svg)
    assert svg.count('class="whisker"') == 1


def test_no_bars_still_are_a_picture():
    assert "t" in texts(bar_chart("t", "x", []))


def test_a_long_label_is_cut_and_told_in_full():
    svg = bar_chart("t", "x", [Bar("a very long name of a step of the job", 1, "1")])
    assert "a very long name of a s…" in texts(svg)
    assert "a very long name of a step of the job: 1" in texts(svg)


def test_a_plot_places_its_points():
    x, y = Axis("days", 10, [(0, "0"), (10, "10")]), Axis("share", 1, [(0, "0"), (1, "1")])
    svg = plot("Line", x, y, [Series("ours", [(0, 0), (10, 1)], dots=True)], marks=[(5, "half")])
    (left, low), (right, high) = re.findall(r'<circle[^>]* cx="([\d.]+)" cy="([\d.]+)"', svg)
    assert float(left) < float(right)
    assert float(low) > float(high), "up is down in SVG"
    assert {"Line", "ours; half", "days", "share", "half", "ours: 10.0, 1.000"} <= set(texts(svg))


def test_a_series_without_points_draws_nothing():
    svg = plot("t", axis("x", 1), axis("y", 1), [Series("ours", [])])
    assert 'class="line' not in svg


@given(
    st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), min_size=1, max_size=20)
)
def test_every_text_is_escaped(text):
    text = f"</title><script>{text}"
    bars = bar_chart(text, text, [Bar(text, 1, text)])
    lines = plot(text, axis(text, 1), Axis(text, 1, [(0, text)]), [Series(text, [(0, 0)], dots=True)], [(0, text)])
    for svg in (bars, lines):
        assert "<script" not in svg
        assert ElementTree.fromstring(svg).tag == "svg"
