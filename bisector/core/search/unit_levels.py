"""The level of every unit by its own runs."""

import numpy as np

from bisector.core.model.history import BoolArray
from bisector.core.search.noise import OUTLYING
from bisector.core.search.observations import FloatArray, IntArray, Observations

DRAWN_IN = 3.0
"""Deviations from a unit's median beyond which a run counts as that far out."""


def unit_medians(values: FloatArray, run_unit: IntArray, chosen: BoolArray) -> FloatArray:
    """For each run the median of the `chosen` runs of its unit; NaN where the unit has none."""
    medians = np.full(int(run_unit.max()) + 1, np.nan)
    runs = np.flatnonzero(chosen)
    ordered = runs[np.lexsort((values[runs], run_unit[runs]))]
    units, starts, counts = np.unique(run_unit[ordered], return_index=True, return_counts=True)
    medians[units] = (values[ordered[starts + (counts - 1) // 2]] + values[ordered[starts + counts // 2]]) / 2
    return np.asarray(medians[run_unit])


def unit_means(observations: Observations, centres: FloatArray, sigma: float) -> FloatArray:
    """Each unit's level: the mean of its runs, outliers drawn in about their median; 0 without any.

    Runs far from both `centres` are left out where others remain: a burst may be most of the few runs of a unit.
    """
    values, run_unit, units = observations.values, observations.run_unit, len(observations.unit_place)
    near = np.abs(values[:, None] - centres).min(axis=1) <= OUTLYING * sigma
    some_near = np.bincount(run_unit, near, minlength=units) > 0
    kept = near | ~some_near[run_unit]
    middle = unit_medians(values, run_unit, kept)
    drawn_in = np.clip(values, middle - DRAWN_IN * sigma, middle + DRAWN_IN * sigma)
    sums = np.bincount(run_unit, np.where(kept, drawn_in, 0.0), minlength=units)
    return np.asarray(sums / np.maximum(np.bincount(run_unit, kept, minlength=units), 1.0))
