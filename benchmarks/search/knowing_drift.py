"""The belief of a search that knows how fast its machine drifts: a Kalman filter for every culprit there may be."""

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from benchmarks.search.bounds import Floats
from benchmarks.search.worlds import LEVEL

UNSURE = 5.0
"""Deviation of a level and of a step that nothing is known of, in deviations of a run."""
LEAST_CHANGE = 0.35
"""The smallest change, in deviations of a run, where the levels have to be found."""
NEGLIGIBLE = 1e-3
RUNS, REFERENCES = (1, 2, 3), (1, 2)
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(5)
_POINTS = np.stack(np.meshgrid(_NODES, _NODES, indexing="ij"), axis=-1).reshape(-1, 2)
_SHARES = np.outer(_WEIGHTS, _WEIGHTS).ravel() / _WEIGHTS.sum() ** 2


@dataclass(frozen=True, kw_only=True)
class Walk:
    """What is known of a machine that drifts: the deviation it gains in a unit of time, and what a build takes."""

    drift: float
    build_cost: float


@dataclass(frozen=True, kw_only=True)
class _Parts:
    """Hypotheses that stand for all that are alike, and their probability."""

    hypothesis: npt.NDArray[np.int64]
    chance: Floats


@dataclass
class WanderingLevels:
    """Normal noise of deviation 1 about a level that walks; the step is `effect`, or has to be found where None.

    Hypothesis c - 1 makes commit c and all later ones bad, the last one none. The state is (level of a good commit
    now, step); `mean` and `covariance` are what the runs say of it under each hypothesis.
    """

    walk: Walk
    size: int
    effect: float | None = None
    no_change: float = 0.0
    mean: Floats = field(init=False)
    covariance: Floats = field(init=False)
    evidence: Floats = field(init=False)
    measured: set[int] = field(default_factory=set)
    last: int = -1
    """The commit that was run last."""

    def __post_init__(self) -> None:
        """Nothing was run yet."""
        known = self.effect is not None
        self.mean = np.tile([0.0, self.effect if self.effect is not None else 0.0], (self.size + 1, 1))
        spread = np.array([0.0, 0.0]) if known else np.array([UNSURE, UNSURE]) ** 2
        self.covariance = np.tile(np.diag(spread), (self.size + 1, 1, 1))
        with np.errstate(divide="ignore"):
            self.evidence = np.log(np.append(np.full(self.size, (1 - self.no_change) / self.size), self.no_change))

    def _sees(self, index: int) -> Floats:
        """(hypotheses, 2): what of the state a run of commit `index` shows."""
        bad = np.append(np.arange(1, self.size + 1) <= index, False)
        return np.column_stack([np.ones(self.size + 1), bad])

    def learn(self, index: int, value: float) -> None:
        """Let the level walk for as long as the run and its build took, and take in the run."""
        takes = 1.0 if index in self.measured else 1.0 + self.walk.build_cost
        self.measured.add(index)
        self.last = index
        self.covariance[:, 0, 0] += self.walk.drift**2 * takes
        sees = self._sees(index)
        gain = np.einsum("hij,hj->hi", self.covariance, sees)
        variance = np.einsum("hi,hi->h", gain, sees) + 1
        surprise = value - LEVEL - np.einsum("hi,hi->h", self.mean, sees)
        self.evidence += -0.5 * (surprise**2 / variance + np.log(variance))
        self.mean = self.mean + gain * (surprise / variance)[:, None]
        self.covariance = self.covariance - np.einsum("hi,hj->hij", gain, gain) / variance[:, None, None]

    def chances(self) -> Floats:
        """Each culprit's probability, and last that of no change."""
        logs = self.evidence.copy()
        if self.effect is None:
            step, error = self.mean[:, 1], np.sqrt(self.covariance[:, 1, 1])
            logs[:-1] += np.log(ndtr((step[:-1] - LEAST_CHANGE) / error[:-1]) + 1e-300)
            logs[:-1] -= np.log(ndtr(-LEAST_CHANGE / UNSURE))
        weights = np.exp(logs - logs.max())
        return np.asarray(weights / weights.sum())

    def best(self, unbuilt: Floats) -> int:
        """Of every measured commit and the middle of every likely gap, each alone or with an end beside it."""
        chances, borders = self.chances(), sorted(self.measured | {0, self.size})
        gaps = [(low, high) for low, high in pairwise(borders) if chances[low:high].sum() > NEGLIGIBLE]
        middles = [(low + high) // 2 for low, high in gaps if high - low > 1]
        best, chosen = -1.0, borders[0]
        for index in [*borders, *middles]:
            parts = self._parts(sorted({*borders, index}), chances)
            for end, references in self._beside(index, unbuilt):
                for runs in RUNS:
                    price = runs + references + unbuilt[index] + (unbuilt[end] if references else 0.0)
                    gain = self._gain(parts, (index, end), (runs, references), price) / price
                    if gain > best:
                        # Of two that teach most together the one goes next that was not run just now.
                        best, chosen = gain, end if references and index == self.last else index
        return chosen

    def _beside(self, index: int, unbuilt: Floats) -> list[tuple[int, int]]:
        """Which end may be run beside commit `index`, and how often: none, the good one, or the bad one once built."""
        ends = [end for end in (0, self.size) if end != index and (end == 0 or not unbuilt[end])]
        return [(index, 0), *((end, references) for end in ends for references in REFERENCES)]

    def _parts(self, borders: list[int], chances: Floats) -> "_Parts":
        """One hypothesis of each likely gap, and no change."""
        each = [(low, chances[low:high].sum()) for low, high in pairwise(borders)] + [(self.size, chances[-1])]
        likely = [(at, chance) for at, chance in each if chance > NEGLIGIBLE]
        chance = np.array([chance for _, chance in likely])
        return _Parts(hypothesis=np.array([at for at, _ in likely]), chance=chance / chance.sum())

    def _gain(self, parts: "_Parts", places: tuple[int, int], counts: tuple[int, int], takes: float) -> float:
        """Information of `counts` runs of two commits, in nats: of the first alone where the second has none."""
        at = parts.hypothesis
        covariance = self.covariance[at].copy()
        covariance[:, 0, 0] += self.walk.drift**2 * takes
        used = [(place, count) for place, count in zip(places, counts, strict=True) if count]
        sees = np.stack([self._sees(place)[at] for place, _ in used], axis=1)
        mean = np.einsum("hkj,hj->hk", sees, self.mean[at])
        spread = np.einsum("hki,hij,hlj->hkl", sees, covariance, sees) + np.diag([1 / count for _, count in used])
        return taught(parts.chance, mean, spread)


def taught(chance: Floats, mean: Floats, spread: Floats) -> float:
    """Mutual information, in nats, of a hypothesis and one or two observations that are jointly normal under it."""
    many = mean.shape[1]
    points, shares = (_POINTS, _SHARES) if many == 2 else (_NODES[:, None], _WEIGHTS / _WEIGHTS.sum())
    root = np.linalg.cholesky(spread)
    inverse = np.linalg.inv(root)
    volume = np.log(np.diagonal(root, axis1=1, axis2=2)).sum(axis=1)
    at = mean[:, None] + np.einsum("hij,pj->hpi", root, points)
    offset = np.einsum("gij,hpgj->hpgi", inverse, at[:, :, None] - mean)
    density = np.exp(-0.5 * (offset**2).sum(axis=-1) - volume) @ chance
    own = -0.5 * (points**2).sum(axis=1)[None, :] - volume[:, None]
    return float(chance @ ((own - np.log(density + 1e-300)) @ shares))
