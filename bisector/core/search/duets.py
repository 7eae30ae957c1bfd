"""Runs made two at a time: what the machine did to both is taken out of them.

value = level of the build + what the moment did to both + noise of its own. A run is therefore read by its distance
from the reference run beside it. That distance carries the noise of two runs, so it pays only where the moments differ
by more than the runs do; where they do not, the runs are taken as they are. The second run of a pair is the reference.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bisector.core.model.history import Place
from bisector.core.model.samples import Sample
from bisector.core.search.observations import FloatArray, IntArray

FEWEST = 4
"""Pairs below which nothing is known of what the moments do."""
WORTH = 0.9
"""A distance has to vary so much less than a run before it is read instead."""
SURELY = 2.5
"""Standard errors from which one group of processors is taken to be faster than the other."""


@dataclass(frozen=True, kw_only=True)
class Levelled:
    """Runs freed of what their moment did to both, NaN for a run that says nothing then: its partner gave no number, or
    it is the reference of a pair without its like.

    Of a pair, `values` has the run as its distance from the reference, on the reference's level, and the reference as
    far from that level as the pair is from its like: noise is never taken for less than that of a distance. `apart` has
    the reference as its level alone, so that run minus reference is the distance of the pair.
    """

    values: FloatArray
    apart: FloatArray


def levelled(samples: Sequence[Sample], values: FloatArray) -> Levelled | None:
    """`values` (one a sample) without what the moments did; None where there are too few pairs, or it would not pay."""
    pairs = _pairs(samples)
    if len(pairs) < FEWEST:
        return None
    run, reference = pairs[:, 0], pairs[:, 1]
    unit = _numbered([(*_unit(samples[one]), *_unit(samples[other])) for one, other in pairs])
    distance = values[run] - values[reference]
    lane = np.array([1.0 if samples[one].lane == 0 else -1.0 for one in run])
    distance = distance - _of_the_lane(distance, lane, unit) * lane
    level = {_unit(samples[one]): 0.0 for one in reference}
    for each in level:
        level[each] = float(np.median([values[one] for one in reference if _unit(samples[one]) == each]))
    base = np.array([level[_unit(samples[one])] for one in reference])
    runs = np.bincount(unit)[unit]
    if (runs > 1).sum() < FEWEST:
        return None
    # Brought to the deviation of a distance: a mean of few follows them. A distance alone in its unit shows none.
    left = (distance - _means(distance, unit)) * np.sqrt(runs / np.maximum(runs - 1, 1))
    left[runs == 1] = np.nan
    if _deviation(left[runs > 1]) >= WORTH * _deviation(values[reference] - base):
        return None
    found, apart = np.full(len(values), np.nan), np.full(len(values), np.nan)
    found[run] = apart[run] = base + distance
    found[reference], apart[reference] = base - left, base
    return Levelled(values=found, apart=apart)


def _unit(sample: Sample) -> tuple[Place, int]:
    return sample.place, sample.number


def _pairs(samples: Sequence[Sample]) -> IntArray:
    """Indexes (run, reference) of every two samples that were made at the same moment."""
    known: Mapping[tuple[str, int, int], int] = {
        (sample.adopted_from, sample.step, sample.order): position
        for position, sample in enumerate(samples)
        if sample.partner is not None
    }
    found = [
        (position, known[sample.adopted_from, sample.step, sample.partner])
        for position, sample in enumerate(samples)
        if sample.partner is not None
        and sample.order < sample.partner
        and (sample.adopted_from, sample.step, sample.partner) in known
    ]
    return np.array(found, dtype=np.int64).reshape(-1, 2)


def _numbered(keys: list[tuple[object, ...]]) -> IntArray:
    numbers: dict[tuple[object, ...], int] = {}
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys], dtype=np.int64)


def _of_the_lane(distance: FloatArray, lane: FloatArray, unit: IntArray) -> float:
    """Half of what the first lane adds to a distance, by the units that were run in both."""
    halves, weights = [], []
    for number in range(int(unit.max()) + 1):
        first, second = (distance[(unit == number) & (lane == sign)] for sign in (1.0, -1.0))
        if len(first) and len(second):
            halves.append((np.median(first) - np.median(second)) / 2)
            weights.append(min(len(first), len(second)))
    if not halves:
        return 0.0
    half = float(np.average(halves, weights=weights))
    left = distance - half * lane
    error = float(np.std(left - _means(left, unit))) / np.sqrt(len(distance))
    # To fit what is not there would take some of the noise with it.
    return half if abs(half) > SURELY * error else 0.0


def _means(values: FloatArray, unit: IntArray) -> FloatArray:
    count = np.bincount(unit)
    return np.asarray((np.bincount(unit, weights=values) / count)[unit])


def _deviation(left: FloatArray) -> float:
    """Deviation of residuals, bursts drawn in."""
    return 1.4826 * float(np.median(np.abs(left)))
