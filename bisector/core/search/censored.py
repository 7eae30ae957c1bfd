"""Runs that ran into their time limit. Of wall time that says "above the limit", which is far from nothing.

How far above is unknown, so that such a run says on which side of a change its commit lies, and nothing of the noise.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from bisector.core.model.history import BoolArray
from bisector.core.model.samples import Outcome, Purpose, Sample
from bisector.core.model.units import Seconds
from bisector.core.search.observations import FloatArray

WALL = "wall"
"""Source of the metric that a run's time limit is a value of."""


def with_bounds(samples: Iterable[Sample], metric: str, limit: Seconds | None) -> Iterator[Sample]:
    """The samples; one that ran into `limit` has it as its value of `metric`. None: a time-out says nothing.

    Another job's limit may have been another: what was taken over from it stays as it is.
    """
    for sample in samples:
        if limit is not None and is_bound(sample):
            yield replace(sample, values={**sample.values, metric: limit})
        else:
            yield sample


def is_bound(sample: Sample) -> bool:
    """Whether the value that `with_bounds` gave this sample is only what the run would have taken at least."""
    return sample.outcome is Outcome.TIMEOUT and sample.purpose is not Purpose.WARMUP and not sample.adopted_from


def placed(values: FloatArray, bounds: BoolArray, ends: Sequence[BoolArray]) -> FloatArray:
    """The values, those that are only `bounds` put where they count as the slower of the two levels.

    Where both `ends` (masks of runs) have runs that finished, that is the slower end's median: a run far above both
    levels would pass for an outlier, while "at least as slow as the slower one" is what it says of the change. Else it
    is the limit, for the slower level is not known to lie anywhere but above it.
    """
    finished = [values[end & ~bounds] for end in ends]
    if not bounds.any() or not all(len(end) for end in finished):
        return values
    slower = max(float(np.median(end)) for end in finished)
    return np.where(bounds, np.minimum(values, slower), values)
