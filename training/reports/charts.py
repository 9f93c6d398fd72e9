"""Charts as inline SVG: drawn 340 units wide, so that text stays readable where the page is as narrow.

Colours are classes that the page's style gives a value, light and dark. Every text goes through `Markup.format`, which
escapes it. Coordinates are rounded to a tenth of a unit: the same figures give the same bytes.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count, takewhile

from markupsafe import Markup

_WIDTH = 340
_ROW = 24
_BAR = 14
_CHARACTER = 7.0
"""Width of an average character of the 12-unit text."""
_LONGEST_LABEL = 24
_VALUE_WIDTH = 48
_PLOT_HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 200, 44, 12, 10, 44

Point = tuple[float, float]


@dataclass(frozen=True)
class Bar:
    """A bar: its length, the figure written behind it, and a 95 % interval where there is one."""

    label: str
    value: float
    text: str
    interval: tuple[float, float] | None = None
    strong: bool = False
    """Drawn in the colour of the first series instead of grey."""


@dataclass(frozen=True)
class Axis:
    """An axis from 0 to `high`, with a text at each of `ticks`."""

    label: str
    high: float
    ticks: Sequence[tuple[float, str]]


@dataclass(frozen=True)
class Series:
    """A series of points as a line, with its look: a class of the page's style, dots, an area below it."""

    name: str
    points: Sequence[Point]
    look: str = "series-1"
    dots: bool = False
    area: bool = False


@dataclass(frozen=True)
class Chart:
    """A chart: picture, title, and the legend where there are several series."""

    heading: str
    svg: Markup
    legend: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Table:
    """A table of cells as text; the first cell of each row is its heading."""

    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]


def number(value: float) -> str:
    """A number in short: 12,345 · 12.3 · 0.123; a dash for NaN."""
    if not math.isfinite(value):
        return "-"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.3f}"


def percent(share: float) -> str:
    """A percentage such as `64.0 %`; a dash for NaN."""
    return f"{share:.1%}".replace("%", " %") if math.isfinite(share) else "-"


def axis(label: str, high: float) -> Axis:
    """An axis that reaches at least `high`, which is not below 0, with four to nine round ticks."""
    high = high or 1.0
    step = _round_step(high)
    last = next(i for i in count(1) if i * step >= high * (1 - 1e-9))
    digits = max(0, -math.floor(math.log10(step)))
    return Axis(label, last * step, [(i * step, f"{i * step:,.{digits}f}") for i in range(last + 1)])


def bar_chart(title: str, axis_label: str, bars: Sequence[Bar]) -> Markup:
    """A horizontal bar chart, in the order given.

    Args:
        title: what it shows; read out in place of the picture.
        axis_label: what the lengths measure, with the unit.
        bars: values at least 0; no bars give an empty frame.
    """
    left = 8 + _CHARACTER * max((len(_cut(bar.label)) for bar in bars), default=0)
    ends = [max(bar.value, *(bar.interval or ())) if bar.interval else bar.value for bar in bars]
    scale = axis(axis_label, max(ends, default=0))
    width, height = _WIDTH - left - _VALUE_WIDTH, _ROW * len(bars)
    grid = _join(
        Markup('<path class="rule" d="M{:.1f} 0V{}"/><text x="{:.1f}" y="{}" text-anchor="middle">{}</text>').format(
            left + width * at / scale.high, height, left + width * at / scale.high, height + 14, text
        )
        for at, text in _thin(scale.ticks, width)
    )
    rows = _join(_bar(bar, i * _ROW, left, width / scale.high) for i, bar in enumerate(bars))
    label = _axis_label(left + width / 2, height + 30, axis_label)
    words = "; ".join(f"{bar.label} {bar.text}" for bar in bars)
    return _svg(title, words, height + 36, grid + rows + label)


def plot(title: str, x: Axis, y: Axis, series: Sequence[Series], marks: Sequence[tuple[float, str]] = ()) -> Markup:
    """A line chart over two axes that start at 0.

    Args:
        title: what it shows; read out in place of the picture.
        x: the axis below.
        y: the axis on the left; without ticks the heights mean nothing by themselves.
        series: drawn in order; the page names them, see `Series.look`.
        marks: a text at the top of a dashed line at some x.
    """
    width, height = _WIDTH - _LEFT - _RIGHT, _PLOT_HEIGHT - _TOP - _BOTTOM

    def place(point: Point) -> Point:
        return _LEFT + width * point[0] / x.high, _TOP + height * (1 - min(point[1] / y.high, 1))

    parts = [
        *(_x_tick(place((at, 0)), text) for at, text in x.ticks),
        *(_y_tick(place((0, at)), text) for at, text in y.ticks),
        *(_draw(one, [place(point) for point in one.points], _TOP + height) for one in series),
        *(_mark(place((at, 0))[0], _TOP + height, text) for at, text in marks),
        _axis_label(_LEFT + width / 2, _PLOT_HEIGHT - 6, x.label),
        Markup('<text class="axis" transform="translate(11 {:.1f}) rotate(-90)" text-anchor="middle">{}</text>').format(
            _TOP + height / 2, y.label
        ),
    ]
    words = "; ".join([*(one.name for one in series), *(text for _, text in marks)])
    return _svg(title, words, _PLOT_HEIGHT, _join(parts))


