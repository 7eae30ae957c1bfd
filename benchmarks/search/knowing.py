"""How cheap a search can be that knows its world: floors under what a real tool may hope for.

Each knows the number of candidates, the shape and the scale of the noise, that builds do not differ and that the
machine does not drift, or how fast it does, and is done once one commit has 95 %. What to run is chosen one run at a
time, by expected information per cost. That looks one measurement ahead: it is a floor for searches that choose in
this way and no bound. None verifies.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

import numpy as np
from scipy.special import expit, logit, ndtr

from benchmarks.search.bounds import Floats, density, sides
from benchmarks.search.knowing_drift import LEAST_CHANGE, Walk, WanderingLevels
from benchmarks.search.peers import Bench
from benchmarks.search.strategies import Answer
from benchmarks.search.worlds import LEVEL, QUANTUM, REGIMES, Regime, World
from bisector.core.search.information import bits
from bisector.core.search.levels import Scaled, log_pairs, log_sum, side_moments

ENOUGH = 0.95
PRIOR_NO_CHANGE = 0.2
RUNS = np.array([1.0, 2, 4, 8, 16, 32])
SHARES = np.concatenate([[0.0], expit(np.linspace(-12, 12, 241)), [1.0]])
LARGEST, FINE = 40.0, 0.05
"""Range and steps of a run's log likelihood ratio, in nats."""
BESIDE, SPACING = 4.0, 0.1
"""How far beyond the runs seen first a level may lie, and the steps of the grid of levels."""
NEGLIGIBLE = 2e-4


class Belief(Protocol):
    """What is known of the culprit after some runs."""

    def chances(self) -> Floats:
        """Probability of each candidate (element c - 1), and last of there being no change."""

    def learn(self, index: int, value: float) -> None:
        """Take in one run of commit `index`."""

    def best(self, unbuilt: Floats) -> int:
        """The commit whose runs teach most for their price; `unbuilt` is what each one's build costs still."""


@dataclass
class KnownLevels:
    """Both densities are known: a run says how many nats speak for its commit being bad."""

    shape: str
    effect: float
    size: int
    no_change: float = 0.0
    evidence: Floats = field(init=False)

    def __post_init__(self) -> None:
        """Nothing was run yet."""
        self.evidence = np.zeros(self.size + 1)

    def chances(self) -> Floats:
        """A candidate makes itself and all later commits bad; no change makes none so."""
        bad = np.cumsum(self.evidence[::-1])[::-1][1:]
        with np.errstate(divide="ignore"):
            logs = np.append(bad + np.log((1 - self.no_change) / self.size), np.log(self.no_change))
        return _normalized(logs)

    def learn(self, index: int, value: float) -> None:
        """Add what the run says."""
        good, bad = (log_density(self.shape, np.array([value - LEVEL - level])) for level in (0.0, self.effect))
        self.evidence[index] += float(np.clip(bad - good, -LARGEST, LARGEST)[0])

    def best(self, unbuilt: Floats) -> int:
        """By the information of several runs, so that a build is paid for by all that will be made of it."""
        share = np.append(0.0, np.cumsum(self.chances()[:-1]))
        gain = np.array([np.interp(share, SHARES, each) for each in run_information(self.shape, self.effect)])
        return int(np.argmax((gain / (RUNS[:, None] + unbuilt)).max(axis=0)))


