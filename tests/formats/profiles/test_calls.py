"""Counts as the hook writes them."""

import json

import pytest

from bisector.core.explain.names import Names
from bisector.core.explain.stacks import Frame
from bisector.formats.profiles.calls import read_allocations, read_counts
from bisector.formats.profiles.problem import ProfileProblem

NAMES = Names(roots=("/b/source",))
TOLD = {
    "functions": [["/b/source/app.py", 3, "main"], ["/b/source/app.py", 9, "leaf"], ["<built-in>", 0, "len"]],
    "calls": [[0, 1], [1, 40], [2, 7]],
    "edges": [[0, 1, 40], [1, 2, 7]],
}
MAIN, LEAF = Frame(name="main", module="app.py"), Frame(name="leaf", module="app.py")


def test_calls_and_who_makes_them_are_read_per_unit_of_work() -> None:
    counts = read_counts([json.dumps(TOLD).encode()], NAMES, 2.0)
    assert counts.calls[LEAF] == 40
    assert counts.calls_of(LEAF) == 20
    assert counts.from_to(MAIN, LEAF) == 20


def test_the_counts_of_several_processes_add_up() -> None:
    data = json.dumps(TOLD).encode()
    assert read_counts([data, data], NAMES, 1.0).calls[LEAF] == 80


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"[]",
        b"{}",
        b"null",
        b"\xff",
        b"[" * 100_000,
        json.dumps({**TOLD, "calls": [[-1, 5]]}).encode(),
        json.dumps({**TOLD, "calls": [[99, 5]]}).encode(),
        json.dumps({**TOLD, "functions": [["only"]]}).encode(),
        json.dumps({**TOLD, "functions": [["a.py", float("inf"), "f"]] * 3}).encode(),
        json.dumps({**TOLD, "calls": [[0, "many"]]}).encode(),
        json.dumps({**TOLD, "calls": []}).encode(),
        json.dumps({**TOLD, "calls": [[0, float("inf")]]}).encode(),
        json.dumps({**TOLD, "calls": [[0, 10**400]]}).encode(),
        json.dumps({**TOLD, "edges": [[0, 1, -1]]}).encode(),
    ],
)
def test_what_is_none_is_said_to_be_none(broken: bytes) -> None:
    with pytest.raises(ProfileProblem):
        read_counts([broken], NAMES, 1.0)


def test_allocations_are_told_by_the_call() -> None:
    told = {**TOLD, "allocated": [[1, 4000], [0, 64]]}
    found = read_allocations([json.dumps(told).encode()], NAMES)
    assert (found[LEAF], found[MAIN]) == (100.0, 64.0)


@pytest.mark.parametrize("allocated", [None, [[9, 1]], [[0, -1]], [[0, "x"]], [[0]], 7])
def test_allocations_that_are_none_are_refused(allocated: object) -> None:
    with pytest.raises(ProfileProblem):
        read_allocations([json.dumps({**TOLD, "allocated": allocated}).encode()], NAMES)
