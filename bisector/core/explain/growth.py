"""How time grows with size: the exponent k of t = a + b n^k, apart from the fixed cost a that is in every run."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FEWEST = 3
"""Sizes that have to lie above the fixed cost."""
ABOVE_FIXED = 0.1
"""By how much of the fixed cost a time has to lie above it, so that what is left is not noise."""
DIFFERS = 0.1
"""By how much one side has to take longer than the other at a size where their times part."""
_EXPONENTS = np.linspace(0.05, 6.0, 120)
_Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Growth:
    """The exponent, the fixed cost (seconds), and the sizes that told it; none where time hardly grows at all."""

    exponent: float
    fixed: float
    sizes: tuple[int, ...]


def growth_of(sizes: Sequence[int], times: Sequence[float], fixed: float | None = None) -> Growth:
    """How `times` (seconds) grow with `sizes`, which ascend.

    A start-up that is in every time flattens the slope of their logarithms: n and a start-up as long as the smallest
    time look like n^0.6. Where `fixed`, the time at an empty size, was measured it is taken away, and each size counts
    by how little noise that leaves (the variance of log(t - a) is that of log t by (t / (t - a))^2). Else a, b and k
    are fitted together, to relative errors, with a and b not below zero: that needs more runs for the same certainty.
    Where fewer than three sizes lie above the fixed cost by a tenth the exponent is 0.
    """
    n, t = np.array(sizes, dtype=float), np.array(times, dtype=float)
    if fixed is None:
        return _fitted(n, t, tuple(sizes))
    above = t - fixed
    used = above > ABOVE_FIXED * fixed
    if used.sum() < FEWEST:
        return Growth(exponent=0.0, fixed=fixed, sizes=())
    weights = (above[used] / t[used]) ** 2
    slope = _slope(np.log(n[used]), np.log(above[used]), weights)
    return Growth(exponent=slope, fixed=fixed, sizes=tuple(int(each) for each in n[used]))


def _slope(x: _Floats, y: _Floats, weights: _Floats) -> float:
    """The slope of a line through weighted points, by least squares."""
    middle = np.average(x, weights=weights)
    return float((weights * (x - middle)) @ (y - np.average(y, weights=weights)) / (weights @ (x - middle) ** 2))


def _fitted(n: _Floats, t: _Floats, sizes: tuple[int, ...]) -> Growth:
    if t.max() < (1 + ABOVE_FIXED) * t.min():
        return Growth(exponent=0.0, fixed=float(np.median(t)), sizes=())
    scaled, tried, best = n / n.max(), _EXPONENTS, (0.0, 0.0)
    for _ in range(4):  # closer and closer: the error has one minimum between the neighbours of the best
        fixed, errors = _fits(scaled, t, tried)
        at = int(np.argmin(errors))
        best = float(tried[at]), float(fixed[at])
        tried = np.linspace(tried[max(at - 1, 0)], tried[min(at + 1, len(tried) - 1)], 41)
    return Growth(exponent=best[0], fixed=best[1], sizes=sizes)


def _fits(n: _Floats, t: _Floats, exponents: _Floats) -> tuple[_Floats, _Floats]:
    """For each exponent the fixed cost and the sum of squares of the least relative errors, a and b not below zero."""
    one, grown = 1 / t, n ** exponents[:, None] / t
    oo, og, gg = one @ one, grown @ one, (grown**2).sum(axis=1)
    o, g = one.sum(), grown.sum(axis=1)
    apart = np.maximum(oo * gg - og**2, 1e-300)
    both = np.array([(gg * o - og * g) / apart, (oo * g - og * o) / apart])
    alone = np.array([np.zeros_like(g), g / gg]), np.array([np.full_like(g, o / oo), np.zeros_like(g)])
    errors = [((part[0][:, None] * one + part[1][:, None] * grown - 1) ** 2).sum(axis=1) for part in (both, *alone)]
    errors[0] = np.where((both >= 0).all(axis=0), errors[0], np.inf)
    which = np.argmin(errors, axis=0)
    places = np.arange(len(exponents))
    return np.array([part[0] for part in (both, *alone)])[which, places], np.array(errors)[which, places]


def parting(sizes: Sequence[int], old: Sequence[float], new: Sequence[float]) -> float | None:
    """The size from which on `new` takes longer than `old` by a tenth, between two sizes by the logarithms.

    The smallest size where it does so everywhere; None where it does not at the largest.
    """
    apart = np.log(np.array(new, dtype=float) / np.array(old, dtype=float)) - np.log1p(DIFFERS)
    if apart[-1] < 0:
        return None
    below = np.flatnonzero(apart < 0)
    if not len(below):
        return float(sizes[0])
    at = int(below[-1])
    share = -apart[at] / (apart[at + 1] - apart[at])
    x = np.log(np.array(sizes, dtype=float))
    return float(np.exp(x[at] + share * (x[at + 1] - x[at])))
