"""The probability of each commit being the culprit, and of there being no change at all."""

from bisector.report import numbers
from bisector.report.document import LinePart, Row
from bisector.report.plots.figure import Drawing
from bisector.report.plots.marks import label
from bisector.report.plots.scales import Canvas, LineScale, ValueScale
from bisector.report.plots.svg import NOTHING, Svg, element, joined, path, title

ABOVE, TALL, BELOW = 26.0, 110.0, 30.0
WIDEST_BAR = 46.0
WORTH_A_LABEL = 0.05
MOST_LABELS = 6


def draw_chances(line: LinePart, canvas: Canvas) -> Drawing:
    """The chances along one line, beneath its runs and to the same scale."""
    return _Chances(line, canvas).drawing()


class _Chances:
    def __init__(self, line: LinePart, canvas: Canvas) -> None:
        self._line, self._canvas = line, canvas
        self._x = LineScale.of(line, canvas)
        top = max([line.no_change, *(self._height(row) for row in line.rows)])
        self._bottom = ABOVE + TALL
        self._y = ValueScale(
            low=0.0, high=1.0 if top > 0.5 else top * 1.15 or 1.0, logarithmic=False, start=self._bottom, end=ABOVE
        )

    def drawing(self) -> Drawing:
        canvas = self._canvas
        axis = element(
            "path", class_="axis", d=path([(canvas.left, self._bottom), (canvas.width - canvas.right, self._bottom)])
        )
        body = (self._rules(), self._none(), *(self._bar(row) for row in self._line.rows), axis, self._labels())
        return Drawing(body=joined(body), height=self._bottom + BELOW)

    def _height(self, row: Row) -> float:
        """To scale, a stretch is as high as each of its commits; else as all of them together."""
        chance = row.chance or 0.0
        return chance / row.size if self._x.to_scale else chance

    def _rules(self) -> Svg:
        parts = []
        for value in numbers.ticks(0.0, self._y.high, 3):
            y = self._y.at(value)
            right = self._canvas.width - self._canvas.right
            parts.append(element("path", class_="rule", d=path([(self._canvas.left, y), (right, y)])))
            parts.append(label(self._canvas.left - 8, y + 4, numbers.setting(round(value, 6)), anchor="end"))
        return joined(parts)

    def _none(self) -> Svg:
        """The bar of "no change", apart from the commits."""
        x, width = self._canvas.left + self._canvas.lead / 2, 12.0
        y = self._y.at(self._line.no_change)
        told = title(f"no change at all: {numbers.probability(self._line.no_change)}")
        bar = element(
            "rect", told, class_="bar none", x=x - width / 2, y=y, width=width, height=max(self._bottom - y, 0.8)
        )
        return joined((bar, label(x, self._bottom + 17, "no change", anchor="middle")))

    def _bar(self, row: Row) -> Svg:
        if row.chance is None:
            return NOTHING
        left, right = self._x.span(row.first, row.last)
        y, air = self._y.at(self._height(row)), 0.0
        if row.size == 1:
            air = max(min((right - left) * 0.12, 2.0), (right - left - WIDEST_BAR) / 2)
        where = numbers.span(row.first, row.last) + (" together" if row.size > 1 else "")
        told = title(f"{where}: {numbers.probability(row.chance)}")
        kind = "bar likely" if row.likely else "bar"
        return element(
            "rect",
            told,
            class_=kind,
            x=left + air,
            y=y,
            width=max(right - left - 2 * air, 0.6),
            height=max(self._bottom - y, 0.4),
        )

    def _labels(self) -> Svg:
        """The likeliest rows by name and chance, as far as there is room."""
        rows = sorted(
            (row for row in self._line.rows if (row.chance or 0.0) >= WORTH_A_LABEL), key=lambda row: -(row.chance or 0)
        )
        taken: list[tuple[float, float]] = []
        parts = []
        for row in rows[:MOST_LABELS]:
            text = numbers.probability(row.chance or 0.0)
            where = numbers.span(row.first, row.last, "–")
            half = max(self._canvas.fits(text), self._canvas.fits(where)) / 2 + 5
            left, right = self._x.span(row.first, row.last)
            x = min(max((left + right) / 2, self._canvas.left + half), self._canvas.width - half)
            if any(abs(x - other) < half + reach for other, reach in taken):
                continue
            taken.append((x, half))
            parts.append(label(x, self._y.at(self._height(row)) - 5, text, "strong halo", "middle"))
            parts.append(label(x, self._bottom + 17, where, anchor="middle"))
        return joined(parts)
