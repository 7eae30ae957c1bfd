"""How large a change is: the difference of two sets of runs with its interval."""

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from bisector.core.search.noise import SIGMA_OF_MAD
from bisector.core.search.observations import FloatArray


@dataclass(frozen=True, kw_only=True)
class Difference:
    """New minus old level, with its interval at the asked confidence, in the search's units."""

    estimate: float
    low: float
    high: float


def drawn_in(values: FloatArray) -> FloatArray:
    """`values` with outliers drawn in to three robust deviations about the median."""
    middle = float(np.median(values))
    reach = 3 * SIGMA_OF_MAD * float(np.median(np.abs(values - middle)))
    return np.clip(values, middle - reach, middle + reach) if reach > 0 else values


def difference(old: FloatArray, new: FloatArray, confidence: float) -> Difference:
    """Difference of means, outliers drawn in, with Welch's interval (unequal variances, Satterthwaite's degrees).

    With a single run on a side the interval is unbounded unless both sides are constant.
    """
    sides = [drawn_in(old), drawn_in(new)]
    estimate = float(sides[1].mean() - sides[0].mean())
    if all(np.ptp(side) == 0 for side in sides) and min(len(old), len(new)) > 0:
        return Difference(estimate=estimate, low=estimate, high=estimate)
    if min(len(old), len(new)) < 2:
        return Difference(estimate=estimate, low=-np.inf, high=np.inf)
    errors = [float(side.var(ddof=1)) / len(side) for side in sides]
    total = sum(errors)
    df = total**2 / sum(error**2 / (len(side) - 1) for error, side in zip(errors, sides, strict=True))
    reach = float(stdtrit(df, 0.5 + confidence / 2)) * np.sqrt(total)
    return Difference(estimate=estimate, low=estimate - reach, high=estimate + reach)
