"""Listings of made-up histories (merges, criss-cross, octopus, several roots) against brute force."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bisector.adapters.git.branch import list_branch
from bisector.adapters.git.history import list_history
from bisector.core.model.facts import HistoryListed
from bisector.core.model.history import Line
from bisector.core.model.units import Sha
from bisector.errors import RefError
from tests.adapters.git.conftest import git_on
from tests.helpers.repositories import EPOCH, Node, make_graph, run_git

Parents = tuple[tuple[int, ...], ...]
CHECKED = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)


@dataclass(frozen=True)
class Shape:
    """A history without its names: who has which parents, what the clocks said, and whether git keeps its graph."""

    parents: Parents
    times: tuple[int, ...]
    kept_graph: bool

    def reach(self, *tips: int) -> frozenset[int]:
        """The commits with their ancestors."""
        found: set[int] = set()
        waiting = list(tips)
        while waiting:
            number = waiting.pop()
            if number not in found:
                found.add(number)
                waiting += self.parents[number]
        return frozenset(found)

    def first_parents(self, tip: int) -> Iterator[int]:
        """The line of first parents, the youngest first."""
        yield tip
        while self.parents[tip]:
            tip = self.parents[tip][0]
            yield tip

    def merge_bases(self, one: int, other: int) -> set[int]:
        """Common ancestors that no other common ancestor contains."""
        common = self.reach(one) & self.reach(other)
        return {number for number in common if not any(number in self.reach(c) - {c} for c in common)}


@st.composite
def shapes(draw: st.DrawFn, least: int = 3, most: int = 11) -> Shape:
    """Histories of a few commits; every commit's parents come before it, its time need not."""
    size = draw(st.integers(least, most))
    parents: list[tuple[int, ...]] = [()]
    for number in range(1, size):
        width = draw(st.sampled_from([0, 1, 1, 1, 1, 2, 2, 2, 3]))
        near = st.integers(max(0, number - 5), number - 1)
        links = draw(st.lists(near, min_size=min(width, 1), max_size=width, unique=True))
        parents.append(tuple(links))
    jumps = draw(st.lists(st.sampled_from([0, 1, 60, -500, 500]), min_size=size, max_size=size))
    times = tuple(EPOCH + number * 60 + jump for number, jump in enumerate(jumps))
    return Shape(tuple(parents), times, draw(st.booleans()))


def ends_of(shape: Shape, numbers: tuple[int, int]) -> tuple[int, int]:
    """Two commits of the history, the second one of the youngest."""
    size = len(shape.parents)
    return numbers[0] % size, size - 1 - numbers[1] % 3


@contextmanager
def made(shape: Shape) -> Iterator[tuple[Path, list[Sha]]]:
    """The history as a repository in which a commit has one file for itself and each of its ancestors."""
    nodes = [
        Node(links, {f"f{ancestor}": b"x" for ancestor in shape.reach(number)}, shape.times[number])
        for number, links in enumerate(shape.parents)
    ]
    with tempfile.TemporaryDirectory() as room:
        shas = make_graph(Path(room), nodes)
        if shape.kept_graph:
            run_git(Path(room), "commit-graph", "write", "--reachable")
        yield Path(room), shas


def numbers(line: Line, shas: Sequence[Sha]) -> list[int]:
    """The candidates as the shape numbers them."""
    return [shas.index(commit.sha) for commit in line.candidates]


def check_containment(line: Line, shas: Sequence[Sha], shape: Shape) -> None:
    """What the line says of who contains whom is what is so."""
    order = numbers(line, shas)
    for index, number in enumerate(order, start=1):
        assert [order[place] for place in range(line.size) if line.contains(index)[place]] == [
            other for other in order if other in shape.reach(number)
        ]


def refusal(shape: Shape, good: int, bad: int) -> str | None:
    """Why there can be no listing."""
    if good == bad:
        return "are the same commit"
    if bad in shape.reach(good):
        return "is an ancestor of good"
    return None if shape.merge_bases(good, bad) else "have no history in common"


