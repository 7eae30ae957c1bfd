"""Made-up stacks for the tests of explain: few functions, so that recursion and shared prefixes are common."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from bisector.core.explain.stacks import Capture, Frame, Profile, Stacks, Unit, captured

Weighted = list[tuple[tuple[str, ...], float]]
STACKS: st.SearchStrategy[Weighted] = st.lists(
    st.tuples(
        st.lists(st.sampled_from("abcde"), min_size=1, max_size=9).map(tuple),
        st.integers(min_value=0, max_value=1000).map(float),
    ),
    min_size=1,
    max_size=30,
)


def frame(name: str) -> Frame:
    """A function of the project."""
    return Frame(name=name, module="project.py")


def stacks(weighted: Sequence[tuple[Sequence[str | Frame], float]]) -> Stacks:
    """Stacks of frames by name, as a parser hands them over."""
    flat = [each for stack, _ in weighted for each in stack]
    return Stacks(
        frames=[frame(each) if isinstance(each, str) else each for each in flat],
        flat=np.arange(len(flat)),
        lengths=np.array([len(stack) for stack, _ in weighted], dtype=np.int64),
        weights=np.array([weight for _, weight in weighted], dtype=np.float64),
    )


def capture(weighted: Sequence[tuple[Sequence[str | Frame], float]], *, work: float = 1.0) -> Capture:
    """One capture in seconds whose weights are counted exactly."""
    return captured(stacks(weighted), tool="test", unit=Unit.SECONDS, work=work)


def folded(stack: str, weight: float) -> tuple[tuple[str, ...], float]:
    """ "a;b;c" and a weight."""
    return tuple(stack.split(";")), weight


def profile(*captures: Capture, label: str = "side") -> Profile:
    """A side with these captures."""
    return Profile(label=label, captures=captures)


def sampled(capture: Capture, samples: int) -> Capture:
    """The same, as if it came from so many samples."""
    return replace(capture, samples=samples)
