"""The classical tests that peers decide by, vectorised where the bench calls them often."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.special import kolmogorov, ndtr, stdtr

Floats = npt.NDArray[np.float64]
QUARTILES_OF_NORMAL = 1.349


def mann_whitney(first: Floats, second: Floats) -> float:
    """Two-sided p of the rank-sum test: normal approximation with ties and continuity corrected."""
    n, m = len(first), len(second)
    both = np.concatenate([first, second])
    _, inverse, counts = np.unique(both, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2
    u = float(ranks[inverse[:n]].sum()) - n * (n + 1) / 2
    total = n + m
    ties = float((counts**3 - counts).sum()) / (total * (total - 1))
    sd = np.sqrt(n * m / 12 * (total + 1 - ties))
    if sd == 0:
        return 1.0
    return float(min(1.0, 2 * ndtr(-max(abs(u - n * m / 2) - 0.5, 0.0) / sd)))


def kolmogorov_smirnov(first: Floats, second: Floats) -> float:
    """Two-sided p of the largest distance between two empirical distributions, asymptotic."""
    every = np.concatenate([first, second])
    below = [np.searchsorted(np.sort(side), every, side="right") / len(side) for side in (first, second)]
    distance = float(np.max(np.abs(below[0] - below[1])))
    size = len(first) * len(second) / (len(first) + len(second))
    return float(kolmogorov(np.sqrt(size) * distance))


def welch(first: Floats, second: Floats) -> float:
    """Two-sided p of Welch's t test."""
    variances = [float(side.var(ddof=1)) / len(side) for side in (first, second)]
    if sum(variances) == 0:
        return 1.0 if first.mean() == second.mean() else 0.0
    t = (first.mean() - second.mean()) / np.sqrt(sum(variances))
    df = sum(variances) ** 2 / sum(v**2 / (len(s) - 1) for v, s in zip(variances, (first, second), strict=True) if v)
    return float(2 * stdtr(df, -abs(t)))


@lru_cache(maxsize=512)
def highest_p_of_a_shift(runs: int, quartiles: float) -> float:
    """The p below which 99 % of rank-sum tests of `runs` against `runs` lie when the shift is `quartiles` IQRs."""
    draw = np.random.default_rng([runs, round(1000 * quartiles)])
    shift = quartiles * QUARTILES_OF_NORMAL
    found = [mann_whitney(draw.standard_normal(runs), draw.standard_normal(runs) + shift) for _ in range(1000)]
    return float(np.quantile(found, 0.99))
