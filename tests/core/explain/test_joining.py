"""Captures of several runs as one."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bisector.core.explain.joining import joined
from bisector.core.explain.stacks import Capture, Frame, Stacks, Unit, captured

NAMES = [Frame(name=name) for name in "abcd"]
STACKS = st.lists(st.tuples(st.lists(st.integers(0, 3), min_size=1, max_size=5), st.integers(1, 9)), min_size=1)


def capture(stacks: list[tuple[list[int], int]]) -> Capture:
    flat = np.array([frame for stack, _ in stacks for frame in stack], dtype=np.int64)
    lengths = np.array([len(stack) for stack, _ in stacks], dtype=np.int64)
    weights = np.array([weight for _, weight in stacks], dtype=np.float64)
    whole = Stacks(frames=NAMES, flat=flat, lengths=lengths, weights=weights)
    return captured(whole, tool="t", unit=Unit.SECONDS, samples=int(weights.sum()))


@given(st.lists(STACKS, min_size=1, max_size=4))
def test_weights_samples_and_work_add_up(parts: list[list[tuple[list[int], int]]]) -> None:
    one = joined([capture(part) for part in parts])
    together = capture([stack for part in parts for stack in part])
    assert one.total == pytest.approx(together.total)
    assert (one.samples, one.work) == (together.samples, len(parts))
    own = dict(zip(one.frames, one.tree.by_frame(one.weights, len(one.frames)), strict=True))
    expected = dict(zip(together.frames, together.tree.by_frame(together.weights, len(together.frames)), strict=True))
    assert own == pytest.approx(expected)


def test_unlike_captures_are_not_joined() -> None:
    one = capture([([0, 1], 2)])
    with pytest.raises(ValueError, match="units"):
        joined([one, replace(one, unit=Unit.BYTES)])
    with pytest.raises(ValueError, match="0 captures"):
        joined([])


def test_samples_that_one_of_them_did_not_count_are_unknown() -> None:
    one = capture([([0], 2)])
    assert joined([one, replace(one, samples=None)]).samples is None
