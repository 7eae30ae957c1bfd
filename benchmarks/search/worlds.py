"""Worlds to search in: a line of commits, a planted change, noise of a known kind, and a meter on every run and build.

One run costs 1 and takes 1 unit of time, a build costs and takes `build_cost`. The level at the good end is 100, the
deviation of one run is 1 and the change is `effect` deviations. Two strategies that ask for different things still meet
the same culprit, the same scales and the same broken commits: those are drawn first, from the world's own seed.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

LEVEL = 100.0
MOST_COST = 4000.0
"""A strategy that spends more than this has not answered."""
QUANTUM = 2.0


class Setting(StrEnum):
    """What is planted."""

    SINGLE = "single"
    NO_CHANGE = "nochange"
    TWO = "two"
    PARTIAL_FIX = "partialfix"
    UNBUILDABLE = "unbuildable"


@dataclass(frozen=True, kw_only=True)
class Regime:
    """A kind of noise: the shape of one run's, and what comes on top of it."""

    name: str
    shape: str = "gauss"
    burst_share: float = 0.0
    drift: float = 0.0
    """Deviation of a random walk per unit of time."""
    build: float = 0.0
    """Deviation of an offset that every build draws anew."""
    build_modes: bool = False
    odd_builds: float = 0.0
    """By how much odd builds lie higher than all others, which are alike."""
    odd_share: float = 0.25
    """Which part of all builds is odd."""
    fixed_builds: bool = False
    """A rebuild of the same commit is the same, offset and all, as with most programs that are not compiled."""
    uneven: bool = False
    """Every commit has a scale of its own, larger on the bad side."""


REGIMES = {
    regime.name: regime
    for regime in (
        Regime(name="gauss"),
        Regime(name="lognorm", shape="lognorm"),
        Regime(name="t3", shape="t3"),
        Regime(name="bimodal", shape="bimodal"),
        Regime(name="burst", burst_share=0.10),
        Regime(name="hetero", uneven=True),
        Regime(name="quant", shape="quant"),
        Regime(name="drift", drift=0.1),
        Regime(name="drift3", drift=0.3),
        Regime(name="build", build=0.5),
        Regime(name="buildmode", build_modes=True),
        Regime(name="oddbuild", odd_builds=4.0),
        Regime(name="oddbelow", odd_builds=-4.0),
        Regime(name="oddfar", odd_builds=8.0),
        Regime(name="oddstep", odd_builds=2.0),
        Regime(name="oddhalf", odd_builds=4.0, odd_share=0.5),
        Regime(name="buildfix", build=0.5, fixed_builds=True),
        Regime(name="same", fixed_builds=True),
        Regime(name="mix", shape="lognorm", burst_share=0.03, drift=0.04, build=0.25),
        Regime(name="exact", shape="none"),
        Regime(name="quietbuild", shape="none", build=0.5),
    )
}
BURST_LENGTH = 5.0
LOG_SIGMA = 0.8
MODE_SHARE, MODE_SD, BUILD_MODE = 0.3, 0.35, 1.2


class OverBudget(Exception):
    """The strategy has spent all there is."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a world is made from; equal plans give equal worlds."""

    regime: str
    setting: Setting
    size: int
    effect: float
    build_cost: float
    seed: int
    trial: int


