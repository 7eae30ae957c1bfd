"""Runs that something else on the machine slowed down: whether those of one commit agree with one another at all."""

import numpy as np

from bisector.core.search.observations import FloatArray, Observations

OUTLYING_FROM = 8.0
"""Deviations of a quiet run from which two runs of one build do not agree."""
QUARTILE_OF_DIFFERENCES = 0.4506
"""Lower quartile of the distance of two runs, in deviations of one (normal noise)."""
HALF = 0.5


def quiet_reach(observations: Observations, values: FloatArray) -> float:
    """How far a run may lie from its build's level where nothing disturbs it; 0 where no build has two runs.

    By the lower quartile of the distances of runs that follow each other on one build: up to three quarters of them may
    have met a burst.
    """
    order = np.argsort(observations.run_unit, kind="stable")
    same = np.diff(observations.run_unit[order]) == 0
    apart = np.abs(np.diff(values[order]))[same]
    return OUTLYING_FROM / QUARTILE_OF_DIFFERENCES * float(np.quantile(apart, 0.25)) if len(apart) else 0.0


def agree(runs: FloatArray, level: float, reach: float) -> bool:
    """Whether more than half of some `runs` lie about their `level`; they do where it is not known how far is far."""
    return reach <= 0 or float((np.abs(runs - level) <= reach).mean()) > HALF
