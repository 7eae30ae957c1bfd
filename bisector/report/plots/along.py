"""Every compared run along the commits, with both levels and the culprit between them."""

from bisector.report import numbers
from bisector.report.document import LevelPart, LinePart, MetricPart, Point, RowState, Side
from bisector.report.plots.figure import Drawing
from bisector.report.plots.marks import (
    Key,
    Mark,
    hatch_key,
    hatching,
    jitter,
    label,
    legend,
    level,
    level_key,
    runs,
    side_key,
    thinned,
    value_axis,
)
from bisector.report.plots.scales import Canvas, LineScale, ValueScale
from bisector.report.plots.svg import NOTHING, Svg, element, joined, path, title

ENDS = {
    "good": "good",
    "bad": "bad",
    "start of the line": "start",
    "the merge's first parent": "parent",
    "the merge itself": "merge",
}
"""Roles that are written below a commit, and how."""
BELOW = 46.0
"""Room for the labels of the commits."""


def draw_along(line: LinePart, metric: MetricPart, canvas: Canvas) -> Drawing:
    """The runs of one line."""
    return _Along(line, metric, canvas).drawing()


class _Along:
    def __init__(self, line: LinePart, metric: MetricPart, canvas: Canvas) -> None:
        self._line, self._metric, self._canvas = line, metric, canvas
        self._hatch = f"hatch-{line.name}-{canvas.variant}"
        self._legend, above = legend(self._keys(), canvas, 2)
        self._top, self._bottom = above + 34, above + 34 + canvas.height - BELOW
        values = [*(point.value for point in line.points), *(part.value for part in line.levels)]
        self._y = ValueScale.of(values, self._bottom - 14, self._top)
        self._x = LineScale.of(line, canvas)

    def drawing(self) -> Drawing:
        canvas = self._canvas
        frame = element(
            "path", class_="axis", d=path([(canvas.left, self._bottom), (canvas.width - canvas.right, self._bottom)])
        )
        body = (
            element("defs", hatching(self._hatch)),
            self._legend,
            value_axis(self._y, canvas, self._metric.gauge),
            self._gaps(),
            self._untestable(),
            self._answer(),
            *(self._level(part) for part in self._line.levels),
            runs(self._marks(), canvas),
            frame,
            self._commits(),
        )
        return Drawing(body=joined(body), height=self._bottom + BELOW)

    def _keys(self) -> list[Key]:
        sides = {point.side for point in self._line.points}
        levels = {part.side for part in self._line.levels}
        changed = self._line.changed
        names = {
            Side.OLD: "before the change" if changed else "good",
            Side.NEW: "after it" if changed else "bad",
            Side.UNSURE: "not sure" if changed else "in between",
        }
        keys = [side_key(side, names[side]) for side in Side if side in sides]
        level_names = {Side.OLD: "old level", Side.NEW: "new level", Side.UNSURE: "common level"}
        keys += [level_key(side, level_names[side]) for side in Side if side in levels]
        if any(row.state is RowState.UNTESTABLE for row in self._line.rows):
            keys.append(hatch_key(self._hatch, "cannot be tested"))
        return keys

    def _marks(self) -> list[Mark]:
        reach = min(self._x.slot * 0.32, 7.0)
        return [
            Mark(
                x=self._at(point) + jitter(point.order, reach),
                y=self._y.at(point.value),
                side=point.side,
                title=self._told(point),
            )
            for point in thinned(self._line.points)
        ]

    def _at(self, point: Point) -> float:
        return self._canvas.left + self._canvas.lead / 2 if point.index is None else self._x.at(point.index)

    def _told(self, point: Point) -> str:
        where = "good itself" if point.index is None else f"{self._line.name} {numbers.whole(point.index)}"
        taken = "taken over" if point.adopted else point.purpose.value
        return f"{where}: {self._metric.gauge.text(point.value)} ({taken}, run {numbers.whole(point.order)})"

    def _level(self, part: LevelPart) -> Svg:
        left, right = self._x.span(part.first, part.last)
        y = self._y.at(part.value) - 6
        value = self._metric.gauge.bare(part.value)
        if part.side is Side.NEW:
            written = label(self._canvas.width - self._canvas.right - 2, y, value, "strong halo", "end")
            right = self._canvas.width - self._canvas.right
        else:
            written = label(self._canvas.left + 4, y, value, "strong halo")
            left = self._canvas.left
            right = right if part.side is Side.OLD else self._canvas.width - self._canvas.right
        return joined((level(part, self._y, (left, right)), written))

    def _gaps(self) -> Svg:
        """On a line that is not to scale: the stretches that are drawn as one slot."""
        if self._x.to_scale:
            return NOTHING
        found = []
        for row in self._line.rows:
            if row.size > 1:
                left, right = self._x.span(row.first, row.last)
                told = title(f"{numbers.span(row.first, row.last)}: {numbers.count(row.size, 'commit')}, not tested")
                found.append(
                    element(
                        "rect",
                        told,
                        class_="gap",
                        x=left,
                        y=self._top,
                        width=right - left,
                        height=self._bottom - self._top,
                    )
                )
        return joined(found)

    def _untestable(self) -> Svg:
        found = []
        for row in self._line.rows:
            if row.state is RowState.UNTESTABLE:
                left, right = self._x.span(row.first, row.last)
                told = title(f"{numbers.whole(row.first)} cannot be tested")
                found.append(
                    element(
                        "rect",
                        told,
                        x=left,
                        y=self._bottom - 11,
                        width=max(right - left, 2),
                        height=11,
                        fill=f"url(#{self._hatch})",
                    )
                )
        return joined(found)

    def _answer(self) -> Svg:
        """The culprit, or the stretch that holds it."""
        found = []
        if self._line.band is not None:
            left, right = self._x.span(*self._line.band)
            found.append(
                element("rect", class_="band", x=left, y=self._top, width=right - left, height=self._bottom - self._top)
            )
            alone = self._line.band[0] == self._line.band[1]
            found.append(self._flag((left + right) / 2, "likely here" if alone else "one of these"))
        for index in self._line.culprits:
            x = self._x.at(index)
            found.append(element("path", class_="culprit", d=path([(x, self._top - 8), (x, self._bottom)])))
            found.append(self._flag(x, f"culprit {numbers.whole(index)}"))
        return joined(found)

    def _flag(self, x: float, text: str) -> Svg:
        half = self._canvas.fits(text) / 2
        middle = min(max(x, self._canvas.left + half), self._canvas.width - half - 2)
        pointer = element("path", class_="flag", d=f"M{x:.1f} {self._top - 3:.1f}l-5-8h10z")
        return joined((pointer, label(middle, self._top - 15, text, "strong halo", "middle")))

    def _commits(self) -> Svg:
        """Index labels, and which of them the ends are."""
        line, parts = self._line, []
        for index in self._x.ticks((*line.culprits, line.low, line.high)):
            x = self._x.at(index)
            parts.append(element("path", class_="axis", d=path([(x, self._bottom), (x, self._bottom + 5)])))
            parts.append(label(x, self._bottom + 18, numbers.whole(index), anchor="middle"))
        names = [(row.first, name) for row in line.rows for role, name in ENDS.items() if role in row.role.split(", ")]
        parts += [label(self._x.at(index), self._bottom + 34, name, "strong", "middle") for index, name in names]
        if any(point.index is None for point in line.points):
            parts.append(
                label(self._canvas.left + self._canvas.lead / 2, self._bottom + 34, "good", "strong", "middle")
            )
        return joined(parts)
