"""How fast something grows over a run: the median of all slopes between two points (Theil 1950, Sen 1968)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

FEWEST = 8
"""Points below which a slope says nothing."""
MOST_POINTS = 400
"""Points of which all pairs are looked at; more are put together first, neighbours by their medians."""


def theil_sen(times: Sequence[float], values: Sequence[float]) -> float:
    """The slope of `values` over `times`, which ascend: what a value grows by in a unit of time.

    Least squares would take the start of a program, which fills its memory once, for growth, and so a collection that
    comes late in the run. Here more than a quarter of the points have to lie off the line before it moves far.
    """
    x, y = _fewer(np.array(times, dtype=float), np.array(values, dtype=float))
    first, second = np.triu_indices(len(x), k=1)
    apart = x[second] - x[first]
    told = apart > 0
    return float(np.median((y[second] - y[first])[told] / apart[told])) if told.any() else 0.0


def _fewer(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if len(x) <= MOST_POINTS:
        return x, y
    groups = np.array_split(np.arange(len(x)), MOST_POINTS)
    return (
        np.array([np.median(x[group]) for group in groups]),
        np.array([np.median(y[group]) for group in groups]),
    )
