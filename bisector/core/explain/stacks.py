"""Sampled stacks in one canonical form, whatever tool took them.

A `Capture` is what one profiled run yielded; the `Profile` of a side is its captures. The stacks of a capture are a
tree of calls in columns: node i is a frame called from node `parent[i]`, with the weight of the samples that ended
there. A hundred thousand distinct stacks are a few arrays, and everything here works on whole columns.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from itertools import pairwise
from typing import Self

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

DEEPEST = 2048
"""Frames of one stack that are kept; the middle of a deeper one is left out. No sane interpreter allows more."""
ROOT = -1
"""The parent of an outermost call."""


class Origin(StrEnum):
    """Whose code a frame is. A suspect is looked for in the project's own code first."""

    OWN = "own"
    LIBRARY = "library"
    """Installed packages, the standard library, shared objects of the system."""
    UNKNOWN = "unknown"
    """Nobody could say: a frame without a symbol."""


class Unit(StrEnum):
    """What the weights of a capture are."""

    SECONDS = "s"
    SAMPLES = "samples"
    """The tool told counts and no rate."""
    BYTES = "B"


@dataclass(frozen=True, kw_only=True, slots=True)
class Frame:
    """A function as profiles name it. `name` and `module` are its identity, the rest are attributes.

    `module` is the file it is in, relative to the project or to where packages are installed, or a shared object; it
    holds no line number and no build directory, so that an unrelated edit does not make a frame new. `file` is the
    path as the tool told it, `line` the lowest line it was seen at (0: unknown).
    """

    name: str
    module: str = ""
    file: str = field(default="", compare=False)
    line: int = field(default=0, compare=False)
    origin: Origin = field(default=Origin.OWN, compare=False)

    @property
    def label(self) -> str:
        """How a person reads it: "normalise (parser.py)"."""
        return f"{self.name} ({self.module})" if self.module else self.name


@dataclass(frozen=True, kw_only=True, eq=False)
class Tree:
    """Calls, breadth first: `parent[i] < i`, ROOT for an outermost call; `frame[i]` is an index into the frames.

    `levels` holds the index of the first node of every depth, and the number of nodes at its end. No two nodes have
    the same parent and frame.
    """

    parent: IntArray
    frame: IntArray
    levels: tuple[int, ...]

    @property
    def size(self) -> int:
        """The number of nodes."""
        return len(self.parent)

    def depths(self) -> Iterator[slice]:
        """The nodes of each depth, outermost first."""
        return (slice(start, stop) for start, stop in pairwise(self.levels))

    def totals(self, weights: FloatArray) -> FloatArray:
        """Weight of each node with all it calls. `weights` has nodes along its last axis."""
        total = weights.astype(np.float64, copy=True)
        rows = total.reshape(math.prod(total.shape[:-1]), self.size)
        for above, nodes in reversed(list(pairwise(self.depths()))):
            callers = self.parent[nodes] - above.start
            for row in rows:
                row[above] += np.bincount(callers, weights=row[nodes], minlength=above.stop - above.start)
        return total

    @cached_property
    def _entered(self) -> tuple[IntArray, IntArray]:
        """Depth-first number of each node, and the number after the last node below it."""
        below = self.totals(np.ones(self.size)).astype(np.int64)
        entered = np.zeros(self.size, dtype=np.int64)
        for nodes in self.depths():
            before = np.cumsum(below[nodes]) - below[nodes]
            parent = self.parent[nodes]
            if parent.size and parent[0] == ROOT:
                entered[nodes] = before
                continue
            # Siblings stand together: what comes before the first of them lies below other callers.
            first = np.flatnonzero(np.r_[True, parent[1:] != parent[:-1]])
            run = np.repeat(first, np.diff(np.r_[first, parent.size]))
            entered[nodes] = entered[parent] + 1 + before - before[run]
        return entered, entered + below

    @cached_property
    def outermost(self) -> BoolArray:
        """Which nodes are not called, however indirectly, by the same function: their totals count recursion once."""
        entered, left = self._entered
        order = np.empty(self.size, dtype=np.int64)
        order[entered] = np.arange(self.size)
        # By function, and depth-first within each; numpy sorts short integers several times as fast.
        functions = self.frame[order]
        short = np.uint16 if functions.max(initial=0) < 1 << 16 else np.int64
        order = order[np.argsort(functions.astype(short), kind="stable")]
        # Functions are set apart by more than any depth-first number, so that one running maximum serves them all.
        apart = self.frame[order] * (self.size + 1)
        reach = np.maximum.accumulate(left[order] + apart)
        nested = np.r_[False, entered[order][1:] + apart[1:] < reach[:-1]]
        found = np.empty(self.size, dtype=bool)
        found[order] = ~nested
        return found

    def by_frame(self, weights: FloatArray, frames: int) -> FloatArray:
        """Sum of `weights` (nodes along the last axis) for each of so many frames."""
        rows = weights.reshape(math.prod(weights.shape[:-1]), self.size)
        summed = np.array([np.bincount(self.frame, weights=row, minlength=frames) for row in rows])
        return summed.reshape(*weights.shape[:-1], frames)


