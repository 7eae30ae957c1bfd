"""A change taken apart: the packages that it moves, or the commits a submodule went on by, as a line of candidates.

Index k of the line is the commit with its first k parts in place and the others as they were before.
"""

from dataclasses import dataclass
from enum import StrEnum

from bisector.core.model.history import Line, LineName, Place
from bisector.core.model.packages import PackageMove

HELD = ".bisector-packages.txt"
"""The file of the checkout that says which versions of packages a build is held to."""


class PartKind(StrEnum):
    """What a change is taken apart into."""

    PACKAGES = "packages"
    SUBMODULES = "submodules"


@dataclass(frozen=True, kw_only=True, slots=True)
class PartsListed:
    """The parts of what the commit at `place` changes against the one at `parent` (a fact).

    In context the line begins with the parent itself and ends with the commit itself, whose levels are known; else
    both its ends are made like the rest. The last candidate is the commit itself where `rest` says that the parts may
    not be all there is. `problem` is why there are none.
    """

    place: Place
    parent: Place
    what: PartKind
    line: Line
    in_context: bool
    moves: tuple[PackageMove, ...] = ()
    """The package of each candidate, the rest apart."""
    alone: tuple[str, ...] = ()
    """The trees in which only that package has moved; in company it and the one that always has."""
    paths: tuple[str, ...] = ()
    """The submodule of each candidate, the rest apart."""
    remotes: tuple[str, ...] = ()
    """Where each of those submodules comes from."""
    rest: bool = False
    problem: str = ""
    with_part: int = 0
    """The package that has moved in all of these sets: the line is of those before it, its company. 0 for none."""

    @property
    def size(self) -> int:
        """How many parts there are."""
        return self.line.size - self.rest

    def moved(self, place: Place) -> frozenset[int] | None:
        """Which parts have moved in what is built for `place`; None where it is none of these sets."""
        always = {self.with_part} - {0}
        if place.line is (LineName.COMPANY if always else LineName.PART) and place.index <= self.size:
            return frozenset({*range(1, place.index + 1), *always})
        if place.line is LineName.ALONE and (place.index > len(self.moves)) == bool(always):
            return frozenset({place.index - (len(self.moves) if always else 0), *always})
        return None

    def versions(self, place: Place) -> dict[str, str | None]:
        """The versions that a build at `place` has to hold, by package; None: not there. Nothing for other places."""
        there = self.moved(place)
        if there is None:
            return {}
        return {move.name: move.new if at in there else move.old for at, move in enumerate(self.moves, start=1)}


def part(index: int) -> Place:
    """The place of the first `index` parts."""
    return Place(line=LineName.PART, index=index)


def alone(index: int) -> Place:
    """The place of the part at `index` and no other."""
    return Place(line=LineName.ALONE, index=index)


def pair(index: int, size: int) -> Place:
    """The place of the part at `index` and the one in whose company it is, of `size` parts, and no other."""
    return Place(line=LineName.ALONE, index=size + index)
