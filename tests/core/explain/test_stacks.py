"""Stacks as columns against the same computed one stack at a time."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bisector.core.explain.stacks import DEEPEST, Frame, Origin, Profile, Unit, captured, merged
from tests.core.explain.trees import STACKS, Weighted, capture, folded, frame, profile, stacks


def unfolded(frames: tuple[Frame, ...], parent: list[int], of: list[int]) -> list[tuple[str, ...]]:
    """The stack of every node."""
    found: list[tuple[str, ...]] = []
    for above, frame_index in zip(parent, of, strict=True):
        found.append((*(found[above] if above >= 0 else ()), frames[frame_index].name))
    return found


@given(STACKS)
def test_a_tree_holds_each_stack_once_with_its_weight(weighted: Weighted) -> None:
    expected: Counter[tuple[str, ...]] = Counter()
    for stack, weight in weighted:
        expected[stack] += weight  # type: ignore[assignment]
    made = capture(weighted)
    names = unfolded(made.frames, made.tree.parent.tolist(), made.tree.frame.tolist())
    assert len(set(names)) == len(names)
    found = {name: weight for name, weight in zip(names, made.weights.tolist(), strict=True) if weight}
    assert found == {stack: weight for stack, weight in expected.items() if weight}


@given(STACKS)
def test_callers_come_before_what_they_call_and_levels_are_depths(weighted: Weighted) -> None:
    tree = capture(weighted).tree
    assert (tree.parent < np.arange(tree.size)).all()
    for depth, nodes in enumerate(tree.depths()):
        for node in range(nodes.start, nodes.stop):
            length, above = 0, int(tree.parent[node])
            while above >= 0:
                length, above = length + 1, int(tree.parent[above])
            assert length == depth


@given(STACKS)
def test_totals_count_recursion_once(weighted: Weighted) -> None:
    expected: Counter[str] = Counter()
    for stack, weight in weighted:
        for name in set(stack):
            expected[name] += weight  # type: ignore[assignment]
    made = capture(weighted)
    totals = np.where(made.tree.outermost, made.tree.totals(made.weights), 0)
    by_function = made.tree.by_frame(totals, len(made.frames))
    assert {f.name: total for f, total in zip(made.frames, by_function.tolist(), strict=True)} == dict(expected)


@given(st.lists(STACKS, min_size=1, max_size=4))
def test_a_merged_tree_holds_every_capture_as_it_is(sides: list[Weighted]) -> None:
    captures = [capture(weighted) for weighted in sides]
    frames, tree, weights = merged(captures)
    names = unfolded(frames, tree.parent.tolist(), tree.frame.tolist())
    assert len(set(names)) == len(names)
    for made, row in zip(captures, weights, strict=True):
        own = unfolded(made.frames, made.tree.parent.tolist(), made.tree.frame.tolist())
        assert {n: w for n, w in zip(own, made.weights.tolist(), strict=True) if w} == {
            n: w for n, w in zip(names, row.tolist(), strict=True) if w
        }


def test_a_frame_is_the_same_wherever_it_was_seen_and_keeps_its_lowest_line() -> None:
    seen = [Frame(name="f", module="m.py", file=f"/build/{line}/m.py", line=line) for line in (0, 12, 7, 9, 0)]
    made = capture([([each], 1.0) for each in seen])
    assert [(each.name, each.line) for each in made.frames] == [("f", 7)]
    assert made.total == 5


def test_nothing_was_sampled() -> None:
    made = capture([])
    assert (made.total, made.tree.size, made.unresolved) == (0, 0, 0)
    assert merged([made, made])[1].size == 0


def test_the_middle_of_a_stack_too_deep_is_left_out() -> None:
    deep = [str(number) for number in range(3 * DEEPEST)]
    made = capture([(deep, 2.0), (["a"], 1.0)])
    assert made.cut == 1
    assert made.total == 3
    names = unfolded(made.frames, made.tree.parent.tolist(), made.tree.frame.tolist())
    longest = max(names, key=len)
    assert len(longest) <= DEEPEST
    assert (longest[0], longest[-1]) == ("0", str(3 * DEEPEST - 1))
    assert longest[DEEPEST // 2] == "[frames left out]"


def test_a_stack_as_deep_as_allowed_is_whole() -> None:
    made = capture([([str(number) for number in range(DEEPEST)], 1.0)])
    assert (made.cut, made.tree.size) == (0, DEEPEST)


def test_a_stack_without_frames_is_refused() -> None:
    with pytest.raises(ValueError, match="without frames"):
        capture([((), 1.0)])


def test_work_is_above_zero() -> None:
    with pytest.raises(ValueError, match="units of work"):
        captured(stacks([folded("a", 1.0)]), tool="test", unit=Unit.SECONDS, work=0)


def test_what_has_no_symbol_is_told() -> None:
    unknown = Frame(name="[unknown]", module="libx.so", origin=Origin.UNKNOWN)
    assert capture([((frame("a"),), 3.0), ((frame("a"), unknown), 1.0)]).unresolved == 0.25


def test_captures_of_a_side_are_of_one_unit() -> None:
    seconds, counted = (
        captured(stacks([folded("a", 1.0)]), tool="t", unit=unit) for unit in (Unit.SECONDS, Unit.BYTES)
    )
    assert profile(seconds).unit is Unit.SECONDS
    for captures in ((seconds, counted), ()):
        with pytest.raises(ValueError, match="units"):
            _ = Profile(label="x", captures=captures).unit
