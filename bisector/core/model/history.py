"""The commits between the ends: who is whose parent, and what a test of one of them can tell about the others."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

import numpy as np
import numpy.typing as npt

from bisector.core.model.units import Sha

BoolArray = npt.NDArray[np.bool_]

LARGEST_GRAPH = 20_000
"""Candidates a graph may have: its ancestor sets are bit rows, 50 MB at this size."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Commit:
    """One commit, as git tells it. `time` is the committer's, in seconds since the epoch."""

    sha: Sha
    tree: Sha
    parents: tuple[Sha, ...]
    time: int
    author: str
    subject: str

    @property
    def is_merge(self) -> bool:
        """Whether it joins two or more histories."""
        return len(self.parents) > 1


class LineName(StrEnum):
    """Which list of commits a place belongs to."""

    MAIN = "main"
    INNER = "inner"
    ASIDE = "aside"
    """The good commit itself, where it does not lie on the main line."""
    TRIED = "tried"
    """Trees that were made to be measured beside the ends, and the tip of the branch."""
    PART = "part"
    """The parts of a change, one after the other: packages that it moves, commits of a submodule."""
    ALONE = "alone"
    """One or two of those parts without the others."""
    COMPANY = "company"
    """One of those parts together with those before it, one after the other."""


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Place:
    """A commit's place: the line it is on and its index there (0 is the good end)."""

    line: LineName
    index: int

    def __str__(self) -> str:
        return f"{self.line}:{self.index}"

    @classmethod
    def parse(cls, text: str) -> "Place":
        """The inverse of `str(place)`."""
        line, _, index = text.partition(":")
        return cls(line=LineName(line), index=int(index))


def main(index: int) -> Place:
    """The place `index` on the main line."""
    return Place(line=LineName.MAIN, index=index)


def inner(index: int) -> Place:
    """The place `index` among the commits a merge brought in."""
    return Place(line=LineName.INNER, index=index)


ASIDE = Place(line=LineName.ASIDE, index=0)


@dataclass(frozen=True, kw_only=True)
class Line:
    """Candidates 1..N after the commit at index 0, ancestors before descendants.

    `trees[i]` is what is built for index i: the commit's own tree, or, for a commit judged in the context of a merge,
    the tree of that merge with only this commit's history on the other side ("" where the two conflict).
    `links` is empty for a first-parent line; else `links[i - 1]` are the indexes of candidate i's parents on the line.
    `touched` are the candidates that change a path the person asked about, or None when no path was given; `suspected`
    those that change one the person suspects. `sizes[i - 1]` is how many files candidate i changes, and `idle` are the
    candidates that change nothing a build or a run could notice; both are empty where nobody looked.
    """

    base: Commit
    candidates: tuple[Commit, ...]
    trees: tuple[str, ...]
    links: tuple[tuple[int, ...], ...] = ()
    touched: frozenset[int] | None = None
    suspected: frozenset[int] = frozenset()
    sizes: tuple[int, ...] = ()
    idle: frozenset[int] = frozenset()
    notes: tuple[str, ...] = field(default=())

    @property
    def size(self) -> int:
        """N, the number of candidates."""
        return len(self.candidates)

    @property
    def linear(self) -> bool:
        """Whether each candidate contains exactly those before it."""
        return not self.links

    def commit(self, index: int) -> Commit:
        """The commit at `index`; 0 is the one the line starts from."""
        return self.base if index == 0 else self.candidates[index - 1]

    def contains(self, index: int) -> BoolArray:
        """Which candidates (element c - 1 for candidate c) the commit at `index` contains, itself included."""
        if self.linear:
            return np.arange(1, self.size + 1) <= index
        if index == 0:
            return np.zeros(self.size, dtype=bool)
        return np.unpackbits(self._ancestors[index - 1], count=self.size).astype(bool)

    @cached_property
    def _ancestors(self) -> npt.NDArray[np.uint8]:
        """Row i - 1: candidate i's ancestors on the line and itself, one bit each."""
        if self.size > LARGEST_GRAPH:
            raise ValueError(f"a graph of {self.size} commits is more than {LARGEST_GRAPH}")
        rows = np.zeros((self.size, (self.size + 7) // 8), dtype=np.uint8)
        for position, parents in enumerate(self.links):
            row = rows[position]
            for parent in parents:
                row |= rows[parent - 1]
            row[position // 8] |= 128 >> (position % 8)
        return rows

    def index_of(self, sha: Sha) -> int | None:
        """The index of `sha` on the line, or None."""
        return self._indexes.get(sha)

    @cached_property
    def _indexes(self) -> dict[Sha, int]:
        found = {commit.sha: index for index, commit in enumerate(self.candidates, start=1)}
        found.setdefault(self.base.sha, 0)
        return found

    def parent_index(self, index: int) -> int:
        """The index of the first parent of the candidate at `index`, as far as it is on the line (else 0)."""
        if self.linear:
            return index - 1
        first = self.candidates[index - 1].parents[:1]
        return self._indexes.get(first[0], 0) if first else 0

    @cached_property
    def has_tree(self) -> BoolArray:
        """(N + 1,): which indexes have a tree to build."""
        return np.array([tree != "" for tree in self.trees], dtype=bool)

    @cached_property
    def unchanged(self) -> BoolArray:
        """Which candidates have the very tree of a parent on the line: they cannot be the culprit."""
        trees = np.array(self.trees)
        if self.linear:
            return np.asarray((trees[1:] == trees[:-1]) & (trees[1:] != ""), dtype=bool)
        return np.array(
            [
                tree != "" and any(tree == self.trees[parent] for parent in (self.parent_index(index), *links))
                for index, (tree, links) in enumerate(zip(self.trees[1:], self.links, strict=True), start=1)
            ],
            dtype=bool,
        )


def linear_line(base: Commit, candidates: Sequence[Commit]) -> Line:
    """A first-parent line, each candidate built from its own tree."""
    trees = (base.tree, *(commit.tree for commit in candidates))
    return Line(base=base, candidates=tuple(candidates), trees=trees)
