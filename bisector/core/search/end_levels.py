"""How far the two ends of a search lie apart, and what that rules out."""

import numpy as np

from bisector.core.search.drift import Drift
from bisector.core.search.noise import OUTLYING
from bisector.core.search.observations import IntArray, Observations
from bisector.core.search.posterior import Posterior

ONE_SIDED_95 = 1.645


def excluded(observations: Observations, posterior: Posterior) -> float:
    """Upper bound of the change between the ends, at 95 %: every larger one is ruled out."""
    change, error = end_difference(observations, posterior)
    return change + ONE_SIDED_95 * error


def end_difference(observations: Observations, posterior: Posterior) -> tuple[float, float]:
    """Difference of the ends' levels (new minus old) and its standard error, build deviation included."""
    if posterior.drift is not None:
        return _end_difference_in_drift(observations, posterior, posterior.drift)
    levels, variance = [], 0.0
    mean, tau = posterior.unit_mean - posterior.surplus(), posterior.spread_of_kind.tau
    for place in (observations.low, observations.high):
        units = _undisturbed(np.flatnonzero((observations.unit_place == place) & (observations.counts > 0)), posterior)
        precision = 1 / (tau**2 + posterior.sigma**2 / observations.counts[units])
        levels.append(float(precision @ mean[units] / precision.sum()))
        variance += float(1 / precision.sum())
    return levels[1] - levels[0], float(np.sqrt(variance))


def _undisturbed(units: IntArray, posterior: Posterior) -> IntArray:
    """Those of an end's builds that lie near a level of either side, where any does.

    Of a build made afresh the few runs may all have met a burst, and it would count for as much as one with many.
    """
    apart = np.abs(posterior.unit_mean[units, None] - [posterior.good, posterior.bad]).min(axis=1)
    near = apart <= OUTLYING * np.hypot(posterior.sigma, posterior.tau)
    return units[near] if near.any() else units


def _end_difference_in_drift(observations: Observations, posterior: Posterior, drift: Drift) -> tuple[float, float]:
    high, low = (observations.unit_place == place for place in (observations.high, observations.low))
    contrast = high / high.sum() - low / low.sum()
    variance = float(contrast @ drift.unit_covariance @ contrast) + posterior.tau**2 * float(contrast @ contrast)
    return float(contrast @ drift.unit_mean), float(np.sqrt(variance))
