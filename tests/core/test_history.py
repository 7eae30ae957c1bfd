"""Lines and graphs of candidates."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bisector.core.model.history import LARGEST_GRAPH, Place, linear_line
from tests.helpers.lines import commit, graph, line


@st.composite
def parent_lists(draw: st.DrawFn) -> list[list[int]]:
    size = draw(st.integers(1, 24))
    found = []
    for index in range(1, size + 1):
        count = draw(st.integers(1, min(3, index)))
        found.append(sorted(draw(st.sets(st.integers(0, index - 1), min_size=count, max_size=count))))
    return found


def ancestors(parents: list[list[int]], index: int) -> set[int]:
    """Brute force: every candidate reachable from `index`, itself included."""
    seen: set[int] = set()
    stack = [index]
    while stack:
        current = stack.pop()
        if current and current not in seen:
            seen.add(current)
            stack.extend(parents[current - 1])
    return seen


@given(parent_lists())
def test_a_commit_of_a_graph_contains_its_ancestors(parents: list[list[int]]) -> None:
    on = graph(parents)
    for index in range(on.size + 1):
        assert {int(c) + 1 for c in np.flatnonzero(on.contains(index))} == ancestors(parents, index)


@given(st.integers(1, 50), st.data())
def test_a_commit_of_a_line_contains_those_before_it(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size))
    assert line(size).contains(index).sum() == index


def test_candidates_with_their_parents_tree_are_unchanged() -> None:
    commits = [commit(1, (0,)), commit(2, (1,), tree=1), commit(3, (2,)), commit(4, (3,), tree=2)]
    assert linear_line(commit(0), commits).unchanged.tolist() == [False, True, False, False]


def test_a_merge_with_the_tree_of_either_parent_is_unchanged() -> None:
    on = graph([[0], [0], [1, 2]])
    trees = (on.trees[0], on.trees[1], on.trees[2], on.trees[2])
    assert type(on)(base=on.base, candidates=on.candidates, trees=trees, links=on.links).unchanged.tolist() == [
        False,
        False,
        True,
    ]


def test_places_survive_their_text() -> None:
    for text in ("main:17", "inner:0", "aside:0"):
        assert str(Place.parse(text)) == text


def test_a_graph_has_a_largest_size() -> None:
    on = graph([[0]] * 3)
    assert on.size < LARGEST_GRAPH
