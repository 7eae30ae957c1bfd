"""The harness sees mistakes: each of them, planted, is told by what a kill at some place leaves."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.interrupted import Clean, killed_at, local, simulated
from tests.faults.mutants import MUTANTS
from tests.faults.scenes import Driver, Scene
from tests.faults.test_stopped import woken_too_late

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("more faults")]

MOST = 12
"""Places at which a mistake may not show before the one at which it does."""
SHOWS: dict[str, tuple[Callable[[Driver, Path], Scene], str]] = {
    "written in place": (simulated, "half of it is written"),
    "row before file": (simulated, "the row is there"),
    "last sample again": (simulated, "after commit"),
    "fact twice": (simulated, "the fact is written"),
    "nothing pinned": (local, "after commit"),
    "complete before it is": (local, "after write file"),
    "nobody sweeps": (local, "after commit"),
    "done in two steps": (simulated, "between two steps"),
    "noise counted twice": (simulated, "noise is kept"),
}
"""The scene in which each mistake shows, and at which places; some of them are tried."""
IN_CI = {"row before file"}


def test_every_mistake_is_looked_for() -> None:
    assert {*SHOWS, "deaf", "no fence"} == set(MUTANTS)


@pytest.mark.parametrize("name", [pytest.param(n, marks=() if n in IN_CI else pytest.mark.long) for n in SHOWS])
def test_a_planted_mistake_is_seen(name: str, forked: Driver, tmp_path: Path) -> None:
    make, where = SHOWS[name]
    scene = make(forked, tmp_path)
    clean = Clean(scene)
    scene.mutant = name
    places = scene.play().places
    there = [number for number, place in enumerate(places, start=1) if place == where]
    found = there[:: -(-len(there) // MOST)] if there else []
    assert found, f"no {where!r} in {sorted(set(places))}"
    assert any(killed_at(scene, number, clean) for number in found)


@pytest.mark.long
def test_without_a_fence_a_worker_that_wakes_up_late_writes_on(forked: Driver, tmp_path: Path) -> None:
    assert woken_too_late(forked, tmp_path, mutant="no fence")
