"""Whether the newest nights lie on another level than those before, at a false-alarm rate that is stated.

The rule: in the last `a` nights, for some a up to two weeks, a majority lies further above (or below) the level of the
nights before than chance allows. For one night "further than chance allows" is a tail of Student's t with three degrees
of freedom, so that a single disturbed night, which every host has, is no alarm unless it is enormous; for a majority of
a nights it is the binomial tail of that, solved for the distance. Where more of the earlier nights lay as far away than
that tail says (bursts, builds of two modes), their share takes its place. The error is shared over all `a` and both
directions (Bonferroni), and holds for nights that are independent.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bisector.core.model.scenario import Metric
from bisector.core.model.special import bdtrc, stdtrit
from bisector.core.model.verdict import Change
from bisector.core.watch.nights import FloatArray, Night, Series

TAIL = 3.0
"""Degrees of freedom of the heaviest tail that a night may have."""
T3_SCALE = 1.307
"""Scale of a t of three degrees of freedom over its median absolute deviation."""
SAME_DISTANCE = 0.7
"""Share of a distance from which an earlier night counts as having been as far away."""
INTERVAL = 0.95


@dataclass(frozen=True, kw_only=True, slots=True)
class Watch:
    """How closely a series is watched."""

    false_alarms_a_year: float = 1.0
    """Of one series, expected at most, before the alarm is measured again."""
    nights_a_year: float = 365.0
    window: int = 14
    """Nights that the new level may be old at most."""
    fewest: int = 6
    """Nights before the step, at least."""
    memory: int = 60
    """Nights before the step that are looked at."""

    def error(self, splits: int) -> float:
        """What one of `splits` tests of one direction in one night may err."""
        return self.false_alarms_a_year / self.nights_a_year / (2 * splits)


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """A change of level between two nights, not yet confirmed by a measurement of its own."""

    last_old: int
    """Index of the last night on the old level; the next is the first on the new one."""
    worse: bool
    change: Change
    """Relative change of the metric, with its 95 % interval."""


def newest_step(nights: Sequence[Night], metric: Metric, watch: Watch | None = None) -> Step | None:
    """The step that the newest nights show; None where they show none, or one below the metric's smallest effect.

    All nights have to refer to one accepted level. Time: O(window * nights).
    """
    watch = watch or Watch()
    most = min(watch.window, len(nights) - watch.fewest)
    if most < 1:
        return None
    series = Series.of(nights, metric)
    for length in range(1, most + 1):
        direction = _moved(series, length, watch, splits=most)
        if direction:
            return _step(series, metric, direction, watch)
    return None


def reach(length: int, error: float) -> float:
    """Scales beyond which a majority of `length` independent t3 nights all lie with probability `error`."""
    needed = length // 2 + 1
    low, high = 0.0, 0.5
    for _ in range(60):
        middle = (low + high) / 2
        if bdtrc(needed - 1, length, middle) > error:
            high = middle
        else:
            low = middle
    return float(-stdtrit(TAIL, low)) if low > 0 else float("inf")


def _moved(series: Series, length: int, watch: Watch, splits: int) -> int:
    """+1 or -1 where a majority of the last `length` nights lies off the level before, above or below; else 0."""
    before = series.offsets[-length - watch.memory : -length]
    after = series.offsets[-length:]
    level, scale = _level(before, series.error)
    bound = reach(length, watch.error(splits)) * scale
    needed = length // 2 + 1
    for direction in (1, -1):
        beyond = np.sort(direction * (after - level))[-needed]
        if beyond > bound and _seldom(direction * (before - level), beyond, length, watch.error(splits)):
            return direction
    return 0


def _seldom(before: FloatArray, distance: float, length: int, error: float) -> bool:
    """Whether the earlier nights themselves say that a majority of `length` so far away is rarer than `error`."""
    as_far = np.count_nonzero(before > SAME_DISTANCE * distance)
    return not as_far or float(bdtrc(length // 2, length, (as_far + 0.5) / len(before))) <= error


def _level(before: FloatArray, error: float) -> tuple[float, float]:
    """Level of the nights before, and the scale of a further night's distance from it, the level's own error within.

    The few nights there are may lie closer together than chance will have it later: the scale is widened by what the
    deviation of that many is uncertain by, and is never less than what the runs of one night leave.
    """
    count = len(before)
    level = float(np.median(before))
    spread = T3_SCALE * float(np.median(np.abs(before - level))) * np.sqrt(count / (count - 2))
    # One standard error more: a median absolute deviation has a relative one of 1.17 / sqrt(n) for normal data.
    widened = spread * (1 + 1.17 / np.sqrt(count))
    scale = max(widened, error) * np.sqrt(1 + np.pi / 2 / count)
    # Nights that all came out the same differ by anything at all.
    return level, float(scale) or float(np.finfo(np.float64).tiny)


def _step(series: Series, metric: Metric, direction: int, watch: Watch) -> Step | None:
    """The step where it divides the nights best; None below the smallest effect."""
    start = max(len(series.offsets) - watch.memory - watch.window, 0)
    offsets = series.offsets[start:]
    first = _division(offsets, watch)
    old, new = offsets[:first], offsets[first:]
    shift = float(np.median(new) - np.median(old))
    threshold = np.log1p(metric.min_effect) if series.logarithmic else metric.min_effect
    if direction * shift < threshold:
        return None
    _, scale = _level(old, series.error)
    off = float(-stdtrit(max(len(offsets) - 2, 1), (1 - INTERVAL) / 2)) * scale / np.sqrt(len(new))
    low, high = sorted(series.relative(bound, metric) for bound in (shift - off, shift + off))
    change = Change(relative=series.relative(shift, metric), low=low, high=high)
    return Step(last_old=start + first - 1, worse=direction > 0, change=change)


def _division(offsets: FloatArray, watch: Watch) -> int:
    """Index of the first night of the new level: the one with the least absolute deviations from both medians."""
    places = range(max(watch.fewest, len(offsets) - watch.window), len(offsets))
    return min(places, key=lambda place: _deviations(offsets[:place]) + _deviations(offsets[place:]))


def _deviations(values: FloatArray) -> float:
    return float(np.abs(values - np.median(values)).sum())
