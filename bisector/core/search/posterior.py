"""The probability of each candidate being the culprit, and of there being no change.

Levels, noise scale, noise shape and build deviation are integrated out, not plugged in, so that a handful of runs is
enough to begin with and the stated probability stays honest while everything is still vague.
"""

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np

from bisector.core.model.history import BoolArray
from bisector.core.model.special import expit, logit
from bisector.core.search.build_models import Kinds, build_models, unit_likelihoods
from bisector.core.search.drift import Drift, find_drift
from bisector.core.search.effect import Spread
from bisector.core.search.field import NO_LEVELS, Field, Levels
from bisector.core.search.levels import OTHER_SHARE, Grid, log_evidence, log_other, log_sum
from bisector.core.search.noise import Noise, estimate_scales, log_t3, smallest_gap
from bisector.core.search.observations import Classes, FloatArray, Observations, Settings, classify
from bisector.core.search.odd_builds import allowing_for_builds
from bisector.core.search.sides import Sides, dithered, sides_of
from bisector.core.search.unit_levels import unit_means

SURE = 0.9
"""A unit's runs teach a level once the unit is on that side with this probability."""
MOST_ROUNDS = 4
"""Rounds of finding out which units are sure."""
FINEST = 40.0
"""The noise of a run is taken to be no less than the step over this."""
LIKELIER = 0.5
NEGLIGIBLE = 2e-4
MOST_CLASSES = 12
"""Classes below the one probability, or beyond the other count, are not planned for."""


@dataclass(frozen=True, kw_only=True)
class Posterior:
    """What the observations amount to.

    `probability[m]` is that of class m holding the culprit, `no_change` that of none: together they sum to 1.
    `sigma` and `tau` are the typical deviations of one run and of one build, `unit_mean` each unit's level with
    outliers clipped, `good` and `bad` the centres of both sides, all in the search's units. `levels` are those of the
    old and the new side under each likely class, and under "no change".
    """

    classes: Classes
    probability: FloatArray
    no_change: float
    sigma: float
    tau: float
    unit_mean: FloatArray
    good: float
    bad: float
    exact: bool
    levels: Levels
    df: float
    """Degrees of freedom the noise estimate rests on."""
    reach: float
    """How far apart the two levels may lie a priori."""
    kinds: Kinds | None = None
    """Of which two kinds builds are, where that is likelier than not."""
    log_one_kind: float = 0.0
    """Log of the probability that they are of one kind, on a machine that does not drift."""
    drifting: float = 0.0
    """Probability that the level wanders in time."""
    drift: Drift | None = None
    """What holds if it does, where that is the likelier case; levels and unit means are then those at the last run."""

    @cached_property
    def given_change(self) -> FloatArray:
        """Probability of each class, given that there is a change."""
        total = float(self.probability.sum())
        if total <= 0:
            return self.classes.weight / max(float(self.classes.weight.sum()), 1e-300)
        return self.probability / total

    def of_candidates(self, weights: FloatArray) -> FloatArray:
        """Probability of each candidate (element c - 1), a class's spread over its members by prior weight."""
        share = weights / np.maximum(self.classes.weight[self.classes.of], 1e-300)
        return np.asarray(self.probability[self.classes.of] * share)

    @property
    def spread(self) -> Spread:
        """The noise of single runs and builds, for intervals; a counter has none."""
        if self.exact:
            return Spread(sigma=0.0, tau=0.0, df=1e6)
        return Spread(sigma=self.sigma, tau=self.tau, df=self.df)

    @property
    def spread_of_kind(self) -> Spread:
        """The same where what builds of the odd kind lie off by has been taken off."""
        return self.spread if self.kinds is None else replace(self.spread, tau=self.kinds.within(self.sigma))

    @property
    def centres(self) -> tuple[float, float]:
        """The levels of both sides; where builds are of two kinds that of the usual one, which an end may not be of."""
        if self.kinds is None:
            return self.good, self.bad
        old, new = self.levels.mean[0]
        return float(old), float(new)

    @property
    def step(self) -> float:
        """How far apart both sides lie, whichever is higher."""
        return abs(self.centres[1] - self.centres[0])

    def surplus(self) -> FloatArray:
        """By how much each unit lies off its commit's level because its build is of the odd kind; 0 for the others."""
        if self.kinds is None:
            return np.zeros(len(self.unit_mean))
        off = self.unit_mean - np.where(self.bad_probability() > 0.5, self.centres[1], self.centres[0])
        return np.where(np.abs(off - self.kinds.gap) < np.abs(off), self.kinds.gap, 0.0)

    def surplus_of(self, units: BoolArray) -> FloatArray:
        """The same of some `units`; 0 where this is the posterior of a part of the line, which has others."""
        return self.surplus()[units] if len(units) == len(self.unit_mean) else np.zeros(int(units.sum()))

    def without_surplus(self, builds: list[FloatArray], units: BoolArray) -> list[FloatArray]:
        """The runs of each of `builds`, which are `units` in this order or none of the line, without their surplus."""
        own = self.surplus_of(units)
        return [each - extra for each, extra in zip(builds, own, strict=True)] if len(own) else builds

    def bad_probability(self) -> FloatArray:
        """Probability of each unit having the new level, given that there is a change."""
        return np.asarray(self.given_change @ self.classes.bad)


