"""Rounds of several runs at the same moment: their lanes, and which commits keep the best one company."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bisector.core.model.history import main
from bisector.core.model.samples import Purpose
from bisector.core.model.steps import Measure, Slot
from bisector.core.search.observations import classify
from bisector.core.search.queries import nearest_split
from tests.helpers.lines import line, observations


@given(width=st.integers(1, 8), rounds=st.integers(1, 9))
def test_no_two_runs_of_a_moment_share_processors_and_every_commit_has_all_of_them_in_turns(
    width: int, rounds: int
) -> None:
    slots = tuple(Slot(place=main(n % width), purpose=Purpose.SEARCH) for n in range(width * rounds))
    step = Measure(slots=slots, reason="", parallel=width)
    for moment in range(rounds):
        orders = [order for order in range(len(slots)) if step.moment(order) == moment]
        assert sorted(map(step.lane, orders)) == list(range(width))
    for place in range(width):
        lanes = [step.lane(order) for order, slot in enumerate(slots) if slot.place == main(place)]
        assert len(set(lanes)) == min(width, rounds)


@settings(max_examples=60, deadline=None)
@given(
    size=st.integers(2, 40),
    share=st.floats(0, 1),
    measured=st.sets(st.integers(1, 39), max_size=4),
    broken=st.sets(st.integers(1, 39), max_size=8),
)
def test_of_a_class_the_commit_is_taken_that_leaves_the_part_asked_for(
    size: int, share: float, measured: set[int], broken: set[int]
) -> None:
    runs = {index: [1.0] for index in (0, size, *(each for each in measured if each < size))}
    seen = observations(line(size), runs)
    classes, chances = classify(seen), np.ones(size + 1)
    chances[[0, size, *(each for each in measured | broken if each < size)]] = 0.0
    for index in range(classes.count):
        members = classes.members(index)
        parts = {each: (members.index(each) + 1) / len(members) for each in members[:-1] if chances[each]}
        found = nearest_split(seen, classes, index, share, chances)
        assert (found is None) == (not parts)
        if found is not None:
            assert abs(parts[found] - share) <= min(abs(part - share) for part in parts.values()) + 1e-9
