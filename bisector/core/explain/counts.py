"""Exact counts beside sampled costs: called more often, or slower per call?"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType

from bisector.core.explain.spread import Estimate
from bisector.core.explain.stacks import Frame

MOSTLY = 0.7
"""Share of a growth from which on one of its two parts is the reason."""
STEADY = 1.5
"""A caller that is called up to so many times as often as before is not the reason."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Counts:
    """What counting runs saw on one side: calls, calls from one function to another, the bytes that a call of each
    function allocates, and its instructions without those of what it calls.

    `work` is how many units of work it did; the numbers are of the whole run. Profiles and counts name functions
    alike (`names.Names`), with bare names where the tool that counts knows no better.
    """

    calls: Mapping[Frame, int]
    edges: Mapping[tuple[Frame, Frame], int] = field(default_factory=lambda: MappingProxyType({}))
    allocated: Mapping[Frame, float] = field(default_factory=lambda: MappingProxyType({}))
    instructions: Mapping[Frame, int] = field(default_factory=lambda: MappingProxyType({}))
    work: float = 1.0

    def calls_of(self, frame: Frame) -> float:
        """Calls of a function per unit of work."""
        return self.calls.get(self.counted(frame), 0) / self.work

    def counted(self, frame: Frame) -> Frame:
        """The function as the counting tool names it: itself, or the only one of its file with its bare name."""
        if frame in self.calls or frame in self.allocated:
            return frame
        alike = self._bare.get(_bare(frame), ())
        return alike[0] if len(alike) == 1 else frame

    @cached_property
    def _bare(self) -> Mapping[tuple[str, str], list[Frame]]:
        found: dict[tuple[str, str], list[Frame]] = {}
        for frame in dict.fromkeys((*self.calls, *self.allocated)):
            found.setdefault(_bare(frame), []).append(frame)
        return found

    def from_to(self, caller: Frame, callee: Frame) -> float:
        """Calls from one function to another per unit of work."""
        return self.edges.get((self.counted(caller), self.counted(callee)), 0) / self.work

    def calling(self) -> "Counts":
        """The same with calls that are made in a part of a function, such as a comprehension, as calls of that."""
        edges: dict[tuple[Frame, Frame], int] = {}
        for (caller, callee), times in self.edges.items():
            owner = part_of(caller)
            above = owner if owner in self.calls else caller
            if above is not None and above != part_of(callee):
                edges[above, callee] = edges.get((above, callee), 0) + times
        return replace(self, edges=edges)

    def bytes_of(self, frame: Frame) -> float:
        """Bytes that a call of a function allocates by itself."""
        return self.allocated.get(self.counted(frame), 0.0)

    def instructions_of(self, frame: Frame) -> float:
        """Instructions of a function itself per unit of work."""
        return self.instructions.get(self.counted(frame), 0) / self.work


_PART = re.compile(r"(?:\.<locals>)?\.?<(?:genexpr|listcomp|dictcomp|setcomp|lambda)>$")


def part_of(frame: Frame) -> Frame | None:
    """The function that a comprehension, a generator expression or a lambda stands in, by its name; None for any other
    frame, and for one that is named by nothing else."""
    name, inner = frame.name, _PART.sub("", frame.name)
    while inner not in {"", name}:
        name, inner = inner, _PART.sub("", inner)
    return Frame(name=name, module=frame.module) if name != frame.name else None


def is_part(frame: Frame) -> bool:
    """Whether a frame is a comprehension, a generator expression or a lambda."""
    return _PART.search(frame.name) is not None


def _bare(frame: Frame) -> tuple[str, str]:
    return frame.module, frame.name.rpartition(".")[2]


@dataclass(frozen=True, kw_only=True, eq=False)
class CountPair:
    """The counts of both sides."""

    before: Counts
    after: Counts

    def calling(self) -> "CountPair":
        """Both with the calls of parts of functions as calls of these."""
        return CountPair(before=self.before.calling(), after=self.after.calling())

    def calls(self, frame: Frame) -> "CallChange | None":
        """How often a function is called on both sides; None where neither saw it."""
        before, after = self.before.calls_of(frame), self.after.calls_of(frame)
        return CallChange(before=before, after=after) if before or after else None

    def allocated(self, frame: Frame) -> "Amounts | None":
        """What a call of a function allocates on both sides, in bytes; None where neither saw it allocate."""
        before, after = self.before.bytes_of(frame), self.after.bytes_of(frame)
        return Amounts(before=before, after=after) if before or after else None

    def instructions(self, frame: Frame) -> "Amounts | None":
        """The instructions of a function itself on both sides; None where nobody counted them."""
        before, after = self.before.instructions_of(frame), self.after.instructions_of(frame)
        return Amounts(before=before, after=after) if before or after else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Amounts:
    """Something exact about a function on both sides."""

    before: float
    after: float


class Manner(StrEnum):
    """In which way a function got dearer."""

    MORE_CALLS = "called more often"
    SLOWER_CALLS = "slower per call"
    BOTH = "called more often and slower per call"


@dataclass(frozen=True, kw_only=True, slots=True)
class CallChange:
    """Calls of a function per unit of work."""

    before: float
    after: float

    @property
    def ratio(self) -> float | None:
        """After over before; None where there were none before."""
        return self.after / self.before if self.before else None

    def by_calls(self, cost: Estimate) -> float:
        """The part of a cost's difference that comes of the number of calls; the rest is the cost of each.

        With c calls of p each, c2 p2 - c1 p1 = (c2 - c1) (p1 + p2) / 2 + (c1 + c2) / 2 (p2 - p1): the first part.
        """
        if not self.before or not self.after:
            return cost.delta
        each = cost.before / self.before + cost.after / self.after
        return (self.after - self.before) * each / 2

    def manner(self, cost: Estimate) -> Manner:
        """In which way a cost grew."""
        share = self.by_calls(cost) / cost.delta if cost.delta else 0.0
        if share >= MOSTLY:
            return Manner.MORE_CALLS
        return Manner.SLOWER_CALLS if share <= 1 - MOSTLY else Manner.BOTH
