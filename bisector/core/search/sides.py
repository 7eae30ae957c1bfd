"""Which side the units are on, as far as that is sure, and what their runs then say of the levels and the noise."""

from dataclasses import dataclass

import numpy as np

from bisector.core.model.history import BoolArray
from bisector.core.search.noise import centre
from bisector.core.search.observations import FloatArray, Observations
from bisector.core.search.unit_levels import unit_medians

FEWEST_WITHIN = 3
"""Degrees of freedom within units from which the noise is told from them alone, apart from what builds add."""
DISTINCT_SHARE = 0.6
"""Below this share of distinct values a metric is taken as quantised and dithered."""
GOLDEN = 0.6180339887498949


@dataclass(frozen=True, kw_only=True)
class Sides:
    """Which units' sides are sure, and what their runs say of the levels and the noise."""

    good_units: BoolArray
    bad_units: BoolArray
    centres: FloatArray
    residuals: FloatArray
    own: FloatArray
    df: float
    fewest: int


def dithered(observations: Observations) -> FloatArray:
    """The values, those of a quantised metric spread over half a step to both sides by a fixed sequence."""
    values = observations.values
    distinct = np.unique(values)
    if observations.exact or len(distinct) < 2 or len(distinct) >= DISTINCT_SHARE * len(values):
        return values
    of_units = np.unique(np.column_stack([observations.run_unit, values]), axis=0)
    if len(of_units) == len(np.unique(observations.run_unit)):
        # Runs of one build never differ: that is a metric without noise, not one with coarse steps.
        return values
    step = float(np.median(np.diff(distinct)))
    return values + step * ((np.arange(1, len(values) + 1) * GOLDEN) % 1 - 0.5)


def sides_of(
    observations: Observations, values: FloatArray, good: BoolArray, bad: BoolArray, *, between_builds: bool
) -> Sides:
    """What the runs say where the units `good` and `bad` are sure; of the noise apart from builds, `between_builds`."""
    run_good, run_bad = good[observations.run_unit], bad[observations.run_unit]
    centres = np.array([centre(values[run_good]), centre(values[run_bad])])
    told = (run_good | run_bad) & observations.finished
    df = float(told.sum() - 2)
    about = np.full(len(values), np.nan)
    about[run_good], about[run_bad] = centres
    if between_builds:
        finished = np.bincount(observations.run_unit[observations.finished], minlength=len(good))
        within = float(np.maximum(finished - 1, 0).sum())
        if within >= FEWEST_WITHIN:
            # Which side a unit is on does not matter to how its runs differ; a unit's only run tells nothing of it.
            told, df = (finished[observations.run_unit] > 1) & observations.finished, within
            about = unit_medians(values, observations.run_unit, told)
    return Sides(
        good_units=good,
        bad_units=bad,
        centres=centres,
        residuals=(values - about)[told],
        own=np.where(told, about, np.nan),
        df=df,
        fewest=int(min(run_good.sum(), run_bad.sum())),
    )
