"""The grid of levels over which the two unknown levels are integrated, and the evidence computed on it."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bisector.core.search.noise import Scales, gaussian
from bisector.core.search.observations import FloatArray, IntArray

OTHER_SHARE = 0.2
"""Part of "no change" that is two levels whose difference is not one worth naming."""
CLOSEST_SPACING, WIDEST_SPACING = 0.08, 0.3
"""Grid spacing in units of the noise scale."""
NOTHING = 39.0
"""Deviations from which a normal density is 0 to a computer."""


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Levels at which likelihoods are evaluated: windows about both centres out of a uniform grid of `full` points.

    Between windows that lie far apart the likelihood is nil, so only the windows are kept; `full` still counts all
    points, because a uniform prior spreads over all of them.
    """

    positions: FloatArray
    spacing: float
    full: int

    @classmethod
    def around(cls, centres: FloatArray, runs: int, scales: Scales, *, tau: float, threshold: float) -> "Grid":
        """Windows about the two `centres` and about where a smallest change from either would lie.

        `runs` is the number of sure runs on the side that has fewer, `tau` the largest build deviation considered.
        """
        scale = scales.typical
        spacing = scale * float(np.clip(1.2 / np.sqrt(max(runs, 1)), CLOSEST_SPACING, WIDEST_SPACING))
        pad = max(4 * scale / np.sqrt(max(runs, 1)), 3 * spacing) + 1.5 * tau
        low, high = float(centres.min()), float(centres.max())
        edge = [] if high - low > threshold + 2 * pad else [low + threshold, high - threshold]
        middles = np.array([low, high, *edge])
        start = middles.min() - pad
        full = int(np.ceil((middles.max() + pad - start) / spacing)) + 1
        wanted = [
            np.arange(np.floor((m - pad - start) / spacing), np.ceil((m + pad - start) / spacing) + 1) for m in middles
        ]
        index = np.unique(np.concatenate(wanted).astype(np.int64))
        index = index[(index >= 0) & (index < full)]
        return cls(positions=start + index * spacing, spacing=spacing, full=full)

    @cached_property
    def apart(self) -> IntArray:
        """(grid, grid): how many spacings two positions lie apart."""
        index = np.rint((self.positions - self.positions[0]) / self.spacing).astype(np.int64)
        return np.asarray(np.abs(index[:, None] - index[None, :]))

    def pairs(self, threshold: float) -> float:
        """How many pairs of points of the full grid lie at least `threshold` apart, in one direction."""
        usable = self.full - int(np.ceil(threshold / self.spacing - 1e-9))
        return max(usable * (usable + 1) / 2, 0.0)


def smear(likelihood: FloatArray, grid: Grid, tau: float) -> FloatArray:
    """Log likelihoods (…, grid) of units whose build deviates by N(0, tau²): the convolution over levels, in logs."""
    if tau <= 0:
        return likelihood
    reach, last = (int(np.ceil(part * tau / grid.spacing)) for part in (8, NOTHING))
    density = gaussian(np.arange(last + 1, dtype=np.float64) * grid.spacing, tau)
    density /= 2 * density[: reach + 1].sum() - density[0]
    kernel = density.take(grid.apart, mode="clip")
    top = likelihood.max(axis=-1, keepdims=True)
    return np.asarray(np.log(np.exp(likelihood - top) @ kernel + 1e-300) + top)


def shifted(likelihood: FloatArray, grid: Grid, gap: float, deviation: float) -> FloatArray:
    """Log likelihoods (…, grid) of units whose build lies higher by N(gap, deviation²)."""
    density = gaussian(grid.positions[:, None] - grid.positions[None, :] - gap, deviation) * grid.spacing
    top = likelihood.max(axis=-1, keepdims=True)
    return np.asarray(np.log(np.exp(likelihood - top) @ density + 1e-300) + top)


def log_sum(values: FloatArray, axis: int = -1) -> FloatArray:
    """Log of the sum of exponentials along `axis`; -inf where there is nothing."""
    top = values.max(axis=axis, keepdims=True)
    top = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(np.exp(values - top).sum(axis=axis)) + top.squeeze(axis))


