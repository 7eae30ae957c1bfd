"""Who answers for a cost: callers folded into what they call, libraries into who calls them.

Every bit of cost is somebody's: of the stack it was sampled in, the deepest function that the culprit touches; where it
touches none of them, the deepest of the project's own code; else the deepest at all. A comprehension, a generator
expression or a lambda is part of the function it stands in.

What was there before and is only called more often is not the reason where most of the new calls come of a function
that is touched: then that answers, even where a stack was cut short and does not show it. Exact counts tell; without
them nobody is absolved.
"""

from collections.abc import Sequence

import numpy as np

from bisector.core.explain.changes import MODULE
from bisector.core.explain.counts import MOSTLY, STEADY, CountPair, Manner, is_part, part_of
from bisector.core.explain.difference import Difference
from bisector.core.explain.stacks import ROOT, BoolArray, Frame, IntArray, Origin

TRUNK = 0.8
"""Share of everything from which on the top level of a file is what all runs under, and no answer to anything."""


def answerable(found: Difference, touched: BoolArray, counts: CountPair | None = None) -> IntArray:
    """For each node the index of the function that answers for its self cost. `touched` tells it of each frame."""
    answer = _deepest(found, _ranks(found, touched), homes(found.frames))
    if counts is None:
        return answer
    costs = found.grouped(answer, len(found.frames))
    reasons = _Reasons(found, touched, counts)
    for index in np.flatnonzero(~costs.noise & (costs.delta > 0)).tolist():
        calls = counts.calls(found.frames[index])
        if calls is None or not calls.before or calls.manner(costs[index]) is not Manner.MORE_CALLS:
            continue
        answer[answer == index] = reasons.of(index)
    return answer


def homes(frames: Sequence[Frame]) -> IntArray:
    """For each frame itself, or the function it stands in where it is a part of one that was seen, too."""
    places = {frame: index for index, frame in enumerate(frames)}
    home = np.arange(len(frames))
    for index, frame in enumerate(frames):
        if (owner := part_of(frame)) is not None:
            home[index] = places.get(owner, index)
    return home


def is_nameless_part(frame: Frame, of: Frame) -> bool:
    """Whether a frame is a comprehension or the like, named by nothing else, in the file of another."""
    return is_part(frame) and frame.name.startswith("<") and frame.module == of.module


def new_caller(frame: Frame, counts: CountPair, least: float = 0.0) -> Frame | None:
    """The caller that most of the additional calls of a function come from, if it is more than the share `least`."""
    counted = counts.after.counted(frame)
    more = {
        caller: counts.after.from_to(caller, callee) - counts.before.from_to(caller, callee)
        for caller, callee in counts.after.edges
        if callee == counted and caller != counted
    }
    most = max(more, key=lambda caller: more[caller], default=None)
    return most if most is not None and more[most] > least * sum(max(each, 0.0) for each in more.values()) else None


def _ranks(found: Difference, touched: BoolArray) -> IntArray:
    """How much each function is asked before those it calls."""
    own = np.array([frame.origin is Origin.OWN for frame in found.frames], dtype=bool)
    whole = found.inclusive.before >= TRUNK * found.total.before
    trunk = np.array([frame.name == MODULE for frame in found.frames], dtype=bool) & whole
    return np.where(touched & ~trunk, 2, np.where(own, 1, 0))


def _deepest(found: Difference, rank_of: IntArray, home: IntArray) -> IntArray:
    """For each node the deepest function of the highest rank on its stack."""
    tree, frames = found.tree, found.frames
    modules: dict[str, int] = {}
    module = np.array([modules.setdefault(frame.module, len(modules)) for frame in frames], dtype=np.int64)
    nameless = np.array([is_part(frame) and frame.name.startswith("<") for frame in frames], dtype=bool)
    answer, rank = home[tree.frame], rank_of[tree.frame]
    for nodes in tree.depths():
        parent = tree.parent[nodes]
        if not parent.size or parent[0] == ROOT:
            continue
        # A part of a function that a tool names no better than "<listcomp>" belongs to its caller in the same file.
        here, caller = tree.frame[nodes], tree.frame[parent]
        above = (rank[parent] > rank[nodes]) | (nameless[here] & (module[here] == module[caller]))
        answer[nodes] = np.where(above, answer[parent], answer[nodes])
        rank[nodes] = np.maximum(rank[parent], rank[nodes])
    return answer


class _Reasons:
    """Which function another is called more often for."""

    def __init__(self, found: Difference, touched: BoolArray, counts: CountPair) -> None:
        self._frames, self._touched, self._counts = found.frames, touched, counts
        self._places = {frame: place for place, frame in enumerate(found.frames)}
        self._home = homes(found.frames)

    def of(self, index: int) -> int:
        """The touched function that most new calls of `index` come of in the end, or `index` itself: up the callers as
        long as each is called more often itself, and from a touched one on as long as they are touched."""
        answer, here = index, self._frames[index]
        seen = {here}
        while (caller := new_caller(here, self._counts, MOSTLY)) is not None and caller not in seen:
            place = self._places.get(caller)
            above = int(self._home[place]) if place is not None else None
            if above is not None and self._touched[above]:
                answer = above
            elif self._touched[answer]:
                break
            seen.add(caller)
            here = self._frames[above] if above is not None else caller
            calls = self._counts.calls(here)
            if calls is None or not calls.before or calls.after <= STEADY * calls.before:
                break
        return answer
