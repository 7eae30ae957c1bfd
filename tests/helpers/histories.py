"""Random histories with one planted culprit, as a world the whole engine can work on, and the answer by brute force.

Everything about who contains whom is computed here by walking parents, apart from the code under test.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from bisector.adapters.in_memory.repository import SimulatedRepository
from bisector.adapters.in_memory.world import World
from bisector.core.model.facts import HistoryListed
from bisector.core.model.history import Commit, Line
from bisector.core.model.units import Sha, digest

LEAST, MOST = 4, 36


@dataclass(frozen=True, kw_only=True)
class History(World):
    """Commits 0..n-1 in topological order; `parents[i]` come before i. `planted` carries the change."""

    parents: tuple[tuple[int, ...], ...] = ()
    first: int = 0
    last: int = 0
    planted: int = 0
    broken: frozenset[int] = frozenset()
    stretches: tuple[tuple[int, int], ...] = ()
    """First and last of each stretch that does not build: all of one fail alike."""
    same: frozenset[int] = frozenset()
    """Commits with the very tree of their only parent."""

    @cached_property
    def ancestors(self) -> tuple[frozenset[int], ...]:
        """Of each commit all that it contains, itself included."""
        found: list[frozenset[int]] = []
        for index, parents in enumerate(self.parents):
            found.append(frozenset({index}).union(*(found[parent] for parent in parents)))
        return tuple(found)

    @cached_property
    def commits(self) -> tuple[Commit, ...]:
        """The commits by number."""
        made: list[Commit] = []
        for index, parents in enumerate(self.parents):
            tree = made[parents[0]].tree if index in self.same else _name("tree", index)
            names = tuple(_name("commit", parent) for parent in parents)
            made.append(
                Commit(sha=_name("commit", index), tree=tree, parents=names, time=index, author="A", subject=str(index))
            )
        return tuple(made)

    @cached_property
    def numbers(self) -> dict[str, int]:
        """The first commit with each tree."""
        found: dict[str, int] = {}
        for index, commit in enumerate(self.commits):
            found.setdefault(commit.tree, index)
        return found

    def is_bad(self, number: int) -> bool:
        """Whether the commit contains the culprit."""
        return self.planted in self.ancestors[number]

    def has_change(self, tree: str) -> bool:
        return self.is_bad(self.numbers[tree])

    def level(self, tree: str) -> float:
        return 1.25 if self.has_change(tree) else 1.0

    def is_idle(self, tree: str) -> bool:
        return False

    def why_not(self, tree: str) -> str:
        number = self.numbers[tree]
        reason = next((at for at, (first, last) in enumerate(self.stretches) if first <= number <= last), 0)
        return f"planted: stretch {reason}"

    def fails_at_first(self, tree: str) -> bool:
        return False

    def luck(self, tree: str, build: int) -> float:
        return 1.0

    def crashes(self, tree: str) -> bool:
        return False

    def builds(self, tree: str) -> bool:
        return self.numbers[tree] not in self.broken

    def further_levels(self, tree: str) -> dict[str, float]:
        return {}


class HistoryRepository(SimulatedRepository):
    """Lists the candidates of a `History` as git would, by walking it."""

    def __init__(self, history: History) -> None:
        super().__init__(history)
        self.history = history

    def resolve(self, ref: str) -> Commit:
        return next(commit for commit in self.history.commits if commit.sha == ref)

    def list_history(
        self, good: Sha, bad: Sha, *, every_commit: bool, paths: Sequence[str], suspects: Sequence[str] = ()
    ) -> HistoryListed:
        history = self.history
        indexes = graph_candidates(history) if every_commit else line_candidates(history)
        base, candidates = indexes[0], indexes[1:]
        commits = [history.commits[number] for number in indexes]
        position = {number: index for index, number in enumerate(candidates, start=1)}
        links = tuple(
            tuple(position[parent] for parent in history.parents[number] if parent in position) for number in candidates
        )
        line = Line(
            base=commits[0],
            candidates=tuple(commits[1:]),
            trees=tuple(commit.tree for commit in commits),
            links=links if every_commit else (),
        )
        aside = None if base == history.first else history.commits[history.first]
        return HistoryListed(line=line, aside=aside, bad_contains_good=True)


def graph_candidates(history: History) -> list[int]:
    """Good, and every commit that bad contains and good does not, parents before children."""
    return [history.first, *sorted(history.ancestors[history.last] - history.ancestors[history.first])]


def line_candidates(history: History) -> list[int]:
    """The commits of bad's first-parent line that good does not contain, after the one the line starts from."""
    known, found, at = history.ancestors[history.first], list[int](), history.last
    while at not in known:
        found.append(at)
        if not history.parents[at]:
            return found[::-1]
        at = history.parents[at][0]
    return [at, *found[::-1]]


