"""How far the two ends of a search lie apart, and what that rules out."""

import numpy as np

from bisector.core.search.drift import Drift
from bisector.core.search.observations import Observations
from bisector.core.search.posterior import Posterior

ONE_SIDED_95 = 1.645


def excluded(observations: Observations, posterior: Posterior, z: float = ONE_SIDED_95) -> float:
    """Upper bound of the change between the ends, `z` standard errors out: every larger one is ruled out."""
    change, error = end_difference(observations, posterior)
    return change + z * error


def end_difference(observations: Observations, posterior: Posterior) -> tuple[float, float]:
    """Difference of the ends' levels (new minus old) and its standard error, build deviation included."""
    if posterior.drift is not None:
        return _end_difference_in_drift(observations, posterior, posterior.drift)
    levels, variance = [], 0.0
    for place in (observations.low, observations.high):
        units = np.flatnonzero((observations.unit_place == place) & (observations.counts > 0))
        precision = 1 / (posterior.tau**2 + posterior.sigma**2 / observations.counts[units])
        levels.append(float(precision @ posterior.unit_mean[units] / precision.sum()))
        variance += float(1 / precision.sum())
    return levels[1] - levels[0], float(np.sqrt(variance))


def _end_difference_in_drift(observations: Observations, posterior: Posterior, drift: Drift) -> tuple[float, float]:
    high, low = (observations.unit_place == place for place in (observations.high, observations.low))
    contrast = high / high.sum() - low / low.sum()
    variance = float(contrast @ drift.unit_covariance @ contrast) + posterior.tau**2 * float(contrast @ contrast)
    return float(contrast @ drift.unit_mean), float(np.sqrt(variance))