@dataclass(frozen=True, kw_only=True, eq=False)
class Capture:
    """What one profiled run yielded, in units of `unit`: `weights[i]` is the self weight of node i of `tree`.

    `work` says how many units of work the run did (1 where a run is the unit). `samples` is how many samples the
    weights come from, None where the tool counts exactly or does not tell. What a tool could not do is told as well:
    `lost` samples, `cut` stacks deeper than DEEPEST.
    """

    tool: str
    unit: Unit
    frames: tuple[Frame, ...]
    tree: Tree
    weights: FloatArray
    samples: int | None = None
    work: float = 1.0
    lost: int = 0
    cut: int = 0

    @property
    def total(self) -> float:
        """The weight of all samples."""
        return float(self.weights.sum())

    @property
    def unresolved(self) -> float:
        """The share of the weight that ended in frames without a symbol."""
        unknown = np.array([frame.origin is Origin.UNKNOWN for frame in self.frames], dtype=bool)
        total = self.total
        return float(self.weights[unknown[self.tree.frame]].sum()) / total if total > 0 else 0.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Profile:
    """One side: its captures, all of one unit, and what to call it."""

    label: str
    captures: tuple[Capture, ...]

    @property
    def unit(self) -> Unit:
        """The unit of the weights; ValueError where the captures do not agree or there are none."""
        units = {capture.unit for capture in self.captures}
        if len(units) != 1:
            raise ValueError(f"captures of {len(units)} units")
        return units.pop()


