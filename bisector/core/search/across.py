"""What is compared of the runs: each run's value, or a statistic of several, like the 95th percentile or the spread."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from bisector.core.model.request import Across
from bisector.core.model.samples import Sample
from bisector.core.search.observations import FloatArray

TOGETHER = 10
"""Runs that one value of a tail or a spread is taken of: the 95th percentile of fewer is their largest."""
PERCENTILES = {Across.P90: 90.0, Across.P95: 95.0, Across.P99: 99.0}
SPREADS = frozenset({Across.IQR, Across.STDEV})
LEAST_SPREAD_EFFECT = 0.5
"""Smallest relative change of a spread worth naming by default: the spread of ten runs varies by a quarter itself."""


def runs_together(across: Across) -> int:
    """How many runs one compared value is taken of."""
    return 1 if across is Across.MEDIAN else TOGETHER


def statistic(values: FloatArray, across: Across) -> float:
    """The statistic of some runs' values; percentiles by linear interpolation, the deviation with n - 1."""
    if across in PERCENTILES:
        return float(np.percentile(values, PERCENTILES[across]))
    if across is Across.IQR:
        low, high = np.percentile(values, [25, 75])
        return float(high - low)
    if across is Across.STDEV:
        return float(values.std(ddof=1))
    plain = {Across.MEAN: values.mean(), Across.MIN: values.min(), Across.MAX: values.max()}
    return float(plain.get(across, np.median(values)))


def taken_together(samples: Iterable[Sample], metric: str, across: Across) -> tuple[Sample, ...]:
    """The samples, those of one round at one build taken together so many at a time, as samples of the statistic.

    Each stands where the last of its runs stood; runs that are too few for a value are left out.
    """
    together = runs_together(across)
    if together == 1:
        return tuple(samples)
    return tuple(_batches(samples, metric, across, together))


def _batches(samples: Iterable[Sample], metric: str, across: Across, together: int) -> Iterator[Sample]:
    waiting: dict[tuple[object, ...], list[float]] = {}
    for sample in samples:
        key = (sample.place, sample.number, sample.step, sample.adopted_from)
        values = waiting.setdefault(key, [])
        values.append(sample.values[metric])
        if len(values) == together:
            yield replace(sample, values={**sample.values, metric: statistic(np.array(values), across)})
            values.clear()