def assess(observations: Observations, settings: Settings) -> Posterior:
    """The posterior of `observations`, a function of the data alone: which units are sure is found by iteration.

    The last few are remembered: to build, to run and to show what is known each ask for the same one.
    """
    return _remembered(_Asked(observations=observations, settings=settings))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Asked:
    """Observations and settings, equal where all that the posterior depends on is."""

    observations: Observations
    settings: Settings

    @cached_property
    def _key(self) -> tuple[object, ...]:
        seen = self.observations
        arrays = (seen.values, seen.run_unit, seen.unit_place, seen.weights, seen.times, seen.bounds, seen.bad_if)
        data = tuple(None if each is None else each.tobytes() for each in arrays)
        return (data, seen.threshold, seen.low, seen.high, seen.exact, self.settings)

    def __hash__(self) -> int:
        return hash(self._key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Asked) and self._key == other._key


@lru_cache(maxsize=8)
def _remembered(asked: _Asked) -> Posterior:
    observations, settings = asked.observations, asked.settings
    classes = classify(observations)
    values = dithered(observations)
    possible = classes.weight > 0
    good = np.asarray(~classes.bad[possible].any(axis=0))
    bad = np.asarray(classes.bad[possible].all(axis=0))
    usual, between_builds = settings, len(settings.tau_ratios) > 1
    sides = sides_of(observations, values, good, bad, between_builds=between_builds)
    for _ in range(MOST_ROUNDS):
        settings = _allowing_for_builds(usual, observations, values, sides)
        posterior = _integrate(observations, values, classes, sides, settings, quick=True)
        worse = posterior.bad_probability()
        surely_good, surely_bad = good | (worse < 1 - SURE), bad | (worse > SURE)
        if (surely_good == sides.good_units).all() and (surely_bad == sides.bad_units).all():
            break
        good, bad = surely_good & ~bad, surely_bad & ~good
        sides = sides_of(observations, values, good, bad, between_builds=between_builds)
    settings = _allowing_for_builds(usual, observations, values, sides)
    steady = _integrate(observations, values, classes, sides, settings, quick=False)
    drift = find_drift(observations, values, classes, settings, steady.reach)
    return steady if drift is None else _with_drift(steady, drift, settings)


def _allowing_for_builds(settings: Settings, observations: Observations, values: FloatArray, sides: Sides) -> Settings:
    scale = estimate_scales(sides.residuals, sides.df, _floor(observations, values, sides)).typical
    return allowing_for_builds(settings, observations, values, sides.centres, scale)


def _floor(observations: Observations, values: FloatArray, sides: Sides) -> float:
    """The least that the noise of a run is taken to be."""
    floor = max(0.3 * smallest_gap(values), 1e-9 * max(1.0, float(np.max(np.abs(values)))))
    apart = float(np.abs(sides.centres[1] - sides.centres[0]))
    if observations.exact:
        # A counter has no run-to-run noise; how far single commits stray from the two levels stands in for it.
        return max(apart / 8, observations.threshold / 8, 1e-9)
    # Less noise than this teaches no more, and a grid that resolves it does not end.
    return max(floor, apart / FINEST)


def _with_drift(steady: Posterior, drift: Drift, settings: Settings) -> Posterior:
    """Average over a steady and a drifting machine by the odds that the data and the prior give.

    The data's are those among builds that deviate normally: what speaks for two kinds speaks against a drift, too.
    """
    share = float(expit(drift.odds + steady.log_one_kind + float(logit(settings.prior_drift))))
    mixed = replace(
        steady,
        probability=(1 - share) * steady.probability + share * drift.probability,
        no_change=(1 - share) * steady.no_change + share * drift.no_change,
        drifting=share,
    )
    if share < LIKELIER:
        return mixed
    likely = _likely(mixed.probability)
    rows = [*likely, -1]
    return replace(
        mixed,
        drift=drift,
        kinds=None,
        sigma=drift.sigma,
        tau=drift.tau,
        unit_mean=drift.unit_mean,
        levels=Levels(
            classes=likely,
            mean=drift.mean[rows],
            variance=drift.variance[rows],
            tau=np.full(len(rows), drift.tau),
        ),
    )


