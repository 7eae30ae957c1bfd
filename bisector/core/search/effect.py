"""How large a change is: the difference of two sets of runs with its interval."""

from dataclasses import dataclass

import numpy as np

from bisector.core.model.special import stdtrit
from bisector.core.search.observations import FloatArray

OWN_FROM = 6
"""Runs from which a side's own spread counts where it is wider than the pooled one."""


@dataclass(frozen=True, kw_only=True)
class Spread:
    """Deviation of one run and of one build, as estimated from every run of a search, with its degrees of freedom."""

    sigma: float
    tau: float
    df: float


@dataclass(frozen=True, kw_only=True)
class Difference:
    """New minus old level, with its interval at the asked confidence, in the search's units."""

    estimate: float
    low: float
    high: float


def difference(old: FloatArray, new: FloatArray, spread: Spread, confidence: float) -> Difference:
    """Difference of two builds' levels, outliers drawn in to three deviations about the median.

    The spread is pooled over the whole search: a handful of runs that happen to lie close together must not make the
    interval narrow. A side that is plainly noisier counts with its own. Student's t on the pooled degrees of freedom.
    """
    centre, variance = [], 2 * spread.tau**2
    for side in (old, new):
        middle = float(np.median(side))
        drawn_in = np.clip(side, middle - 3 * spread.sigma, middle + 3 * spread.sigma)
        centre.append(float(drawn_in.mean()))
        own = float(side.var(ddof=1)) if len(side) >= OWN_FROM else 0.0
        variance += max(spread.sigma**2, own) / len(side)
    reach = float(stdtrit(max(spread.df, 1.0), 0.5 + confidence / 2)) * np.sqrt(variance)
    estimate = centre[1] - centre[0]
    return Difference(estimate=estimate, low=estimate - reach, high=estimate + reach)