@dataclass(frozen=True, kw_only=True)
class Scaled:
    """Likelihoods (…, grid) over the largest of each row, whose logarithm is `top` (…, 1): exponentials taken once."""

    part: FloatArray
    top: FloatArray

    @classmethod
    def of(cls, logs: FloatArray) -> "Scaled":
        """From their logarithms, of which each row has a finite one."""
        top = logs.max(axis=-1, keepdims=True)
        return cls(part=np.exp(logs - top), top=top)

    @property
    def turned(self) -> "Scaled":
        """The same with the grid the other way round."""
        return Scaled(part=self.part[..., ::-1], top=self.top)

    def log_sum(self) -> FloatArray:
        """Log of the sum along the grid."""
        return np.asarray(np.log(self.part.sum(axis=-1)) + self.top[..., 0])

    def sums_from(self, right: IntArray) -> FloatArray:
        """(…, len(right)): for each index of `right` the sum from there to the end of the grid, which may be empty."""
        sums = np.zeros((*self.part.shape[:-1], self.part.shape[-1] + 1))
        np.cumsum(self.part[..., ::-1], axis=-1, out=sums[..., -2::-1])
        return sums[..., right]

    def sums_to(self, left: IntArray) -> FloatArray:
        """(…, len(left)): for each index of `left` the sum of what lies before it."""
        sums = np.zeros((*self.part.shape[:-1], self.part.shape[-1] + 1))
        np.cumsum(self.part, axis=-1, out=sums[..., 1:])
        return sums[..., left]


def log_pairs(good: Scaled, bad: Scaled, positions: FloatArray, threshold: float) -> FloatArray:
    """Log of Σ good[g] · bad[b] over pairs of levels with positions[b] - positions[g] ≥ threshold.

    Both are (…, grid); a running sum from the right makes it linear in the grid.
    """
    first = np.searchsorted(positions, positions + threshold - 1e-12)
    with np.errstate(divide="ignore"):
        total = np.log((good.part * bad.sums_from(first)).sum(axis=-1))
    return np.asarray(total + good.top[..., 0] + bad.top[..., 0], dtype=np.float64)


def log_evidence(good: Scaled, bad: Scaled, grid: Grid, threshold: float, *, two_sided: bool) -> FloatArray:
    """Log evidence of a change of at least `threshold`, uniform over admissible pairs of levels (-inf without any)."""
    count = grid.pairs(threshold)
    if count == 0:
        return np.full(good.part.shape[:-1], -np.inf)
    rising = log_pairs(good, bad, grid.positions, threshold) - np.log(count)
    if not two_sided:
        return np.asarray(rising)
    falling = log_pairs(good.turned, bad.turned, -grid.positions[::-1], threshold) - np.log(count)
    return np.asarray(np.logaddexp(rising, falling) - np.log(2))


def log_other(good: Scaled, bad: Scaled, change: FloatArray, full: int, wanted: float) -> FloatArray:
    """Log evidence of two levels that are no change worth naming: too close to each other, or the other way round.

    `change` is the log evidence of those that are, `wanted` how many pairs those have out of `full` levels; uniform
    over the remaining pairs.
    """
    every = good.log_sum() + bad.log_sum()
    named = change + np.log(max(wanted, 1e-300))
    inside = np.exp(np.minimum(named - every, 0.0))
    with np.errstate(divide="ignore"):
        return np.asarray(every + np.log1p(-np.minimum(inside, 1 - 1e-12)) - np.log(max(full**2 - wanted, 1.0)))


def side_moments(good: Scaled, bad: Scaled, positions: FloatArray, threshold: float) -> tuple[FloatArray, FloatArray]:
    """Mean and mean square (…, 2) of the old and the new level, given a rise of at least `threshold` between them."""
    above = np.searchsorted(positions, positions + threshold - 1e-12)
    below = np.searchsorted(positions, positions - threshold + 1e-12, side="right")
    weights = np.stack([good.part * bad.sums_from(above), bad.part * good.sums_to(below)], axis=-2)
    weights /= np.maximum(weights.sum(axis=-1, keepdims=True), 1e-300)
    return weights @ positions, weights @ positions**2
