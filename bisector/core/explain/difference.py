"""The difference of two profiles, per unit of work or as shares: what each function and each call costs more."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from bisector.core.explain.spread import Estimate, Estimates, Side, estimates
from bisector.core.explain.stacks import (
    Capture,
    FloatArray,
    Frame,
    IntArray,
    Profile,
    Tree,
    Unit,
    distinct,
    merged,
)


class Basis(StrEnum):
    """What costs are compared as."""

    WORK = "work"
    """Per unit of work: a program that got slower everywhere shows it."""
    SHARE = "share"
    """Shares of each side's total: for profiles of different lengths that nobody counted the work of."""


class Fate(StrEnum):
    """On which sides a function was seen."""

    BOTH = "both"
    NEW = "new"
    GONE = "gone"


@dataclass(frozen=True, kw_only=True, slots=True)
class FunctionDelta:
    """What one function costs on both sides, alone (`own`) and with all it calls (`total`, recursion counted once)."""

    index: int
    frame: Frame
    own: Estimate
    total: Estimate
    fate: Fate


@dataclass(frozen=True, kw_only=True, eq=False)
class Difference:
    """Two profiles in one tree of calls, both in the unit of `basis`: `unit` per unit of work, or shares of one.

    `rows` are the self costs of the nodes, a row a capture, the first `captures_before` of them from before; `grain`
    is what one sample weighs in each. The deltas of `own`, summed over all functions, are the delta of `total`.
    """

    before: str
    after: str
    basis: Basis
    unit: Unit
    frames: tuple[Frame, ...]
    tree: Tree
    rows: FloatArray
    grain: FloatArray
    captures_before: int
    own: Estimates
    inclusive: Estimates
    """Of each function with all it calls."""
    nodes: Estimates
    """Of each node with all below it."""
    total: Estimate

    @property
    def self_before(self) -> FloatArray:
        """Self cost of each node before."""
        return np.asarray(self.rows[: self.captures_before].mean(axis=0), dtype=np.float64)

    @property
    def self_after(self) -> FloatArray:
        """Self cost of each node after."""
        return np.asarray(self.rows[self.captures_before :].mean(axis=0), dtype=np.float64)

    @property
    def larger(self) -> float:
        """The larger side's total."""
        return max(self.total.before, self.total.after)

    @property
    def differs(self) -> bool:
        """Whether anything in it is more than noise."""
        return not (self.own.noise.all() and self.inclusive.noise.all() and self.total.noise)

    def grouped(self, groups: IntArray, size: int) -> Estimates:
        """The difference of self costs summed over `groups` of nodes, numbered below `size`."""
        rows = np.array([np.bincount(groups, weights=row, minlength=size) for row in self.rows])
        return _estimates(rows.reshape(len(self.rows), size), self.grain, self.captures_before, self.larger)

    def functions(self) -> Iterator[FunctionDelta]:
        """Every function, in no order."""
        for index in range(len(self.frames)):
            yield self.function(index)

    def function(self, index: int) -> FunctionDelta:
        """The function at `index` of the frames."""
        total = self.inclusive[index]
        fate = Fate.NEW if total.before == 0 < total.after else Fate.GONE if total.after == 0 else Fate.BOTH
        return FunctionDelta(index=index, frame=self.frames[index], own=self.own[index], total=total, fate=fate)


def difference(before: Profile, after: Profile, basis: Basis = Basis.WORK) -> Difference:
    """What `after` costs more than `before`. ValueError where a side has no capture or the units differ."""
    if before.unit is not after.unit and basis is Basis.WORK:
        raise ValueError(f"{before.unit} cannot be compared with {after.unit}, but their shares can")
    captures = (*before.captures, *after.captures)
    frames, tree, weights = merged(captures)
    scales = np.array([_scale(capture, basis) for capture in captures])
    grain = scales * np.array([_sample_weight(capture) for capture in captures])
    rows, split = weights * scales[:, None], len(before.captures)
    larger = max(float(rows[:split].sum(axis=1).mean()), float(rows[split:].sum(axis=1).mean()))
    totals = tree.totals(rows)
    inclusive = tree.by_frame(np.where(tree.outermost, totals, 0.0), len(frames))
    nodes = _estimates(totals, grain, split, larger)
    return Difference(
        before=before.label,
        after=after.label,
        basis=basis,
        unit=before.unit,
        frames=_as_after(frames, after),
        tree=tree,
        rows=rows,
        grain=grain,
        captures_before=split,
        own=_estimates(tree.by_frame(rows, len(frames)), grain, split, larger),
        inclusive=_estimates(inclusive, grain, split, larger),
        nodes=nodes,
        total=_estimates(rows.sum(axis=1, keepdims=True), grain, split, larger)[0],
    )


def _as_after(frames: tuple[Frame, ...], after: Profile) -> tuple[Frame, ...]:
    """The frames with the lines and files they have after, where they are there."""
    there, _ = distinct([capture.frames for capture in after.captures])
    known = {frame: frame for frame in there}
    return tuple(known.get(frame, frame) for frame in frames)


def _estimates(rows: FloatArray, grain: FloatArray, split: int, larger: float) -> Estimates:
    before, after = Side(values=rows[:split], grain=grain[:split]), Side(values=rows[split:], grain=grain[split:])
    return estimates(before, after, larger)


def _scale(capture: Capture, basis: Basis) -> float:
    """What turns the weights of a capture into costs."""
    if basis is Basis.WORK:
        return 1.0 / capture.work
    total = capture.total
    return 1.0 / total if total > 0 else 0.0


def _sample_weight(capture: Capture) -> float:
    """What one sample of a capture weighs, before scaling; NaN where nobody told how many there were."""
    return capture.total / capture.samples if capture.samples else float("nan")