def _likely(probability: FloatArray) -> tuple[int, ...]:
    """The classes that are planned for."""
    order = np.argsort(-probability, kind="stable")[:MOST_CLASSES]
    return tuple(int(m) for m in order if probability[m] > NEGLIGIBLE)


def _integrate(
    observations: Observations,
    values: FloatArray,
    classes: Classes,
    sides: Sides,
    settings: Settings,
    *,
    quick: bool,
) -> Posterior:
    """Integrate levels, noise and build deviation out; `quick` by a coarse version, for finding sides."""
    builds, prior = build_models(settings, quick=quick)
    scales = estimate_scales(sides.residuals, sides.df, _floor(observations, values, sides))
    noise = Noise.of(scales, sides.residuals, quick=quick or observations.exact)
    grid = Grid.around(
        sides.centres,
        sides.fewest,
        scales,
        tau=max(model.reach(scales.typical) for model in builds),
        threshold=observations.threshold,
    )
    units, done = len(observations.unit_place), observations.finished
    base = noise.unit_log_likelihood(values[done], observations.run_unit[done], units, grid.positions, sides.own[done])
    if not done.all():
        # The same under every model of the noise, of which a bound says nothing.
        each = np.zeros((units, len(grid.positions)))
        np.add.at(each, observations.run_unit[~done], log_t3(values[~done, None] - grid.positions, scales.t))
        base = base + each
    field = Field(
        models=unit_likelihoods(base, noise, grid, builds),
        log_prior=(noise.log_prior[:, None] + prior).ravel(),
        sigma=np.repeat(noise.sigma, len(builds)),
        tau=np.array([model.deviation(float(sigma)) for sigma in noise.sigma for model in builds]),
        gap=np.array([model.gap for model in builds] * len(noise.sigma)),
        grid=grid,
        threshold=observations.threshold,
    )
    return _posterior(observations, classes, sides, field, settings, quick=quick)


def _kinds(share: FloatArray, gap: FloatArray) -> Kinds | None:
    """The two kinds of builds, where the models with `share` that have them are likelier than all others."""
    if share @ (gap != 0) < LIKELIER:
        return None
    above = float(share @ (gap > 0)) >= float(share @ (gap < 0))
    return Kinds(gap=float(gap.max() if above else gap.min()))


def _posterior(
    observations: Observations, classes: Classes, sides: Sides, field: Field, settings: Settings, *, quick: bool
) -> Posterior:
    good, bad = field.split(classes.bad)
    change = log_evidence(good, bad, field.grid, field.threshold, two_sided=settings.two_sided)
    with np.errstate(divide="ignore"):
        weight = np.log(classes.weight / classes.weight.sum())
    flat = log_sum(field.total) - np.log(field.grid.full) + np.log(1 - OTHER_SHARE)
    wanted = field.grid.pairs(field.threshold) * (2 if settings.two_sided else 1)
    other = log_other(good, bad, change, field.grid.full, wanted) + weight[:, None]
    none = (
        np.logaddexp(flat, log_sum(other, axis=0) + np.log(OTHER_SHARE))
        + field.log_prior
        + np.log(settings.prior_no_change)
    )
    change = change + field.log_prior[None, :] + weight[:, None] + np.log(1 - settings.prior_no_change)

    top = max(float(change.max()), float(none.max()))
    by_class, by_none = np.exp(change - top), np.exp(none - top)
    by_model = by_class.sum(axis=0) + by_none
    total = float(by_model.sum())
    probability = by_class.sum(axis=1) / total
    likely = _likely(probability)
    share = by_model / total
    sigma = float(np.sqrt(share @ field.sigma**2))
    return Posterior(
        classes=classes,
        probability=probability,
        no_change=float(by_none.sum()) / total,
        sigma=sigma,
        tau=float(np.sqrt(share @ field.tau**2)),
        unit_mean=np.zeros(0) if quick else unit_means(observations, sides.centres, sigma),
        good=float(sides.centres[0]),
        bad=float(sides.centres[1]),
        exact=observations.exact,
        df=sides.df,
        reach=field.grid.full * field.grid.spacing,
        kinds=_kinds(share, field.gap),
        log_one_kind=float(np.log(np.maximum(share @ (field.gap == 0), 1e-300))),
        levels=NO_LEVELS
        if quick
        else field.levels(likely, classes.bad, (by_class, by_none), two_sided=settings.two_sided),
    )
