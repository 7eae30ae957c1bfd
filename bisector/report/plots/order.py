"""Every compared run in the order they were made, so that drift can be seen."""

from bisector.report import numbers
from bisector.report.document import LinePart, MetricPart
from bisector.report.plots.figure import Drawing
from bisector.report.plots.marks import Mark, label, level, runs, thinned, value_axis
from bisector.report.plots.scales import Canvas, ValueScale
from bisector.report.plots.svg import element, joined, path

ABOVE, TALL, BELOW = 28.0, 190.0, 40.0


def draw_order(line: LinePart, metric: MetricPart, canvas: Canvas) -> Drawing:
    """The job's own runs of one line in their order."""
    points = [point for point in line.points if not point.adopted]
    bottom, right = ABOVE + TALL, canvas.width - canvas.right
    values = [*(point.value for point in points), *(part.value for part in line.levels)]
    y = ValueScale.of(values, bottom - 4, ABOVE)
    x = ValueScale(low=0.0, high=len(points) + 1.0, logarithmic=False, start=canvas.left, end=right)
    marks = [
        Mark(
            x=x.at(number),
            y=y.at(point.value),
            side=point.side,
            title=f"run {numbers.whole(number)}, at {numbers.seconds(point.clock)}: {metric.gauge.text(point.value)}",
        )
        for number, point in thinned(list(enumerate(points, start=1)))
    ]
    ticks = [value for value in numbers.ticks(1, max(len(points), 1), 8) if value == int(value) and value >= 1]
    body = (
        value_axis(y, canvas, metric.gauge),
        *(level(part, y, (canvas.left, right)) for part in line.levels),
        runs(marks, canvas),
        element("path", class_="axis", d=path([(canvas.left, bottom), (right, bottom)])),
        *(label(x.at(value), bottom + 18, numbers.whole(value), anchor="middle") for value in ticks),
        label(right, bottom + 34, "order of the runs", anchor="end"),
    )
    return Drawing(body=joined(body), height=bottom + BELOW)
