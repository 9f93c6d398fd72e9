"""Charts as SVG, drawn on the server: looks are classes of the style sheet, and the table beside says the same."""

from collections.abc import Sequence

from markupsafe import Markup

_WIDTH, _HEIGHT = 720, 220
_LEFT, _BOTTOM, _TOP = 8, 24, 12
_SVG = Markup(
    '<svg viewBox="0 0 {} {}" role="img" aria-label="{}" xmlns="http://www.w3.org/2000/svg" direction="ltr">{}</svg>'
)


def columns(values: Sequence[float | None], labels: Sequence[str], tells: str) -> Markup:
    """One column a value, with every so many-th label below. `tells` is what a screen reader says."""
    if not values:
        return Markup("")
    top = max((value or 0.0 for value in values), default=0.0) or 1.0
    step = (_WIDTH - 2 * _LEFT) / len(values)
    every = -(-len(values) // 10)
    parts = [_axis()]
    for place, value in enumerate(values):
        height = (_HEIGHT - _BOTTOM - _TOP) * (value or 0.0) / top
        x, y = _LEFT + place * step, _HEIGHT - _BOTTOM - height
        parts.append(
            Markup('<rect class="bar" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>').format(
                x + step * 0.1, y, step * 0.8, height
            )
        )
        if place % every == 0:
            parts.append(_label(x + step / 2, labels[place]))
    return _SVG.format(_WIDTH, _HEIGHT, tells, Markup("").join(parts))


def lines(
    series: Sequence[Sequence[float | None]], labels: Sequence[str], tells: str, band: Sequence[Sequence[float]] = ()
) -> Markup:
    """Lines over the same places, from 0 up, the first of them strong; a `band` has its lower and its upper edge."""
    known = [value for one in (*series, *band) for value in one if value is not None]
    if not known:
        return Markup("")
    low, high = min(0.0, *known), max(0.0, *known)
    n = max(len(one) for one in series)
    every = -(-n // 10)

    def point(place: int, value: float) -> str:
        x = _LEFT + (_WIDTH - 2 * _LEFT) * (place + 0.5) / n
        y = _TOP + (_HEIGHT - _BOTTOM - _TOP) * (high - value) / ((high - low) or 1.0)
        return f"{x:.1f},{y:.1f}"

    parts = [_axis()]
    if band:
        edge = [point(i, v) for i, v in enumerate(band[1])] + [point(i, v) for i, v in enumerate(band[0])][::-1]
        parts.append(Markup('<polygon class="band" points="{}"/>').format(" ".join(edge)))
    for number, one in enumerate(series):
        points = " ".join(point(place, value) for place, value in enumerate(one) if value is not None)
        parts.append(Markup('<polyline class="line s{}" points="{}"/>').format(number, points))
    parts += [_label(float(point(i, 0.0).split(",")[0]), labels[i]) for i in range(0, n, every)]
    return _SVG.format(_WIDTH, _HEIGHT, tells, Markup("").join(parts))


def _axis() -> Markup:
    y = _HEIGHT - _BOTTOM
    return Markup('<line class="axis" x1="{}" y1="{}" x2="{}" y2="{}"/>').format(_LEFT, y, _WIDTH - _LEFT, y)


def _label(x: float, text: str) -> Markup:
    return Markup('<text x="{:.1f}" y="{}" text-anchor="middle">{}</text>').format(x, _HEIGHT - 6, text)
