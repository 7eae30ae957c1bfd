"""What builds may do to a level: models that are averaged over, as those of the noise are."""

from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np

from bisector.core.search.levels import Grid, shifted, smear
from bisector.core.search.noise import Noise
from bisector.core.search.observations import FloatArray, Settings

ODD_SHARE = 0.3
"""Share of odd builds where most are alike: a loop that crosses a line of the cache may do so in one start of four."""
SEEN_PRIOR = 0.1
"""How likely the deviation is that builds of one commit show, and each way in which only odd builds have it."""
LEAST_WITHIN, WITHIN = 0.5, 0.1
"""Deviation of builds of one kind: at least so much of a run's, and of the gap between the kinds."""


class BuildModel(Protocol):
    """One way in which builds may deviate. `sigma` is the deviation of a run."""

    @property
    def gap(self) -> float:
        """By how much odd builds all lie above the others, 0 where they do not all lie alike."""

    def deviation(self, sigma: float) -> float:
        """The deviation of a build."""

    def reach(self, sigma: float) -> float:
        """How far off a build may well lie."""

    def of_units(self, likelihood: FloatArray, sigma: float, grid: Grid) -> FloatArray:
        """Log likelihoods (…, grid) of units at each level, from those of their runs at what the builds came to."""


@dataclass(frozen=True, kw_only=True)
class Deviating:
    """Every build deviates by N(0, (ratio · sigma)²)."""

    ratio: float
    gap: ClassVar[float] = 0.0

    def deviation(self, sigma: float) -> float:
        """The deviation of a build."""
        return self.ratio * sigma

    reach = deviation

    def of_units(self, likelihood: FloatArray, sigma: float, grid: Grid) -> FloatArray:
        """Log likelihoods of the units."""
        return smear(likelihood, grid, self.ratio * sigma)


@dataclass(frozen=True, kw_only=True)
class Odd:
    """ODD_SHARE of the builds deviate by N(0, (ratio · sigma)²), the others are alike."""

    ratio: float
    gap: ClassVar[float] = 0.0

    def deviation(self, sigma: float) -> float:
        """The deviation of a build."""
        return float(self.ratio * np.sqrt(ODD_SHARE)) * sigma

    def reach(self, sigma: float) -> float:
        """The deviation of an odd build."""
        return self.ratio * sigma

    def of_units(self, likelihood: FloatArray, sigma: float, grid: Grid) -> FloatArray:
        """Log likelihoods of the units."""
        return _mixed(likelihood, smear(likelihood, grid, self.ratio * sigma))


@dataclass(frozen=True, kw_only=True)
class Kinds:
    """ODD_SHARE of the builds lie by `gap` above the others, in the search's units; below where that is negative."""

    gap: float

    def deviation(self, sigma: float) -> float:
        """The deviation of a build, of whichever kind."""
        return float(np.hypot(self.gap * np.sqrt(ODD_SHARE * (1 - ODD_SHARE)), self.within(sigma) * np.sqrt(ODD_SHARE)))

    @property
    def offsets(self) -> FloatArray:
        """By how much the builds of each kind lie higher."""
        return np.array([0.0, self.gap])

    @property
    def shares(self) -> FloatArray:
        """Which part of the builds is of each kind."""
        return np.array([1 - ODD_SHARE, ODD_SHARE])

    def within(self, sigma: float) -> float:
        """The deviation of the odd builds among themselves: how far apart the kinds lie is not known exactly."""
        return max(WITHIN * abs(self.gap), LEAST_WITHIN * sigma)

    def reach(self, sigma: float) -> float:
        """How far the kinds lie apart, and a little more."""
        return abs(self.gap) + self.within(sigma)

    def of_units(self, likelihood: FloatArray, sigma: float, grid: Grid) -> FloatArray:
        """Log likelihoods of the units."""
        return _mixed(likelihood, shifted(likelihood, grid, self.gap, self.within(sigma)))


def _mixed(usual: FloatArray, odd: FloatArray) -> FloatArray:
    return np.asarray(np.logaddexp(usual + np.log(1 - ODD_SHARE), odd + np.log(ODD_SHARE)))


def build_models(settings: Settings, *, quick: bool) -> tuple[tuple[BuildModel, ...], FloatArray]:
    """The models that `settings` allow for, and the log of each one's prior; `quick` without the widest deviation."""
    ratios = settings.tau_ratios[:-1] if quick and len(settings.tau_ratios) > 1 else settings.tau_ratios
    models: list[BuildModel] = [Deviating(ratio=ratio) for ratio in ratios]
    prior = [*settings.tau_prior[: len(ratios)]]
    if settings.odd_builds:
        models.append(Odd(ratio=settings.odd_builds))
        prior.append(SEEN_PRIOR)
    if settings.gap:
        models += [Kinds(gap=settings.gap), Kinds(gap=-settings.gap)]
        prior += settings.kinds_prior
    return tuple(models), np.log(np.array(prior) / sum(prior))


def unit_likelihoods(base: FloatArray, noise: Noise, grid: Grid, models: tuple[BuildModel, ...]) -> FloatArray:
    """(noise members × models, units, grid) from (members, units, grid): each of the noise with each of the builds."""
    known = zip(base, noise.sigma, strict=True)
    return np.array([model.of_units(each, float(sigma), grid) for each, sigma in known for model in models])
