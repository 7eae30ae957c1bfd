"""Suspects: the functions that explain the growth, ranked, and what the culprit has to do with each.

Every bit of growth is somebody's (`answering`), so that the shares of all suspects never add up to more than the whole.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from bisector.core.explain.answering import answerable, homes, is_nameless_part, new_caller
from bisector.core.explain.changes import Touched, TouchedFunction
from bisector.core.explain.counts import Amounts, CallChange, CountPair, Manner
from bisector.core.explain.difference import Difference, FunctionDelta
from bisector.core.explain.names import is_process
from bisector.core.explain.spread import Estimate, Estimates
from bisector.core.explain.stacks import BoolArray, Frame, IntArray

MOST_SUSPECTS = 10
SMALLEST_SHARE = 0.01
"""Of the slowdown; a function that explains less is no suspect."""


class Relation(StrEnum):
    """What the culprit has to do with a suspect."""

    TOUCHED = "touched"
    CALLS_TOUCHED = "calls something touched"
    UNTOUCHED = "not touched"
    """Only hit more often, or slower for a reason outside the diff."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Suspect:
    """A function whose cost grew. `share` is the part of the slowdown it answers for, `cost` that cost on both sides.

    `through` is the function below it in which most of its growth is spent, None where that is itself. `relation` is
    None where no culprit's diff is known, `calls` and `manner` where nobody counted. `called_by` is, for one that is
    only called more often, the caller that most of the new calls come from. `allocated` (bytes a call) and
    `instructions` (per unit of work) are of the function itself, None where nobody counted them.
    """

    function: FunctionDelta
    share: float
    cost: Estimate
    through: Frame | None
    relation: Relation | None
    touched: TouchedFunction | None
    calls: CallChange | None
    manner: Manner | None
    called_by: Frame | None
    allocated: Amounts | None = None
    instructions: Amounts | None = None

    @property
    def line(self) -> int:
        """Where it begins, as far as that is known; else the lowest line it was seen at; 0 for neither."""
        return self.touched.line if self.touched is not None and self.touched.line else self.function.frame.line


def suspects_of(
    found: Difference, touched: Touched | None = None, counts: CountPair | None = None
) -> tuple[Suspect, ...]:
    """The suspects, the one that explains most first; none where nothing grew by more than noise.

    What a process does outside of any function, at its start and end, comes last, however much: nobody wrote it.
    """
    counts = counts.calling() if counts is not None else None
    changed = [touched.find(frame) if touched is not None else None for frame in found.frames]
    is_changed = np.array([each is not None for each in changed], dtype=bool)
    groups = answerable(found, is_changed, counts)
    costs = found.grouped(groups, len(found.frames))
    grown = np.flatnonzero(~costs.noise & (costs.delta > 0))
    whole = slowdown(found, costs)
    outside = [is_process(frame) for frame in found.frames]
    ranked = sorted(grown.tolist(), key=lambda index: (outside[index], -costs.delta[index], index))
    relation = _relations(found, is_changed)
    suspects = []
    for index in ranked[:MOST_SUSPECTS]:
        share = float(costs.delta[index]) / whole
        if share < SMALLEST_SHARE:
            continue
        calls = counts.calls(found.frames[index]) if counts is not None else None
        manner = calls.manner(costs[index]) if calls is not None else None
        suspects.append(
            Suspect(
                function=found.function(index),
                share=share,
                cost=costs[index],
                through=_through(found, groups, index),
                relation=relation(index) if touched is not None else None,
                touched=changed[index],
                calls=calls,
                manner=manner,
                called_by=_caller(found.frames[index], counts) if manner is Manner.MORE_CALLS else None,
                allocated=counts.allocated(found.frames[index]) if counts is not None else None,
                instructions=counts.instructions(found.frames[index]) if counts is not None else None,
            )
        )
    return tuple(suspects)


def slowdown(found: Difference, costs: Estimates) -> float:
    """What shares are shares of: the net growth, or all that grew where something else shrank beside it."""
    grown = float(costs.delta[~costs.noise & (costs.delta > 0)].sum())
    return max(found.total.delta, grown)


def _through(found: Difference, groups: IntArray, index: int) -> Frame | None:
    """The function in which most of what `index` answers for is spent, where that is another one."""
    mine = groups == index
    spent = homes(found.frames)[found.tree.frame[mine]]
    growth = np.bincount(spent, weights=(found.self_after - found.self_before)[mine], minlength=len(found.frames))
    most = int(growth.argmax())
    elsewhere = most != index and not is_nameless_part(found.frames[most], found.frames[index])
    return found.frames[most] if elsewhere else None


def _relations(found: Difference, touched: BoolArray) -> Callable[[int], Relation]:
    """What the culprit has to do with the function at an index."""
    tree = found.tree
    below = tree.totals(touched[tree.frame].astype(np.float64))
    calling = np.zeros(len(found.frames), dtype=bool)
    calling[tree.frame[below > 0]] = True

    def relation(index: int) -> Relation:
        if touched[index]:
            return Relation.TOUCHED
        return Relation.CALLS_TOUCHED if calling[index] else Relation.UNTOUCHED

    return relation


def _caller(frame: Frame, counts: CountPair | None) -> Frame | None:
    return new_caller(frame, counts) if counts is not None else None
