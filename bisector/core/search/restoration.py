"""How much of the change between two ends a third level gives back: a ratio of two differences, with its interval."""

from dataclasses import dataclass

import numpy as np

from bisector.core.model.special import stdtrit
from bisector.core.search.effect import Spread
from bisector.core.search.observations import FloatArray

WHOLE, LEAST = 0.8, 0.5
"""A change counts as given back from the one share on; from the other where what is left is not worth naming."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Side:
    """A level, and the variance of its estimate."""

    level: float
    variance: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Share:
    """A share of a change and what it lies in. `low` and `high` are infinite where the change itself is not certain."""

    share: float
    low: float
    high: float


def side_of(values: FloatArray, spread: Spread) -> Side:
    """The level of one side's runs, outliers drawn in to three deviations of the median, the build's included."""
    middle = float(np.median(values))
    drawn_in = np.clip(values, middle - 3 * spread.sigma, middle + 3 * spread.sigma) if spread.sigma > 0 else values
    return Side(level=float(drawn_in.mean()), variance=spread.tau**2 + spread.sigma**2 / len(values))


def pooled_spread(sides: tuple[FloatArray, ...], tau: float) -> Spread:
    """The deviation of a run about its side's median, far outliers drawn in, with its degrees of freedom."""
    residuals = np.concatenate([side - np.median(side) for side in sides])
    degrees = float(max(len(residuals) - len(sides), 1))
    reach = 4 * 1.4826 * float(np.median(np.abs(residuals)))
    drawn_in = np.clip(residuals, -reach, reach) if reach > 0 else residuals
    return Spread(sigma=float(np.sqrt((drawn_in**2).sum() / degrees)), tau=tau, df=degrees)


def share_given_back(start: Side, goal: Side, tried: Side, *, df: float, error: float) -> Share:
    """Which share of the way from `start` to `goal` lies behind `tried`, and the interval that misses it with `error`.

    The interval is Fieller's (1954): the shares s for which the contrast (1 - s) start + s goal - tried could be
    zero. It is unbounded where start and goal may be the same.
    """
    way = goal.level - start.level
    share = (tried.level - start.level) / way if way != 0 else 0.0
    quantile = float(stdtrit(max(df, 1.0), 1 - error / 2))
    return Share(share=share, **_fieller(start, goal, tried, quantile))


def _fieller(start: Side, goal: Side, tried: Side, quantile: float) -> dict[str, float]:
    way, gone, reach = goal.level - start.level, tried.level - start.level, quantile**2
    square = way**2 - reach * (start.variance + goal.variance)
    if square <= 0:
        return {"low": -np.inf, "high": np.inf}
    half = way * gone - reach * start.variance
    rest = gone**2 - reach * (start.variance + tried.variance)
    root = float(np.sqrt(max(half**2 - square * rest, 0.0)))
    return {"low": (half - root) / square, "high": (half + root) / square}


def share_needed(change: float, threshold: float) -> float:
    """The share of a `change` that has to be given back: most of it, or all but what is not worth naming."""
    size = abs(change)
    return float(np.clip(1 - threshold / size, LEAST, WHOLE)) if size > 0 else WHOLE