def _svg(title: str, words: str, height: float, body: Markup) -> Markup:
    return Markup('<svg role="img" viewBox="0 0 {} {:.0f}"><title>{}</title><desc>{}</desc>\n{}</svg>').format(
        _WIDTH, height, title, words, body
    )


def _join(parts: Iterable[Markup]) -> Markup:
    return Markup("\n").join(parts) + Markup("\n")


def _bar(bar: Bar, top: float, left: float, scale: float) -> Markup:
    between = f" ({number(bar.interval[0])} to {number(bar.interval[1])})" if bar.interval else ""
    middle, end = top + _ROW / 2, left + scale * max([bar.value, *(bar.interval or ())])
    return Markup(
        '<g><title>{}: {}{}</title><text x="{:.1f}" y="{:.1f}" text-anchor="end">{}</text>'
        '<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{}"/>{}'
        '<text class="value" x="{:.1f}" y="{:.1f}">{}</text></g>'
    ).format(
        *(bar.label, bar.text, between, left - 6, middle + 4, _cut(bar.label)),
        *("series-1" if bar.strong else "plain", left, middle - _BAR / 2, scale * bar.value, _BAR),
        _whisker(bar.interval, middle, left, scale),
        *(end + 5, middle + 4, bar.text),
    )


def _whisker(interval: tuple[float, float] | None, middle: float, left: float, scale: float) -> Markup:
    if interval is None:
        return Markup("")
    low, high = (left + scale * end for end in interval)
    return Markup('<path class="whisker" d="M{:.1f} {:.1f}v8m0-4H{:.1f}m0-4v8"/>').format(low, middle - 4, high)


def _draw(series: Series, points: Sequence[Point], floor: float) -> Markup:
    if not points:
        return Markup("")
    path = "M" + "L".join(f"{across:.1f} {down:.1f}" for across, down in points)
    area = Markup("")
    if series.area:
        area = Markup('<path class="area {}" d="{}V{:.1f}H{:.1f}Z"/>').format(series.look, path, floor, points[0][0])
    dots = _join(
        Markup('<circle class="dot {}" cx="{:.1f}" cy="{:.1f}" r="3.5"><title>{}: {}, {}</title></circle>').format(
            series.look, *at, series.name, number(across), number(up)
        )
        for at, (across, up) in zip(points if series.dots else (), series.points, strict=False)
    )
    return area + Markup('<path class="line {}" d="{}"/>').format(series.look, path) + dots


def _x_tick(at: Point, text: str) -> Markup:
    return Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="middle">{}</text>').format(at[0], at[1] + 15, text)


def _y_tick(at: Point, text: str) -> Markup:
    return Markup(
        '<path class="rule" d="M{:.1f} {:.1f}H{}"/><text x="{:.1f}" y="{:.1f}" text-anchor="end">{}</text>'
    ).format(*at, _WIDTH - _RIGHT, at[0] - 5, at[1] + 4, text)


def _mark(across: float, floor: float, text: str) -> Markup:
    """The text stands on the side that has more room."""
    side, anchor = (5, "start") if across < _WIDTH * 0.6 else (-5, "end")
    return Markup(
        '<path class="mark" d="M{:.1f} {}V{:.1f}"/><text class="value" x="{:.1f}" y="{}" text-anchor="{}">{}</text>'
    ).format(across, _TOP, floor, across + side, _TOP + 11, anchor, text)


def _axis_label(across: float, down: float, text: str) -> Markup:
    return Markup('<text class="axis" x="{:.1f}" y="{:.1f}" text-anchor="middle">{}</text>').format(across, down, text)


def _cut(label: str) -> str:
    return label if len(label) <= _LONGEST_LABEL else f"{label[: _LONGEST_LABEL - 1]}…"


def _thin(ticks: Sequence[tuple[float, str]], width: float) -> Sequence[tuple[float, str]]:
    """Every tick, or every other one where they would touch."""
    needed = sum(_CHARACTER * len(text) + 8 for _, text in ticks)
    return ticks if needed <= width else ticks[::2]


def _round_step(high: float) -> float:
    """The largest of 1, 2 and 5 by a power of ten that divides [0, high] into at least three."""
    power: float = 10.0 ** (math.floor(math.log10(high)) - 1)
    steps = takewhile(lambda step: step * 3 <= high * (1 + 1e-9), (power * m for m in (1, 2, 5, 10, 20, 50)))
    return max(steps, default=power)
