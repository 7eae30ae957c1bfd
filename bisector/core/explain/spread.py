"""How large a difference between two sides is, and whether it is more than noise. Columns in, columns out.

A side's values come from a few captures, so a variance of its own is poorly known. Two things are known beside it:
samples are counted, so no variance is below that of a Poisson count; and what varies from run to run varies much alike
in proportion to the cost, so all functions together tell that part. The variance of one function is shrunk towards
these (moderated t: G. K. Smyth, Stat. Appl. Genet. Mol. Biol. 3 (2004), with the prior's weight fixed), the interval is
Welch's, and what counts as signal is decided for all functions at once (Benjamini and Hochberg, J. R. Stat. Soc. B 57
(1995)): between two equal sides nothing stands out, nineteen times of twenty.
"""

from dataclasses import dataclass

import numpy as np

from bisector.core.explain.stacks import BoolArray, FloatArray, IntArray
from bisector.core.model.discoveries import discoveries
from bisector.core.model.special import stdtr, stdtrit

LEVEL = 0.05
"""One minus the level of the intervals, and the rate of false signals."""
SMALLEST = 0.001
"""Share of the larger side's total below which nothing is signal."""
PRIOR_WEIGHT = 4.0
"""Degrees of freedom that the common variance stands for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """A cost on both sides. `low` and `high` hold the difference at 95 %; None where that is too small to tell, or
    nothing tells its noise."""

    before: float
    after: float
    low: float | None
    high: float | None
    noise: bool

    @property
    def delta(self) -> float:
        """After minus before."""
        return self.after - self.before


@dataclass(frozen=True, kw_only=True, eq=False)
class Estimates:
    """Estimates of many costs, in columns; `low` and `high` are NaN where there is no interval."""

    before: FloatArray
    after: FloatArray
    low: FloatArray
    high: FloatArray
    noise: BoolArray

    @property
    def delta(self) -> FloatArray:
        """After minus before."""
        return self.after - self.before

    def __getitem__(self, index: int) -> Estimate:
        low, high = float(self.low[index]), float(self.high[index])
        known = low == low
        return Estimate(
            before=float(self.before[index]),
            after=float(self.after[index]),
            low=low if known else None,
            high=high if known else None,
            noise=bool(self.noise[index]),
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Side:
    """Values of one side, a row a capture. `grain` is what one sample of each capture weighs, NaN where unknown."""

    values: FloatArray
    grain: FloatArray

    @property
    def mean(self) -> FloatArray:
        """The mean over captures."""
        return np.asarray(self.values.mean(axis=0), dtype=np.float64)

    def at(self, places: IntArray) -> "Side":
        """Some of the columns."""
        return Side(values=self.values[:, places], grain=self.grain)

    def _counting(self) -> FloatArray:
        """Variance that counting samples gives one capture's value."""
        return np.asarray((self.values * self.grain[:, None]).mean(axis=0), dtype=np.float64)

    def variance(self) -> tuple[FloatArray, FloatArray]:
        """Variance of the mean, and its degrees of freedom; NaN where nothing tells it."""
        captures = len(self.values)
        counting = self._counting()
        if captures < 2:
            return counting / captures, np.full(counting.shape, np.inf)
        seen = self.values.var(axis=0, ddof=1)
        counted = np.nan_to_num(counting)
        squares = float((self.mean**2).sum())
        common = max(float((seen - counted).sum()) / squares, 0.0) if squares > 0 else 0.0
        freedom = captures - 1.0
        prior = counted + common * self.mean**2
        shrunk = (freedom * seen + PRIOR_WEIGHT * prior) / (freedom + PRIOR_WEIGHT)
        bounded = shrunk <= counted
        return (
            np.where(bounded, counted, shrunk) / captures,
            np.where(bounded, np.inf, freedom + PRIOR_WEIGHT),
        )


def estimates(before: Side, after: Side, total: float) -> Estimates:
    """Both sides' means, the interval of each difference and whether it is noise. `total` is the larger side's.

    What is less than SMALLEST of the total on both sides is noise without an interval.
    """
    low_mean, high_mean = before.mean, after.mean
    delta = high_mean - low_mean
    large = np.flatnonzero(np.maximum(low_mean, high_mean) >= SMALLEST * total)
    reach, noise = np.full(delta.shape, np.nan), np.ones(delta.shape, dtype=bool)
    reach[large], chance = _judged(before.at(large), after.at(large))
    signal = discoveries(chance, LEVEL) & (np.abs(delta[large]) >= SMALLEST * total) & (delta[large] != 0)
    noise[large] = ~signal
    return Estimates(before=low_mean, after=high_mean, low=delta - reach, high=delta + reach, noise=noise)


def _judged(before: Side, after: Side) -> tuple[FloatArray, FloatArray]:
    """Half the width of the interval of each difference, and the chance of one so large between equal sides."""
    delta = after.mean - before.mean
    (var_before, free_before), (var_after, free_after) = before.variance(), after.variance()
    variance = var_before + var_after
    with np.errstate(divide="ignore", invalid="ignore"):
        # Welch's degrees of freedom; a variance of zero or one known by counting has none to lose.
        lost = var_before**2 / free_before + var_after**2 / free_after
        freedom = np.minimum(np.where(lost > 0, variance**2 / lost, np.inf), 1e6)
        error = np.sqrt(variance)
        reach = stdtrit(freedom, 1 - LEVEL / 2) * error
        chance = 2 * stdtr(freedom, -np.abs(delta) / error)
    sure = np.isnan(variance) | (variance == 0)
    return reach, np.where(delta == 0, 1.0, np.where(sure, 0.0, chance))
