"""Where values and commits lie on a plot."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bisector.report import numbers
from bisector.report.document import LinePart, Row

WIDEST_RANGE = 20.0
"""Positive values that differ by more than this factor are drawn on a logarithmic axis."""
MOST_SLOTS = 160
"""Lines of up to so many commits are drawn to scale; longer ones by their rows, an untested stretch as one."""
LARGEST, DECADES = 1e300, 305.0
"""No float is far beyond these; what is, is drawn at the edge."""


@dataclass(frozen=True, kw_only=True)
class Canvas:
    """How large a plot is and what surrounds it, in its own units. `detail` names every run on hovering."""

    variant: str
    width: float
    height: float
    left: float
    right: float
    lead: float
    detail: bool

    @property
    def inner(self) -> float:
        """Width between the axes."""
        return self.width - self.left - self.right

    def fits(self, text: str) -> float:
        """About how wide `text` is."""
        return 6.4 * len(text)


WIDE = Canvas(variant="wide", width=960, height=320, left=58, right=10, lead=64, detail=True)
NARROW = Canvas(variant="narrow", width=380, height=280, left=46, right=6, lead=48, detail=False)


@dataclass(frozen=True, kw_only=True)
class ValueScale:
    """Values between `low` and `high`, linear or logarithmic, on a stretch of the page."""

    low: float
    high: float
    logarithmic: bool
    start: float
    end: float

    @classmethod
    def of(cls, values: Iterable[float], start: float, end: float) -> "ValueScale":
        """The scale that shows all of `values` with some air; `low` lies at `start`."""
        kept = [min(max(value, -LARGEST), LARGEST) for value in values if not math.isnan(value)] or [0.0, 1.0]
        low, high = min(kept), max(kept)
        if low > 0 and high / low > WIDEST_RANGE:
            bottom, top = math.log10(low), math.log10(high)
            air = 0.05 * (top - bottom)
            bottom, top = max(bottom - air, -DECADES), min(top + air, DECADES)
            return cls(low=10.0**bottom, high=10.0**top, logarithmic=True, start=start, end=end)
        air = 0.08 * (high - low) or 0.05 * abs(high) or 1.0
        return cls(low=low - air, high=high + air, logarithmic=False, start=start, end=end)

    def at(self, value: float) -> float:
        """Where `value` lies; what is beyond the scale lies at its end."""
        return self.start + self._share(min(max(value, self.low), self.high)) * (self.end - self.start)

    def ticks(self, gauge: numbers.Gauge, wanted: int = 5) -> list[tuple[float, str]]:
        """Round values with their labels in the unit of `gauge`."""
        values = self._decades() if self.logarithmic else numbers.ticks(self.low, self.high, wanted)
        if self.logarithmic and len(values) < 2:
            values = numbers.ticks(self.low, self.high, wanted)
        return list(zip(values, numbers.tick_labels(values, gauge), strict=True))

    def _share(self, value: float) -> float:
        if self.logarithmic:
            return (math.log(value) - math.log(self.low)) / (math.log(self.high) - math.log(self.low))
        # Halved first: the difference of two huge numbers of opposite sign is beyond what a float holds.
        return (value / 2 - self.low / 2) / ((self.high / 2 - self.low / 2) or 1.0)

    def _decades(self) -> list[float]:
        first, last = math.ceil(math.log10(self.low)), math.floor(math.log10(self.high))
        step = max(1, math.ceil((last - first + 1) / 6))
        decades = [10.0**power for power in range(first, last + 1, step)]
        if len(decades) > 2:
            return decades
        finer = [10.0**power * factor for power in range(first - 1, last + 1) for factor in (1, 2, 5)]
        return [value for value in finer if self.low <= value <= self.high]


@dataclass(frozen=True, kw_only=True)
class LineScale:
    """Where each index of a line lies from left to right: to scale, or, on a long line, row by row."""

    starts: Sequence[float]
    """Left edge of each slot, and last the right edge of the last one."""
    rows: tuple[Row, ...]
    to_scale: bool
    canvas: Canvas

    @classmethod
    def of(cls, line: LinePart, canvas: Canvas) -> "LineScale":
        """The scale of `line`."""
        to_scale = line.size <= MOST_SLOTS
        slots = line.size + 1 if to_scale else len(line.rows)
        first, room = canvas.left + canvas.lead, canvas.inner - 2 * canvas.lead
        starts = [first + room * slot / slots for slot in range(slots + 1)]
        return cls(starts=starts, rows=line.rows, to_scale=to_scale, canvas=canvas)

    @property
    def slot(self) -> float:
        """Width of one slot."""
        return self.starts[1] - self.starts[0]

    def span(self, first: int, last: int) -> tuple[float, float]:
        """Left and right edge of the stretch from index `first` to `last`."""
        return self.starts[self._slot(first)], self.starts[self._slot(last) + 1]

    def at(self, index: int) -> float:
        """The middle of an index."""
        left, right = self.span(index, index)
        return (left + right) / 2

    def _slot(self, index: int) -> int:
        if self.to_scale:
            return index
        low, high = 0, len(self.rows) - 1
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self.rows[middle].first <= index else (low, middle - 1)
        return low

    def ticks(self, marked: Sequence[int]) -> list[int]:
        """Indexes to label: those `marked`, then as many others as there is room for, evenly chosen."""
        others = (
            [round(value) for value in numbers.ticks(0, len(self.starts) - 2, 10)]
            if self.to_scale
            else [row.first for row in self.rows if row.size == 1]
        )
        shown: list[int] = []
        for index in (*marked, *others):
            width = self.canvas.fits(numbers.whole(index)) + 10
            if all(abs(self.at(index) - self.at(other)) >= width for other in shown):
                shown.append(index)
        return sorted(shown)
