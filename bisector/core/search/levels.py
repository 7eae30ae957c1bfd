"""The grid of levels over which the two unknown levels are integrated, and the evidence computed on it."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bisector.core.search.noise import Noise, Scales, gaussian
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
    kernel = density[np.minimum(grid.apart, last)]
    top = likelihood.max(axis=-1, keepdims=True)
    return np.asarray(np.log(np.exp(likelihood - top) @ kernel + 1e-300) + top)


def unit_likelihoods(base: FloatArray, noise: Noise, grid: Grid, ratios: FloatArray) -> FloatArray:
    """(models, units, grid) from (members, units, grid): each noise member with each build deviation, member-major."""
    models = [smear(base[k], grid, float(ratio * noise.sigma[k])) for k in range(len(base)) for ratio in ratios]
    return np.array(models)


def log_sum(values: FloatArray, axis: int = -1) -> FloatArray:
    """Log of the sum of exponentials along `axis`; -inf where there is nothing."""
    top = values.max(axis=axis, keepdims=True)
    top = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(np.exp(values - top).sum(axis=axis)) + top.squeeze(axis))


def log_pairs(good: FloatArray, bad: FloatArray, positions: FloatArray, threshold: float) -> FloatArray:
    """Log of Σ exp(good[g] + bad[b]) over pairs of levels with positions[b] - positions[g] ≥ threshold.

    `good` and `bad` are (…, grid); a running sum from the right makes it linear in the grid.
    """
    top = bad.max(axis=-1, keepdims=True)
    suffix = np.exp(bad - top)[..., ::-1].cumsum(axis=-1)[..., ::-1]
    suffix = np.concatenate([suffix, np.zeros((*suffix.shape[:-1], 1))], axis=-1)
    first = np.searchsorted(positions, positions + threshold - 1e-12)
    crest = good.max(axis=-1, keepdims=True)
    with np.errstate(divide="ignore"):
        total = np.log((np.exp(good - crest) * suffix[..., first]).sum(axis=-1))
    return np.asarray(total + crest[..., 0] + top[..., 0], dtype=np.float64)


def log_evidence(good: FloatArray, bad: FloatArray, grid: Grid, threshold: float, *, two_sided: bool) -> FloatArray:
    """Log evidence of a change of at least `threshold`, uniform over admissible pairs of levels (-inf without any)."""
    count = grid.pairs(threshold)
    if count == 0:
        return np.full(good.shape[:-1], -np.inf)
    rising = log_pairs(good, bad, grid.positions, threshold) - np.log(count)
    if not two_sided:
        return np.asarray(rising)
    falling = log_pairs(good[..., ::-1], bad[..., ::-1], -grid.positions[::-1], threshold) - np.log(count)
    return np.asarray(np.logaddexp(rising, falling) - np.log(2))


def log_other(good: FloatArray, bad: FloatArray, change: FloatArray, full: int, wanted: float) -> FloatArray:
    """Log evidence of two levels that are no change worth naming: too close to each other, or the other way round.

    `change` is the log evidence of those that are, `wanted` how many pairs those have out of `full` levels; uniform
    over the remaining pairs.
    """
    every = log_sum(good) + log_sum(bad)
    named = change + np.log(max(wanted, 1e-300))
    inside = np.exp(np.minimum(named - every, 0.0))
    with np.errstate(divide="ignore"):
        return np.asarray(every + np.log1p(-np.minimum(inside, 1 - 1e-12)) - np.log(max(full**2 - wanted, 1.0)))


def side_moments(
    good: FloatArray, bad: FloatArray, positions: FloatArray, threshold: float
) -> tuple[FloatArray, FloatArray]:
    """Mean and mean square (…, 2) of the old and the new level, given a rise of at least `threshold` between them."""
    top, crest = bad.max(axis=-1, keepdims=True), good.max(axis=-1, keepdims=True)
    old, new = np.exp(good - crest), np.exp(bad - top)
    zero = np.zeros((*old.shape[:-1], 1))
    suffix = np.concatenate([new[..., ::-1].cumsum(axis=-1)[..., ::-1], zero], axis=-1)
    prefix = np.concatenate([zero, old.cumsum(axis=-1)], axis=-1)
    old = old * suffix[..., np.searchsorted(positions, positions + threshold - 1e-12)]
    new = new * prefix[..., np.searchsorted(positions, positions - threshold + 1e-12, side="right")]
    weights = np.stack([old, new], axis=-2)
    weights /= np.maximum(weights.sum(axis=-1, keepdims=True), 1e-300)
    return weights @ positions, weights @ positions**2
