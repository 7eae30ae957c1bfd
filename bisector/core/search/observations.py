"""The data a decision rests on, as arrays: which runs, of which builds, of which commits."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from bisector.core.model.history import BoolArray, Line

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


RESERVE = 0.4
"""Part of the allowed error that is left to what no model here has, where nothing is measured after an answer."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How sure to be, and what to guard against.

    Defaults are those of the measured comparison the method comes from: 4 runs an end to begin with, a prior of 0.2
    for "no change", build variance allowed for.
    """

    confidence: float = 0.95
    first_runs: int = 4
    prior_no_change: float = 0.2
    tau_ratios: tuple[float, ...] = (0.0, 0.35, 0.8, 2.0)
    tau_prior: tuple[float, ...] = (0.45, 0.3, 0.17, 0.08)
    odd_builds: float = 0.0
    """Deviation of odd builds among others that are alike, in runs' noise; 0 where there are none."""
    gap: float = 0.0
    """How far apart two kinds of builds lie, in the search's units; 0 where builds are not of two kinds."""
    kinds_prior: tuple[float, float] = (0.1, 0.1)
    """How much likelier that is, with odd builds above and below the others, than builds of one kind."""
    prior_drift: float = 0.05
    verify_pairs: tuple[int, int] = (3, 24)
    two_sided: bool = False
    reserve: float = RESERVE


@dataclass(frozen=True, kw_only=True)
class Verification:
    """A pair of places measured afresh, in turns: did the difference hold?"""

    parent: int
    culprit: int
    passed: bool
    rise: float | None = None
    """How far the culprit's median lay above its parent's, in the search's units; None where that was not kept."""
    numbers: tuple[int, int] = (0, 0)
    """Which builds were run, parent's first."""


@dataclass(frozen=True, kw_only=True)
class Observations:
    """Everything measured so far on one line, larger values being worse.

    `unit_place[u]` is the place index of unit (build) u, units of one commit in the order of their builds; run j is of
    unit `run_unit[j]` and yielded `values[j]`, in the search's own units (the logarithm of the metric where it is
    positive). `threshold` is the smallest change worth naming in those units. `weights[c - 1]` is candidate c's prior
    weight (0 where it cannot be the culprit), `testable[i]` whether index i can still be built and run. `low` and
    `high` are the places that stand for the ends.
    """

    line: Line
    weights: FloatArray
    testable: BoolArray
    unit_place: IntArray
    run_unit: IntArray
    values: FloatArray
    threshold: float
    low: int
    high: int
    exact: bool = False
    times: FloatArray | None = None
    """When each run began, in units of one run's length; None where that is unknown."""
    verifications: tuple[Verification, ...] = field(default=())
    attempted: tuple[tuple[int, int], ...] = ()
    """The parent and the culprit of every round that verified, whether or not it gave runs to judge by."""
    bounds: BoolArray | None = None
    """Which values only bound what the run would have taken: they say on which side it lies and nothing of the noise.
    None where none does."""
    failing: IntArray | None = None
    """Of each index that was tried and cannot be tested, a number for the reason, the same for the same; else 0."""

    @property
    def size(self) -> int:
        """N, the number of candidates."""
        return self.line.size

    @cached_property
    def counts(self) -> IntArray:
        """Runs of each unit."""
        return np.bincount(self.run_unit, minlength=len(self.unit_place)).astype(np.int64)

    @cached_property
    def bad_if(self) -> BoolArray:
        """(units, candidates): whether unit u has the new level when candidate c is the culprit."""
        rows = [self.line.contains(int(place)) for place in self.unit_place]
        return np.array(rows, dtype=bool).reshape(len(rows), self.size)

    @cached_property
    def finished(self) -> BoolArray:
        """Which runs ended, and have a value of their own."""
        return np.ones(len(self.values), dtype=bool) if self.bounds is None else ~self.bounds

    def number_of(self, unit: int) -> int:
        """Which build of its commit unit `unit` is: 0 for the first."""
        return int((self.unit_place[:unit] == self.unit_place[unit]).sum())

    def runs_of(self, places: list[int]) -> FloatArray:
        """The values of every run at any of `places`."""
        wanted = np.isin(self.unit_place, places)
        return self.values[wanted[self.run_unit]]


@dataclass(frozen=True, kw_only=True)
class Classes:
    """Candidates that the units so far cannot tell apart, grouped.

    `of[c - 1]` is the class of candidate c; `bad[m, u]` whether unit u has the new level when the culprit is in class
    m; `weight[m]` the prior weight of its members together.
    """

    of: IntArray
    bad: BoolArray
    weight: FloatArray

    @property
    def count(self) -> int:
        """How many classes there are."""
        return len(self.weight)

    def members(self, index: int) -> tuple[int, ...]:
        """The candidates in class `index`."""
        return tuple(int(c) + 1 for c in np.flatnonzero(self.of == index))


def classify(observations: Observations) -> Classes:
    """Group the candidates by what the measured units can tell about them. O(units × candidates)."""
    bad_if = observations.bad_if
    packed = np.packbits(bad_if, axis=0).T.copy()
    keys = packed.view([("", packed.dtype)] * packed.shape[1]).ravel()
    _, first, of = np.unique(keys, return_index=True, return_inverse=True)
    # np.unique sorts by key; classes read better in the order of history.
    order = np.argsort(first, kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    of = rank[of]
    weight = np.bincount(of, weights=observations.weights, minlength=len(order)).astype(np.float64)
    return Classes(of=of.astype(np.int64), bad=bad_if[:, first[order]].T.copy(), weight=weight)
