"""How large a change is: the difference of two sets of runs with its interval."""

from collections.abc import Sequence
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


def difference(old: Sequence[FloatArray], new: Sequence[FloatArray], spread: Spread, confidence: float) -> Difference:
    """Difference of two commits' levels from the runs of each of their builds; every build has runs.

    The spread is pooled over the whole search: a handful of runs that happen to lie close together must not make the
    interval narrow. Student's t on the pooled degrees of freedom.
    """
    sides = [_level(builds, spread) for builds in (old, new)]
    reach = float(stdtrit(max(spread.df, 1.0), 0.5 + confidence / 2)) * np.sqrt(sum(variance for _, variance in sides))
    estimate = sides[1][0] - sides[0][0]
    return Difference(estimate=estimate, low=estimate - reach, high=estimate + reach)


def _level(builds: Sequence[FloatArray], spread: Spread) -> tuple[float, float]:
    """The level of one commit and its variance: the mean of its builds, each as heavy as its own variance lets it be.

    Outliers are drawn in to three deviations about the median. A side that is plainly noisier counts with its own.
    """
    runs, middle = sum(map(len, builds)), float(np.median(np.concatenate(builds)))
    reach = 3 * (spread.sigma if len(builds) == 1 else float(np.hypot(spread.sigma, spread.tau)))
    level = np.array([np.clip(each, middle - reach, middle + reach).mean() for each in builds])
    squares = float(sum(((each - each.mean()) ** 2).sum() for each in builds))
    own = squares / (runs - len(builds)) if runs - len(builds) >= OWN_FROM - 1 else 0.0
    variance = spread.tau**2 + max(spread.sigma**2, own) / np.array([len(each) for each in builds])
    if not variance.all():
        return float(level.mean()), 0.0
    weight = 1 / variance
    return float((level * weight).sum() / weight.sum()), float(1 / weight.sum())
