"""How well every level fits every unit, under each model of the noise, and what that says of the two levels."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bisector.core.model.history import BoolArray
from bisector.core.search.levels import Grid, Scaled, log_pairs, side_moments
from bisector.core.search.observations import FloatArray


@dataclass(frozen=True, kw_only=True)
class Levels:
    """Under each of `classes`, and last under "no change": mean and variance of the old (0) and the new (1) level, and
    the deviation of a build: that a build with the old level has the new one after all takes builds that deviate.
    """

    classes: tuple[int, ...]
    mean: FloatArray
    variance: FloatArray
    tau: FloatArray


NO_LEVELS = Levels(classes=(), mean=np.zeros((0, 2)), variance=np.zeros((0, 2)), tau=np.zeros(0))


@dataclass(frozen=True, kw_only=True)
class Field:
    """Log likelihoods (models, units, grid) of every unit at every level, and what each model assumes."""

    models: FloatArray
    log_prior: FloatArray
    sigma: FloatArray
    tau: FloatArray
    gap: FloatArray
    grid: Grid
    threshold: float

    def split(self, bad: BoolArray) -> tuple[Scaled, Scaled]:
        """(classes, models, grid): likelihood of the units on the old and on the new side of each class."""
        worse = np.swapaxes(bad.astype(float) @ self.models, 0, 1)
        return Scaled.of(self.total[None] - worse), Scaled.of(worse)

    @cached_property
    def total(self) -> FloatArray:
        """(models, grid): log likelihood of all units at one common level."""
        return np.asarray(self.models.sum(axis=1))

    def levels(
        self, likely: tuple[int, ...], sides: BoolArray, weights: tuple[FloatArray, FloatArray], *, two_sided: bool
    ) -> Levels:
        """Levels of both sides under the classes `likely`, averaged over the models as the data weigh them.

        `sides[m, u]` says whether unit u is bad under class m; `weights` are those of (classes, models) and of the
        models under "no change".
        """
        rows = list(likely)
        good, bad = self.split(sides[rows])
        by_class, by_none = weights
        mean, square = self._moments(good, bad, two_sided=two_sided)
        weight = by_class[rows] / np.maximum(by_class[rows].sum(axis=1, keepdims=True), 1e-300)
        mean, square = (np.einsum("cm,cms->cs", weight, each) for each in (mean, square))
        common = np.exp(self.total - self.total.max(axis=1, keepdims=True))
        common = (by_none / max(float(by_none.sum()), 1e-300)) @ (common / common.sum(axis=1, keepdims=True))
        middle = float(common @ self.grid.positions)
        spread = max(float(common @ self.grid.positions**2) - middle**2, 0.0)
        variance = np.maximum(square - mean**2, 0.0)
        each = np.vstack([weight, by_none / max(float(by_none.sum()), 1e-300)])
        return Levels(
            classes=likely,
            mean=np.vstack([mean.reshape(-1, 2), [[middle, middle]]]),
            variance=np.vstack([variance.reshape(-1, 2), [[spread, spread]]]),
            tau=np.sqrt(each @ self.tau**2),
        )

    def _moments(self, good: Scaled, bad: Scaled, *, two_sided: bool) -> tuple[FloatArray, FloatArray]:
        positions, threshold = self.grid.positions, self.threshold
        mean, square = side_moments(good, bad, positions, threshold)
        if not two_sided:
            return mean, square
        turned = good.turned, bad.turned, -positions[::-1], threshold
        down, down_square = side_moments(*turned)
        with np.errstate(invalid="ignore"):
            # Where neither way is possible at all there is no lead: -inf less -inf.
            lead = np.nan_to_num(log_pairs(good, bad, positions, threshold) - log_pairs(*turned), nan=0.0)
        up = (1 / (1 + np.exp(np.clip(-lead, -500, 500))))[..., None]
        return up * mean - (1 - up) * down, up * square + (1 - up) * down_square