def is_testable(history: History, number: int) -> bool:
    """Whether the commit builds."""
    return history.numbers[history.commits[number].tree] not in history.broken


def expected(history: History, ends: tuple[int, int] | None, *, every_commit: bool) -> frozenset[int] | None:
    """The candidates that no testable commit tells from the culprit; None where the ends do not differ.

    `ends` are the commits that stand for good and bad. All numbers are the history's own.
    """
    indexes = graph_candidates(history) if every_commit else line_candidates(history)
    testable = [number for number in indexes if is_testable(history, number)]
    if ends is None:
        return None
    low, high = ends
    if history.is_bad(low) or not history.is_bad(high):
        return None
    known, reached = _contained(history, indexes, low), _contained(history, indexes, high)
    consistent = {
        candidate
        for candidate in indexes[1:]
        if candidate in reached - known
        and all((candidate in _contained(history, indexes, t)) == history.is_bad(t) for t in testable)
    }
    changed = frozenset(candidate for candidate in consistent if not _unchanged(history, indexes, candidate))
    return changed or frozenset(consistent)


def _contained(history: History, indexes: Sequence[int], number: int) -> set[int]:
    """The candidates that a commit contains. On a line each stands for all that it brought in."""
    return set(indexes[1:]) & history.ancestors[number]


def _unchanged(history: History, indexes: Sequence[int], candidate: int) -> bool:
    return candidate in history.same and history.parents[candidate][0] in indexes


def random_history(seed: int) -> History:
    """A history of seed's own: merges, octopus merges, criss-cross, several roots, stretches that do not build."""
    draw = random.Random(f"history {seed}")
    size = draw.randint(LEAST, MOST)
    wild = draw.random()
    parents = [()] + [_parents(draw, index, wild) for index in range(1, size)]
    plain = History(parents=tuple(parents), last=size - 1, noise=0.0, seed=seed)
    inside = sorted(plain.ancestors[size - 1] - {size - 1})
    if not inside:
        return random_history(seed + 1_000_003)
    first = draw.choice(inside[: max(len(inside) // 2, 1)])
    history = replace(plain, first=first)
    candidates = sorted(history.ancestors[history.last] - history.ancestors[first])
    planted = draw.choice(candidates)
    same = frozenset(
        index
        for index in candidates
        if index != planted and len(parents[index]) == 1 and index != history.last and draw.random() < 0.08
    )
    stretches, kept = _broken(draw, size, {first, size - 1})
    broken = frozenset(number for start, last in stretches for number in range(start, last + 1)) - kept
    return replace(history, planted=planted, same=same, broken=broken, stretches=stretches)


def _parents(draw: random.Random, index: int, wild: float) -> tuple[int, ...]:
    """The parents of commit `index`: mostly the one before it or one not far back."""
    if draw.random() < 0.04 * wild:
        return ()
    recent = range(max(index - 6, 0), index)
    first = index - 1 if draw.random() < 0.5 else draw.choice(recent)
    count = draw.choices((0, 1, 2, 3), (6, 4 * wild, wild, wild / 2))[0]
    others = draw.sample(range(max(index - 10, 0), index), min(count, index))
    return tuple(dict.fromkeys((first, *others)))


def _broken(draw: random.Random, size: int, ends: set[int]) -> tuple[tuple[tuple[int, int], ...], set[int]]:
    """Stretches and single commits that do not build, and the ends that build all the same: mostly both."""
    keep = ends if draw.random() < 0.8 else set()
    found = list[tuple[int, int]]()
    for _ in range(draw.choice((0, 0, 1, 1, 2, 3))):
        start, length = draw.randrange(size), draw.choice((1, 1, 2, 5, 12, 25))
        found.append((start, min(start + length, size) - 1))
    return tuple(found), keep


def _name(kind: str, index: int) -> Sha:
    return Sha(digest(kind, str(index))[:40])


def seeds(count: int, start: int = 0) -> Iterator[int]:
    """`count` seeds."""
    yield from range(start, start + count)
