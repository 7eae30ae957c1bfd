"""What callgrind wrote of a small C program: `main` calls `leaf` 1,000 and `rec` 1,000 times; `rec` calls both."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bisector.core.explain.names import Names
from bisector.core.explain.stacks import Frame
from bisector.formats.profiles.callgrind import read_callgrind
from bisector.formats.profiles.problem import ProfileProblem

CAPTURED = (Path(__file__).parents[2] / "data" / "profiles" / "callgrind.out").read_bytes()
NAMES = Names(roots=("/build/source",))
MAIN, LEAF, REC = (Frame(name=name, module="ctest") for name in ("main", "leaf", "rec"))


def test_calls_and_instructions_are_read_with_recursion_folded() -> None:
    counts = read_callgrind([CAPTURED], NAMES, 1.0)
    assert (counts.calls_of(LEAF), counts.calls_of(REC)) == (2200, 2200)
    assert counts.from_to(MAIN, LEAF) == 1000
    assert counts.from_to(REC, REC) == 1200
    assert counts.instructions_of(LEAF) == 76639
    assert counts.instructions_of(REC) == 24400
    assert counts.instructions_of(MAIN) == 19019


def test_the_library_a_call_goes_to_is_told() -> None:
    counts = read_callgrind([CAPTURED], NAMES, 1.0)
    assert counts.calls_of(Frame(name="printf", module="libc.so")) == 1


def test_processes_add_up_per_unit_of_work() -> None:
    assert read_callgrind([CAPTURED, CAPTURED], NAMES, 2.0).calls_of(LEAF) == 2200


@given(st.binary(max_size=200) | st.text(alphabet="fncobals=()0123456789 \n+-*", max_size=200).map(str.encode))
def test_anything_else_is_a_problem_and_no_crash(data: bytes) -> None:
    with pytest.raises(ProfileProblem):
        read_callgrind([data], NAMES, 1.0)


@given(st.integers(0, len(CAPTURED)), st.binary(max_size=20))
def test_a_damaged_file_is_read_or_refused(at: int, junk: bytes) -> None:
    try:
        counts = read_callgrind([CAPTURED[:at] + junk + CAPTURED[at:]], NAMES, 1.0)
    except ProfileProblem:
        return
    assert all(number >= 0 for number in counts.calls.values())
