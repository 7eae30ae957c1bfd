"""The last weeks of a series in the size of a line of text."""

from collections.abc import Callable, Sequence

from bisector.core.model.units import Seconds
from bisector.core.watch.week import SHOWN, Trend
from bisector.report.document import Side
from bisector.report.numbers import date, percent
from bisector.report.plots.marks import shape
from bisector.report.plots.svg import Svg, element, joined, path, short, title, words

WIDTH, HEIGHT, MARGIN = 240.0, 56.0, 7.0
CALM = 4.0
"""A series that moves by less than so many times the smallest change worth naming is drawn as the calm one it is."""


def spark(identifier: str, trend: Trend, since: Seconds, until: Seconds) -> Svg:
    """Nights as distances from an accepted level, larger is up; this week is shaded, confirmed changes are upright."""
    shown = [(point.time, _height(trend, point.offset)) for point in trend.points]
    y = _scale([height for _, height in shown], trend)

    def x(time: Seconds) -> float:
        return MARGIN + (WIDTH - 2 * MARGIN) * min(max((time - (until - SHOWN)) / SHOWN, 0.0), 1.0)

    marked = [(x(time), y(height)) for time, height in shown]
    body = [
        element("rect", class_="gap", x=x(since), y=0, width=WIDTH - x(since), height=HEIGHT),
        *(_confirmed(x(each.time), worse=each.worse, job=each.job) for each in trend.confirmed),
    ]
    if marked:
        body.append(element("path", class_="rule", d=path([(x(shown[0][0]), y(shown[0][1])), (WIDTH, y(shown[0][1]))])))
        body.append(element("path", class_="level old", d=path(marked)))
        last = marked[-1]
        outline = f"M{short(last[0])} {short(last[1])}{shape(Side.NEW if trend.notable else Side.OLD, 3.2)}"
        body.append(element("path", class_=f"run {Side.NEW if trend.notable else Side.OLD}", d=outline))
    return element(
        "svg",
        element("title", words(_told(trend)), id=f"{identifier}-title"),
        joined(body),
        xmlns="http://www.w3.org/2000/svg",
        class_="plot spark",
        role="img",
        aria_labelledby=f"{identifier}-title",
        viewBox=f"0 0 {short(WIDTH)} {short(HEIGHT)}",
    )


def _height(trend: Trend, offset: float) -> float:
    """Larger values of the metric are up, whichever way is better: as on every other plot."""
    return offset if trend.chain.offset_of(0.5) > 0 else -offset


def _scale(heights: Sequence[float], trend: Trend) -> Callable[[float], float]:
    low, high = min(heights, default=0.0), max(heights, default=0.0)
    room = max(high - low, CALM * trend.chain.smallest)
    middle = (low + high) / 2

    def y(height: float) -> float:
        return HEIGHT / 2 - (height - middle) / room * (HEIGHT - 2 * MARGIN)

    return y


def _confirmed(x: float, *, worse: bool, job: str) -> Svg:
    told = title(f"{'regression' if worse else 'improvement'}: job {job}")
    return element("path", told, class_="culprit", d=path([(x, 0.0), (x, HEIGHT)]))


def _told(trend: Trend) -> str:
    if not trend.points:
        return "no night was measured"
    span = f"{date(int(trend.points[0].time))} to {date(int(trend.points[-1].time))}"
    moved = f", this week {percent(trend.moved, signed=True)}" if trend.moved is not None else ""
    return f"{len(trend.points)} nights, {span}{moved}"
