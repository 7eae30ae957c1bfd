"""The runs of both ends beside each other, with their medians and the middle half of each."""

from statistics import quantiles

from bisector.report.document import EndPart, EndsPart, MetricPart, Side
from bisector.report.plots.figure import Drawing
from bisector.report.plots.marks import Mark, jitter, label, runs, thinned
from bisector.report.plots.scales import Canvas, ValueScale
from bisector.report.plots.svg import NOTHING, Svg, element, joined, path

STRIP, ABOVE, BELOW = 66.0, 14.0, 40.0
FEWEST_FOR_A_BOX = 5


def draw_strips(ends: EndsPart, metric: MetricPart, canvas: Canvas, names: tuple[str, str]) -> Drawing:
    """One strip an end, called by `names`."""
    strips: list[tuple[str, EndPart, Side]] = [(names[0], ends.good, Side.OLD), (names[1], ends.bad, Side.NEW)]
    if ends.aside is not None:
        strips[:1] = [("good", ends.aside, Side.OLD), ("start", ends.good, Side.OLD)]
    bottom = ABOVE + STRIP * len(strips)
    values = [value for _, end, _ in strips for value in end.values]
    x = ValueScale.of(values, canvas.left + 6, canvas.width - canvas.right - 4)
    body = [_axis(x, canvas, metric, bottom)]
    for number, (name, end, side) in enumerate(strips):
        middle = ABOVE + STRIP * (number + 0.5)
        body.append(label(canvas.left - 8, middle + 4, name, "strong", "end"))
        body.append(_box(end, x, middle))
        body.append(runs(_marks(end, side, x, middle, metric), canvas))
        body.append(_median(end, x, middle, metric))
    return Drawing(body=joined(body), height=bottom + BELOW)


def _marks(end: EndPart, side: Side, x: ValueScale, middle: float, metric: MetricPart) -> list[Mark]:
    shown = thinned(list(enumerate(end.values, start=1)))
    return [
        Mark(x=x.at(value), y=middle + jitter(number, 9), side=side, title=metric.gauge.text(value))
        for number, value in shown
    ]


def _box(end: EndPart, x: ValueScale, middle: float) -> Svg:
    """The middle half of the runs, where there are enough to speak of one."""
    if end.runs < FEWEST_FOR_A_BOX:
        return NOTHING
    low, _, high = quantiles(end.values, n=4, method="inclusive")
    left, right = x.at(low), x.at(high)
    return element("rect", class_="band", x=left, y=middle - 15, width=max(right - left, 1), height=30)


def _median(end: EndPart, x: ValueScale, middle: float, metric: MetricPart) -> Svg:
    if end.median is None:
        return NOTHING
    at = x.at(end.median)
    line = element("path", class_="median", d=path([(at, middle - 18), (at, middle + 18)]))
    return joined((line, label(at, middle - 21, metric.gauge.bare(end.median), "strong halo", "middle")))


def _axis(x: ValueScale, canvas: Canvas, metric: MetricPart, bottom: float) -> Svg:
    parts = [element("path", class_="axis", d=path([(canvas.left, bottom), (canvas.width - canvas.right, bottom)]))]
    for value, written in x.ticks(metric.gauge, 7 if canvas.detail else 4):
        parts.append(element("path", class_="rule", d=path([(x.at(value), ABOVE), (x.at(value), bottom)])))
        parts.append(label(x.at(value), bottom + 17, written, anchor="middle"))
    parts.append(label(canvas.width - canvas.right, bottom + 34, metric.gauge.unit, anchor="end"))
    return joined(parts)
