"""The difference adds up, knows noise from signal, and says what is new and what is gone."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bisector.core.explain.difference import Basis, Fate, difference
from bisector.core.explain.stacks import Capture, Frame, Unit, captured
from tests.core.explain.trees import STACKS, Weighted, capture, folded, profile, sampled, stacks

SIDES = st.lists(STACKS, min_size=1, max_size=4).filter(lambda side: len(side) != 3)
"""One, two or four captures a side: their means of whole numbers are exact."""


def drawn(random: np.random.Generator, seconds: Sequence[tuple[str, float]], rate: float = 100.0) -> Capture:
    """A capture of a program that spends so long in each stack, as a profiler at `rate` would see it."""
    counts = [(stack, random.poisson(duration * rate)) for stack, duration in seconds]
    made = capture([folded(stack, count / rate) for stack, count in counts])
    return sampled(made, sum(count for _, count in counts))


PROGRAM = [(f"main;phase{i % 5};step{i}", 0.05 * (1 + i % 7)) for i in range(60)]


@given(SIDES, SIDES)
def test_deltas_add_up_to_the_total_exactly(before: list[Weighted], after: list[Weighted]) -> None:
    first, second = (profile(*(capture(w, work=2.0) for w in side)) for side in (before, after))
    found = difference(first, second)
    assert float(found.own.delta.sum()) == found.total.delta
    assert float((found.self_after - found.self_before).sum()) == found.total.delta
    outer = found.tree.levels[1]
    assert float(found.nodes.delta[:outer].sum()) == found.total.delta


@given(SIDES, SIDES)
def test_a_node_costs_what_it_and_its_calls_cost(before: list[Weighted], after: list[Weighted]) -> None:
    first, second = (profile(*(capture(w) for w in side)) for side in (before, after))
    found = difference(first, second)
    own = found.self_after - found.self_before
    below = np.zeros(found.tree.size)
    for node in range(found.tree.size):
        parent = int(found.tree.parent[node])
        if parent >= 0:
            below[parent] += found.nodes.delta[node]
    assert np.array_equal(found.nodes.delta, own + below)


@given(STACKS, STACKS)
def test_shares_of_a_side_are_one(before: Weighted, after: Weighted) -> None:
    assume(all(sum(weight for _, weight in side) > 0 for side in (before, after)))
    found = difference(profile(capture(before)), profile(capture(after)), Basis.SHARE)
    assert found.total.before == pytest.approx(1)
    assert found.total.after == pytest.approx(1)
    assert float(found.own.delta.sum()) == pytest.approx(0, abs=1e-9)


@given(SIDES)
def test_equal_sides_do_not_differ(side: list[Weighted]) -> None:
    both = profile(*(capture(weighted) for weighted in side))
    found = difference(both, both)
    assert not found.differs
    assert found.nodes.noise.all()
    assert not found.own.delta.any()


def test_work_counts() -> None:
    """Twice the time for twice the work is no difference; for the same work it is."""
    short, long = capture([folded("main;f", 1.0)], work=10), capture([folded("main;f", 2.0)], work=20)
    assert difference(profile(short), profile(long)).total.delta == 0
    again = capture([folded("main;f", 2.0)], work=10)
    assert difference(profile(short), profile(again)).total.delta == pytest.approx(0.1)


def test_new_and_gone_functions() -> None:
    found = difference(
        profile(capture([folded("main;old", 1.0), folded("main;kept", 1.0)])),
        profile(capture([folded("main;new", 1.0), folded("main;kept", 1.0)])),
    )
    fates = {each.frame.name: each.fate for each in found.functions()}
    assert fates == {"main": Fate.BOTH, "old": Fate.GONE, "kept": Fate.BOTH, "new": Fate.NEW}


def test_lines_are_those_of_the_after_side() -> None:
    before, after = (profile(capture([((Frame(name="f", module="m.py", line=line),), 1.0)])) for line in (3, 70))
    assert difference(before, after).frames[0].line == 70
    assert difference(before, profile(capture([]))).frames[0].line == 3


def test_recursion_is_counted_once() -> None:
    found = difference(profile(capture([folded("main;f;f;f", 1.0)])), profile(capture([folded("main;f;g;f;f", 3.0)])))
    total = {each.frame.name: each.total.delta for each in found.functions()}
    assert total == {"main": 2.0, "f": 2.0, "g": 3.0}


@pytest.mark.parametrize("captures", [1, 3])
def test_equal_programs_seldom_differ(captures: int) -> None:
    """Of 200 pairs of profiles of one program, sampled anew, at most one in twenty shows anything, beside chance."""
    random = np.random.default_rng(captures)
    differing = 0
    for _ in range(200):
        before, after = (profile(*(drawn(random, PROGRAM) for _ in range(captures))) for _ in range(2))
        found = difference(before, after, Basis.SHARE)
        differing += bool((~found.own.noise).any())
    assert differing <= 18


def test_equal_programs_on_an_unsteady_machine_seldom_differ() -> None:
    """Each capture is slower or faster as a whole by 10 %, which counting alone does not know."""
    random = np.random.default_rng(5)
    differing = 0
    for _ in range(200):
        sides = []
        for _ in range(2):
            scales = [1 + 0.1 * random.standard_normal() for _ in range(3)]
            sides.append(profile(*(drawn(random, [(s, w * k) for s, w in PROGRAM], 1000.0) for k in scales)))
        differing += bool((~difference(sides[0], sides[1]).own.noise).any())
    assert differing <= 16


def test_a_function_that_costs_a_third_more_stands_out_alone() -> None:
    random = np.random.default_rng(1)
    slower = [(stack, weight * (1.5 if stack.endswith("step6") else 1)) for stack, weight in PROGRAM]
    right = others = 0
    for _ in range(40):
        before = profile(*(drawn(random, PROGRAM, 1000.0) for _ in range(3)))
        after = profile(*(drawn(random, slower, 1000.0) for _ in range(3)))
        found = difference(before, after)
        signal = {found.frames[i].name for i in np.flatnonzero(~found.own.noise)}
        right += "step6" in signal
        others += len(signal - {"step6"})
    assert right == 40
    assert others <= 6


def test_the_interval_holds_the_true_difference() -> None:
    random = np.random.default_rng(2)
    slower = [*PROGRAM, ("main;phase1;added", 0.4)]
    held = 0
    for _ in range(300):
        before = profile(*(drawn(random, PROGRAM) for _ in range(3)))
        after = profile(*(drawn(random, slower) for _ in range(3)))
        found = difference(before, after)
        added = next(each for each in found.functions() if each.frame.name == "added")
        assert added.own.low is not None
        assert added.own.high is not None
        held += added.own.low <= 0.4 <= added.own.high
    assert held >= 300 * 0.92


def test_exact_costs_of_single_captures_have_no_interval() -> None:
    found = difference(profile(capture([folded("main", 1.0)])), profile(capture([folded("main", 1.5)])))
    assert (found.total.low, found.total.high, found.total.noise) == (None, None, False)


def test_one_sample_more_is_noise() -> None:
    before = sampled(capture([folded("main;f", 10.0)]), 100)
    after = sampled(capture([folded("main;f", 9.9), folded("main;g", 0.1)]), 100)
    assert not difference(profile(before), profile(after)).differs


def test_units_must_agree_unless_shares_are_compared() -> None:
    seconds, counted = (
        captured(stacks([folded("main;f", 4.0), folded("main;g", 4.0)]), tool="t", unit=unit)
        for unit in (Unit.SECONDS, Unit.SAMPLES)
    )
    with pytest.raises(ValueError, match="cannot be compared"):
        difference(profile(seconds), profile(counted))
    assert not difference(profile(seconds), profile(counted), Basis.SHARE).differs


def test_a_side_without_samples_is_all_new() -> None:
    found = difference(profile(capture([])), profile(capture([folded("main", 1.0)])))
    assert found.total.delta == 1
    assert difference(profile(capture([])), profile(capture([]))).total.delta == 0