def listed(
    room: Path, shas: Sequence[Sha], shape: Shape, ends: tuple[int, int], *, every_commit: bool
) -> HistoryListed | None:
    """The listing; None where there has to be none, and is none for the reason that brute force sees."""
    good, bad = (shas[number] for number in ends)
    why = refusal(shape, *ends)
    if why is None:
        return list_history(git_on(room), good, bad, every_commit=every_commit, paths=())
    with pytest.raises(RefError) as refused:
        list_history(git_on(room), good, bad, every_commit=every_commit, paths=())
    assert why in refused.value.what
    return None


ends = st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99)), min_size=2, max_size=2)


@CHECKED
@given(shape=shapes(), ends=ends)
def test_the_first_parent_line_is_that_of_brute_force(shape: Shape, ends: list[tuple[int, int]]) -> None:
    with made(shape) as (room, shas):
        for good, bad in (ends_of(shape, pair) for pair in ends):
            found = listed(room, shas, shape, (good, bad), every_commit=False)
            if found is None:
                continue
            line = [number for number in shape.first_parents(bad) if number not in shape.reach(good)][::-1]
            before = shape.parents[line[0]][:1] or (line.pop(0),)
            assert (shas.index(found.line.base.sha), *numbers(found.line, shas)) == (*before, *line)
            assert found.line.linear
            assert found.bad_contains_good == (good in shape.reach(bad))
            assert (found.aside and found.aside.sha) == (None if before == (good,) else shas[good])


@CHECKED
@given(shape=shapes(), ends=ends)
def test_every_commit_is_that_of_brute_force(shape: Shape, ends: list[tuple[int, int]]) -> None:
    with made(shape) as (room, shas):
        for good, bad in (ends_of(shape, pair) for pair in ends):
            found = listed(room, shas, shape, (good, bad), every_commit=True)
            if found is None:
                continue
            order = numbers(found.line, shas)
            assert set(order) == shape.reach(bad) - shape.reach(good)
            assert order[-1] == bad
            check_containment(found.line, shas, shape)
            base = shas.index(found.line.base.sha)
            bases = shape.merge_bases(good, bad)
            start = next((number for number in shape.first_parents(bad) if number in shape.reach(good)), None)
            assert base in bases
            assert base == start or start not in bases
            assert (found.aside and found.aside.sha) == (None if base == good else shas[good])


def files(room: Path, trees: Sequence[str]) -> list[set[str]]:
    """The names in each of some flat trees."""
    found = []
    for tree in trees:
        listing = run_git(room, "ls-tree", "--name-only", tree)
        found.append(set(listing.splitlines()))
    return found


@CHECKED
@given(shape=shapes(least=4))
def test_what_a_merge_brought_in_is_that_of_brute_force(shape: Shape) -> None:
    merges = [number for number, parents in enumerate(shape.parents) if len(parents) > 1][-2:]
    with made(shape) as (room, shas):
        for merge in merges:
            first, *tips = shape.parents[merge]
            line, conflicts = list_branch(git_on(room), shas[merge], in_context=True)
            order = numbers(line, shas)
            assert set(order) == shape.reach(*tips) - shape.reach(first) | {merge}
            assert (shas.index(line.base.sha), order[-1], conflicts) == (first, merge, 0)
            check_containment(line, shas, shape)
            assert files(room, line.trees) == [
                {f"f{number}" for number in shape.reach(first, *inside)} for inside in ((), *((n,) for n in order))
            ]
            for tip in tips[:1]:
                if len(tips) > 1 or not shape.merge_bases(first, tip) or tip in shape.reach(first):
                    continue
                line, _ = list_branch(git_on(room), shas[merge], in_context=False)
                order = numbers(line, shas)
                assert set(order) == shape.reach(tip) - shape.reach(first)
                assert order[-1] == tip
                assert shas.index(line.base.sha) in shape.merge_bases(first, tip)
                assert line.trees == tuple(line.commit(index).tree for index in range(line.size + 1))
                check_containment(line, shas, shape)