class World:
    """A line of `size` candidates that can be built and run, at a price."""

    def __init__(self, plan: Plan) -> None:
        """Plant the change and draw what belongs to the commits; runs and builds draw from a stream of their own."""
        self.plan = plan
        self.size, self.build_cost = plan.size, plan.build_cost
        self._regime = REGIMES[plan.regime]
        planted = np.random.default_rng([plan.seed, plan.trial, plan.size])
        self._draw = np.random.default_rng([plan.seed, plan.trial, plan.size, 1])
        self._levels = np.full(plan.size + 1, LEVEL)
        self.culprits = self._plant(planted)
        scales = np.exp(0.4 * planted.standard_normal(plan.size + 1)) if self._regime.uneven else np.ones(plan.size + 1)
        worse = self._levels > LEVEL
        self._scales = scales * (np.where(worse, 1.25, 0.8) if self._regime.uneven else 1.0)
        self._fixed = planted.normal(0, 1, plan.size + 1) * self._regime.build
        self.broken = np.zeros(plan.size + 1, dtype=bool)
        if plan.setting is Setting.UNBUILDABLE:
            self.broken[1:-1] = planted.random(plan.size - 1) < 0.10
        self.clock, self.runs, self.builds, self._walk, self._bursting = 0.0, 0, 0, 0.0, False
        self._units: list[tuple[int, float]] = []

    @property
    def cost(self) -> float:
        """What was spent so far."""
        return self.runs + self.build_cost * self.builds

    def build(self, index: int, *, beside: bool = False) -> int | None:
        """Pay for a build of commit `index`: the number of the new unit, or None when it does not build.

        `beside` one that was just made it takes no time of its own.
        """
        self._pay(self.build_cost, takes=0.0 if beside else self.build_cost)
        self.builds += 1
        if self.broken[index]:
            return None
        self._units.append((index, self._offset(index)))
        return len(self._units) - 1

    def run(self, unit: int, *, beside: bool = False) -> float:
        """Pay for one run of a unit: the value it yields. `beside` the last one it is made at the same moment."""
        self._pay(1.0, takes=0.0 if beside else 1.0)
        self.runs += 1
        return self._value(unit)

    def _value(self, unit: int) -> float:
        index, offset = self._units[unit]
        value = self._levels[index] + offset + self._walk + self._scales[index] * self._noise()
        if self._regime.shape == "quant":
            value = QUANTUM * np.round(value / QUANTUM)
        if self._bursting:
            value *= self._draw.uniform(1.5, 3)
        return float(value)

    def accepts(self, found: tuple[int, ...], *, no_change: bool) -> bool:
        """Whether an answer is right: exactly the culprit, or, beside broken commits, exactly what these leave open."""
        match self.plan.setting:
            case Setting.NO_CHANGE:
                return no_change
            case Setting.TWO:
                return not no_change and bool(found) and set(found) <= set(self.culprits)
            case Setting.PARTIAL_FIX:
                return not no_change and self.culprits[0] in found and set(found) <= set(self.culprits)
            case _:
                return not no_change and tuple(sorted(found)) == self._alike(self.culprits[0])

    def _alike(self, culprit: int) -> tuple[int, ...]:
        testable = np.flatnonzero(~self.broken)
        before = int(testable[testable < culprit].max())
        after = int(testable[testable >= culprit].min())
        return tuple(range(before + 1, after + 1))

    def _plant(self, planted: np.random.Generator) -> tuple[int, ...]:
        size, effect = self.plan.size, self.plan.effect
        match self.plan.setting:
            case Setting.NO_CHANGE:
                return ()
            case Setting.TWO | Setting.PARTIAL_FIX:
                first, second = sorted(int(c) for c in planted.choice(np.arange(1, size + 1), 2, replace=False))
                steps = (effect, effect) if self.plan.setting is Setting.TWO else (1.5 * effect, -0.5 * effect)
                self._levels[first:] += steps[0]
                self._levels[second:] += steps[1]
                return first, second
            case _:
                culprit = int(planted.integers(1, size + 1))
                self._levels[culprit:] += effect
                return (culprit,)

    def _offset(self, index: int) -> float:
        regime = self._regime
        if regime.build_modes:
            return float(BUILD_MODE * ((self._draw.random() < MODE_SHARE) - MODE_SHARE))
        if regime.odd_builds:
            return regime.odd_builds * (self._draw.random() < regime.odd_share)
        return float(self._fixed[index]) if regime.fixed_builds else float(regime.build * self._draw.standard_normal())

    def _noise(self) -> float:
        draw = self._draw
        match self._regime.shape:
            case "none":
                return 0.0
            case "lognorm":
                mean, variance = np.exp(LOG_SIGMA**2 / 2), np.exp(LOG_SIGMA**2) * (np.exp(LOG_SIGMA**2) - 1)
                return float((np.exp(LOG_SIGMA * draw.standard_normal()) - mean) / np.sqrt(variance))
            case "t3":
                return float(draw.standard_t(3) / np.sqrt(3))
            case "bimodal":
                gap = mode_gap()
                second = draw.random() < MODE_SHARE
                return float(MODE_SD * draw.standard_normal() + gap * (second - MODE_SHARE))
            case _:
                return float(draw.standard_normal())

    def _pay(self, price: float, *, takes: float) -> None:
        if self.cost + price > MOST_COST:
            raise OverBudget
        if not takes:
            return
        self.clock += takes
        if self._regime.drift:
            self._walk += float(self._regime.drift * np.sqrt(takes) * self._draw.standard_normal())
        if self._regime.burst_share:
            leave = 1 / BURST_LENGTH
            enter = leave * self._regime.burst_share / (1 - self._regime.burst_share)
            for _ in range(max(round(takes), 1)):
                self._bursting = bool(self._draw.random() < ((1 - leave) if self._bursting else enter))


def mode_gap() -> float:
    """Distance of the two modes of bimodal noise, such that its deviation is 1."""
    return float(np.sqrt((1 - MODE_SD**2) / (MODE_SHARE * (1 - MODE_SHARE))))