@dataclass(frozen=True, kw_only=True, eq=False)
class Stacks:
    """Stacks as a parser finds them, outermost frame first, one after the other in `flat`.

    `flat` holds indexes into `frames`, `lengths` how many of them each stack has (one at least), `weights` what each
    stack weighs. Stacks and frames may repeat.
    """

    frames: Sequence[Frame]
    flat: IntArray
    lengths: IntArray
    weights: FloatArray

    def folded(self) -> tuple[tuple[Frame, ...], Tree, FloatArray]:
        """Distinct frames, the tree of calls, and the self weight of each node."""
        frames, places = distinct([self.frames])
        flat = places[0][self.flat] if self.flat.size else self.flat
        tree, node = _tree(flat, self.lengths, len(frames))
        weights = np.bincount(node, weights=self.weights, minlength=tree.size)
        return frames, tree, weights.astype(np.float64, copy=False)

    def limited(self) -> tuple[Self, int]:
        """The same without the middle of stacks deeper than DEEPEST, and how many those were."""
        deep = self.lengths > DEEPEST
        if not deep.any():
            return self, 0
        depth = np.arange(self.flat.size) - np.repeat(np.cumsum(self.lengths) - self.lengths, self.lengths)
        left = np.repeat(self.lengths, self.lengths) - depth
        kept = (depth < DEEPEST // 2) | (left < DEEPEST // 2)
        gap = (depth == DEEPEST // 2) & (left >= DEEPEST // 2)
        frames = (*self.frames, Frame(name="[frames left out]", origin=Origin.LIBRARY))
        flat = np.where(gap, len(self.frames), self.flat)[kept | gap]
        lengths = np.bincount(np.repeat(np.arange(self.lengths.size), self.lengths)[kept | gap]).astype(np.int64)
        return type(self)(frames=frames, flat=flat, lengths=lengths, weights=self.weights), int(deep.sum())


def integers(values: Sequence[int]) -> IntArray:
    """A column of whole numbers; OverflowError beyond 64 bits."""
    return np.array(values, dtype=np.int64)


def numbers(values: Sequence[float]) -> FloatArray:
    """A column of numbers."""
    return np.array(values, dtype=np.float64)


def captured(
    stacks: Stacks, *, tool: str, unit: Unit, samples: int | None = None, work: float = 1.0, lost: int = 0
) -> Capture:
    """The capture that `stacks` amount to, those deeper than DEEPEST cut; ValueError unless `work` is above zero."""
    if not work > 0:
        raise ValueError(f"{work} units of work")
    kept, cut = stacks.limited()
    frames, tree, weights = kept.folded()
    return Capture(
        tool=tool, unit=unit, frames=frames, tree=tree, weights=weights, samples=samples, work=work, lost=lost, cut=cut
    )


def distinct(lists: Sequence[Sequence[Frame]]) -> tuple[tuple[Frame, ...], list[IntArray]]:
    """The distinct frames of several lists, each at the lowest line it was seen, and each list's places among them."""
    known: dict[Frame, int] = {}
    found: list[Frame] = []
    places = []
    for frames in lists:
        place = np.empty(len(frames), dtype=np.int64)
        for position, frame in enumerate(frames):
            index = known.setdefault(frame, len(found))
            if index == len(found):
                found.append(frame)
            elif frame.line > 0 and (frame.line < found[index].line or found[index].line == 0):
                found[index] = frame
            place[position] = index
        places.append(place)
    return tuple(found), places


def merged(captures: Sequence[Capture]) -> tuple[tuple[Frame, ...], Tree, FloatArray]:
    """One tree that holds every call of `captures`, and the self weights, one row a capture."""
    frames, places = distinct([capture.frames for capture in captures])
    width = len(frames) + 1
    nodes = [np.full(capture.tree.size, ROOT, dtype=np.int64) for capture in captures]
    growing = _Growing()
    for depth in range(max((len(capture.tree.levels) - 1 for capture in captures), default=0)):
        keys = []
        for capture, place, node in zip(captures, places, nodes, strict=True):
            here = _level(capture.tree, depth)
            parent = capture.tree.parent[here]
            above = node[parent] if depth else parent
            keys.append((above + 1) * width + place[capture.tree.frame[here]])
        found = growing.add(np.concatenate(keys), width)
        start = 0
        for capture, node in zip(captures, nodes, strict=True):
            here = _level(capture.tree, depth)
            node[here] = found[start : start + here.stop - here.start]
            start += here.stop - here.start
    tree = growing.tree()
    weights = np.zeros((len(captures), tree.size))
    for row, capture, node in zip(weights, captures, nodes, strict=True):
        row[node] = capture.weights
    return frames, tree, weights


def _level(tree: Tree, depth: int) -> slice:
    last = len(tree.levels) - 1
    return slice(tree.levels[min(depth, last)], tree.levels[min(depth + 1, last)])


def _tree(flat: IntArray, lengths: IntArray, frames: int) -> tuple[Tree, IntArray]:
    """The tree of stacks, and the node each stack ends at."""
    if lengths.size and lengths.min() < 1:
        raise ValueError("a stack without frames")
    starts = np.cumsum(lengths) - lengths
    node = np.full(lengths.size, ROOT, dtype=np.int64)
    growing, width = _Growing(), frames + 1
    alive, depth = np.arange(lengths.size), 0
    while alive.size:
        node[alive] = growing.add((node[alive] + 1) * width + flat[starts[alive] + depth], width)
        depth += 1
        alive = alive[lengths[alive] > depth]
    return growing.tree(), node


class _Growing:
    """A tree that gets one more depth at a time."""

    def __init__(self) -> None:
        self._parents: list[IntArray] = []
        self._frames: list[IntArray] = []
        self._levels = [0]

    def add(self, keys: IntArray, width: int) -> IntArray:
        """Nodes of the next depth by their keys, (parent + 1) * width + frame; the node of every key."""
        unique, inverse = np.unique(keys, return_inverse=True)
        start = self._levels[-1]
        self._parents.append(unique // width - 1)
        self._frames.append(unique % width)
        self._levels.append(start + unique.size)
        return start + inverse.astype(np.int64)

    def tree(self) -> Tree:
        nothing = np.empty(0, dtype=np.int64)
        return Tree(
            parent=np.concatenate([nothing, *self._parents]),
            frame=np.concatenate([nothing, *self._frames]),
            levels=tuple(self._levels),
        )
