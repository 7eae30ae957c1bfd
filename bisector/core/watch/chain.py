"""A series over changes of its accepted level: nights as distances from one level, though each was measured beside its
own.

A night tells how far the tip lies from the commit whose level was accepted then, free of the host's drift. When another
commit is accepted, what its level lies above the former one is added from then on: by the closer look that confirmed
it, where there was one, else by the nights that measured that commit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import expm1, log1p
from statistics import median

from bisector.core.model.scenario import Better, Metric
from bisector.core.model.units import Seconds, Sha
from bisector.core.watch.moves import Accepted, AcceptedBy, Entry, Looked
from bisector.core.watch.nights import Night, Series

SETTLED = 3
"""Nights whose median is a level: one disturbed night among them does not move it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Point:
    """A night: how far its tip lies above the level that the chain begins with, worse being larger."""

    time: Seconds
    tip: Sha
    offset: float
    value: float
    """Median of the tip's runs, in the metric's unit."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Chain:
    """The nights of a series, oldest first, since its branch was last rewritten."""

    points: tuple[Point, ...]
    metric: Metric
    logarithmic: bool = True

    @classmethod
    def of(cls, history: Sequence[Entry], metric: Metric) -> "Chain":
        """The chain of a history."""
        nights = [entry for entry in history if isinstance(entry, Night)]
        if not nights:
            return cls(points=(), metric=metric)
        series = Series.of(nights, metric)
        empty = cls(points=(), metric=metric, logarithmic=series.logarithmic)
        offsets = iter(series.offsets.tolist())
        links = [(entry, next(offsets) if isinstance(entry, Night) else 0.0) for entry in history]
        return cls(points=tuple(_points(links, empty)), metric=metric, logarithmic=series.logarithmic)

    def offset_of(self, relative: float) -> float:
        """A relative change of the metric as a distance on the chain; of one to nothing or below, as it is."""
        sign = 1.0 if self.metric.better is Better.LOWER else -1.0
        return sign * (log1p(relative) if self.logarithmic and relative > -1 else relative)

    def relative(self, offset: float) -> float:
        """A distance on the chain as a relative change of the metric."""
        sign = 1.0 if self.metric.better is Better.LOWER else -1.0
        return expm1(sign * offset) if self.logarithmic else sign * offset

    def between(self, since: Seconds, until: Seconds) -> tuple[Point, ...]:
        """The nights from `since` on and before `until`."""
        return tuple(point for point in self.points if since <= point.time < until)

    @property
    def smallest(self) -> float:
        """The smallest change worth naming, as a distance."""
        return log1p(self.metric.min_effect) if self.logarithmic else self.metric.min_effect


def level_of(points: Sequence[Point], most: int = SETTLED) -> float | None:
    """The level of the last of `points`; None without any."""
    return median(point.offset for point in points[-most:]) if points else None


def _points(links: Sequence[tuple[Entry, float]], chain: Chain) -> list[Point]:
    base, looked = 0.0, None
    points: list[Point] = []
    here: list[tuple[Sha, float]] = []
    """The nights beside the present level."""
    for entry, offset in links:
        match entry:
            case Night():
                here.append((entry.tip, offset))
                told = Point(time=entry.time, tip=entry.tip, offset=base + offset, value=median(entry.values))
                points.append(told)
            case Looked():
                looked = entry
            case Accepted(by=AcceptedBy.START):
                base, points, here = 0.0, [], []
            case Accepted():
                base += _moved(entry, here, looked, chain)
                here = []
            case _:
                pass
    return points


def _moved(accepted: Accepted, here: Sequence[tuple[Sha, float]], looked: Looked | None, chain: Chain) -> float:
    """How far a newly accepted level lies above the one before it."""
    if accepted.by is AcceptedBy.STEP and looked is not None and looked.change is not None:
        # The look compared the new commit with the last one of the old level, which may have crept a little.
        tips = [tip for tip, _ in here]
        old = here[: len(tips) - tips[::-1].index(looked.good)] if looked.good in tips else here[:0]
        return chain.offset_of(looked.change.relative) + (median(o for _, o in old[-SETTLED:]) if old else 0.0)
    same = [offset for tip, offset in here if tip == accepted.commit]
    return median(same) if same else 0.0