@dataclass
class UnknownLevels:
    """Only shape and scale of the noise are known: both levels are integrated out on a grid.

    What a run would show is predicted as normal, with the deviation of normal noise that teaches as much a run.
    """

    shape: str
    size: int
    no_change: float = PRIOR_NO_CHANGE
    waiting: list[tuple[int, float]] = field(default_factory=list)
    grid: Floats | None = None
    likelihood: dict[int, Floats] = field(default_factory=dict)

    def learn(self, index: int, value: float) -> None:
        """Add the run's likelihood at every level; the grid is laid about the first two runs."""
        self.waiting.append((index, value))
        if len(self.waiting) == 2:
            seen = [value for _, value in self.waiting]
            self.grid = np.arange(min(seen) - BESIDE, max(seen) + BESIDE + SPACING, SPACING)
            for each in self.waiting:
                self._add(*each)
        elif self.grid is not None:
            self._add(index, value)

    def _add(self, index: int, value: float) -> None:
        assert self.grid is not None
        nats = log_density(self.shape, value - self.grid)
        self.likelihood[index] = self.likelihood.get(index, np.zeros(len(self.grid))) + nats

    def _borders(self) -> list[int]:
        return sorted(self.likelihood)

    def _split(self) -> tuple[Floats, Floats]:
        """(classes, grid): log likelihood of what is good and of what is bad, for each gap between measured commits."""
        each = np.array([self.likelihood[index] for index in self._borders()])
        good = np.cumsum(each, axis=0)
        return good[:-1], good[-1] - good[:-1]

    def _classes(self) -> Floats:
        """Probability of each gap between measured commits, and last of no change."""
        assert self.grid is not None
        good, bad = self._split()
        every = len(self.grid)
        usable = every - int(np.ceil(LEAST_CHANGE / SPACING - 1e-9))
        sizes = np.diff(self._borders()) / self.size
        change = log_pairs(Scaled.of(good), Scaled.of(bad), self.grid, LEAST_CHANGE) - np.log(usable * (usable + 1) / 2)
        none = float(log_sum(good[0] + bad[0])) - np.log(every)
        return _normalized(np.append(change + np.log(sizes * (1 - self.no_change)), none + np.log(self.no_change)))

    def chances(self) -> Floats:
        """A gap's probability is shared evenly by the candidates in it; the prior before both ends have a run."""
        if self.grid is None:
            return np.append(np.full(self.size, (1 - self.no_change) / self.size), self.no_change)
        classes, sizes = self._classes(), np.diff(self._borders())
        return np.append(np.repeat(classes[:-1] / sizes, sizes), classes[-1])

    def best(self, unbuilt: Floats) -> int:
        """Of every measured commit, and of the middle of every likely gap."""
        assert self.grid is not None
        good, bad = self._split()
        mean, square = side_moments(Scaled.of(good), Scaled.of(bad), self.grid, LEAST_CHANGE)
        common = np.exp(good[0] + bad[0] - (good[0] + bad[0]).max())
        common /= common.sum()
        alone = [np.array([common @ self.grid**power] * 2)[None] for power in (1, 2)]
        mean, square = (np.vstack(each) for each in ((mean, alone[0]), (square, alone[1])))
        classes, borders = self._classes(), np.array(self._borders())
        likely = np.flatnonzero(classes > NEGLIGIBLE)
        gaps = [m for m in likely if m < len(borders) - 1 and borders[m + 1] - borders[m] > 1]
        indexes = [*borders.tolist(), *(int(borders[m] + borders[m + 1]) // 2 for m in gaps)]
        scores = []
        for index in indexes:
            inside = np.clip((index - borders[:-1]) / np.diff(borders), 0.0, 1.0)
            share = np.append(inside, 0.0)[likely]
            chance = np.concatenate([classes[likely] * (1 - share), classes[likely] * share])
            kept = chance > 1e-12
            levels = np.concatenate([mean[likely, 0], mean[likely, 1]])[kept]
            spread = np.concatenate([square[likely, 0], square[likely, 1]])[kept] - levels**2
            noise = deviation(self.shape) ** 2 / RUNS
            gain = bits(chance[kept], levels, np.maximum(spread, 0.0)[None, :] + noise[:, None])
            scores.append(float((gain / (RUNS + unbuilt[index])).max()))
        return int(indexes[int(np.argmax(scores))])


@dataclass(frozen=True, kw_only=True)
class Knowing:
    """A search that knows its world. `ends`: both ends are built and run first, until a change has 95 % of them, and
    that there is none stays possible; `levels`: how high the commits lie on both sides of the culprit is known too."""

    ends: bool = False
    levels: bool = True

    def belief(self, world: World) -> Belief:
        """What is known to begin with; only of worlds in which nothing but single runs deviates."""
        regime, plan = REGIMES[world.plan.regime], world.plan
        doubt = PRIOR_NO_CHANGE if self.ends else 0.0
        if regime == Regime(name=regime.name, drift=regime.drift) and regime.drift:
            walk = Walk(drift=regime.drift, build_cost=plan.build_cost)
            effect = plan.effect if self.levels else None
            return WanderingLevels(walk=walk, size=plan.size, effect=effect, no_change=doubt)
        if regime.name != regime.shape:
            raise ValueError(f"{regime.name} is more than the noise of single runs")
        if self.levels:
            return KnownLevels(shape=regime.shape, effect=plan.effect, size=plan.size, no_change=doubt)
        return UnknownLevels(shape=regime.shape, size=plan.size)

    def __call__(self, world: World) -> Answer:
        """Search `world` until one answer has 95 %."""
        belief, bench = self.belief(world), Bench(world)
        turn = 0
        while self.ends and (turn < 2 or belief.chances()[-1] > 1 - ENOUGH):
            if turn > 1 and belief.chances()[-1] >= ENOUGH:
                break
            end = (0, world.size)[turn % 2]
            belief.learn(end, bench.run(end, 1)[-1])
            turn += 1
        ends = world.cost
        while float((chances := belief.chances()).max()) < ENOUGH:
            unbuilt = np.full(world.size + 1, world.build_cost)
            unbuilt[list(bench.units)] = 0.0
            index = belief.best(unbuilt)
            belief.learn(index, bench.run(index, 1)[-1])
        found = int(np.argmax(chances))
        none = found == world.size
        builds = world.build_cost * (world.builds - 2 * self.ends)
        return Answer(
            found=() if none else (found + 1,),
            no_change=none,
            stated=float(chances[found]),
            spent={"ends": ends, "builds": builds, "runs": world.cost - ends - builds},
        )


FLOORS: dict[str, Callable[[World], Answer]] = {
    "knowing": Knowing(),
    "knowing-ends": Knowing(ends=True),
    "knowing-noise": Knowing(ends=True, levels=False),
}


def log_density(shape: str, offsets: Floats) -> Floats:
    """Log density of a run so far above its level; of a rounded value the log of its probability."""
    if shape != "quant":
        return np.asarray(np.log(density(shape, offsets) + 1e-300))
    return np.asarray(np.log(ndtr(offsets + QUANTUM / 2) - ndtr(offsets - QUANTUM / 2) + 1e-300))


@lru_cache(maxsize=32)
def run_information(shape: str, effect: float) -> Floats:
    """(RUNS, SHARES): bits that so many runs teach of the side of a commit that is bad with such a probability."""
    good, bad = sides(shape, effect)
    ratios = np.log(bad + 1e-300) - np.log(good + 1e-300)
    steps = int(LARGEST / FINE)
    place = np.rint(np.clip(ratios, -LARGEST, LARGEST) / FINE).astype(np.int64) + steps
    laws = [np.bincount(place, side, minlength=2 * steps + 1).astype(np.float64) for side in (good, bad)]
    known, table = 1, []
    for runs in RUNS:
        while known < runs:
            laws, known = [_doubled(law) for law in laws], 2 * known
        table.append(_taught(laws[0], laws[1]))
    return np.array(table)


def _doubled(law: Floats) -> Floats:
    """The law of the sum of two ratios, what lies beyond the range at its edges."""
    both, steps = np.maximum(np.convolve(law, law), 0.0), len(law) // 2
    inside = both[steps:-steps].copy()
    inside[0] += both[:steps].sum()
    inside[-1] += both[-steps:].sum()
    return np.asarray(inside)


def _taught(good: Floats, bad: Floats) -> Floats:
    ratios = FINE * (np.arange(len(good)) - len(good) // 2)
    with np.errstate(divide="ignore"):
        after = expit(logit(SHARES)[:, None] + ratios[None, :])
    seen = (1 - SHARES)[:, None] * good + SHARES[:, None] * bad
    return np.asarray(np.maximum(_entropy(SHARES) - (seen * _entropy(after)).sum(axis=1), 0.0))


def _entropy(share: Floats) -> Floats:
    inside = np.clip(share, 1e-15, 1 - 1e-15)
    return np.asarray(-(inside * np.log2(inside) + (1 - inside) * np.log2(1 - inside)))


def _normalized(logs: Floats) -> Floats:
    weights = np.exp(logs - logs.max())
    return np.asarray(weights / weights.sum())


@lru_cache(maxsize=32)
def deviation(shape: str) -> float:
    """Deviation of the normal noise that teaches as much a run: one over the root of the Fisher information."""
    if shape == "quant":
        return float(np.sqrt(1 + QUANTUM**2 / 12))
    x = np.linspace(-30, 30, 60_001)
    law = density(shape, x) + 1e-300
    slope = np.gradient(law, x)
    return float(1 / np.sqrt(np.sum(slope**2 / law) * (x[1] - x[0])))
