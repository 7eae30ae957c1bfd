"""Killed at any step on the engine, a bisect in containers ends as one that was not, and leaves nothing there."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.interrupted import GROUPS, HALVES, Clean, half_of, killed_at
from tests.faults.on_engine import THERE, EngineScene, contained
from tests.faults.scenes import Driver
from tests.helpers.installs import need_engine

pytestmark = [pytest.mark.docker, pytest.mark.slow]
IN_CI = ("after make a filler", "after commit an image")
"""The first place of each of these names: what was found to leave something behind, and to forget something."""


@pytest.fixture
def scene(forked: Driver, tmp_path: Path) -> Iterator[EngineScene]:
    """A bisect in containers; nothing of it is on the engine in the end."""
    need_engine()
    made = contained(forked, tmp_path)
    yield made
    made.remove_all()


@pytest.mark.xdist_group(GROUPS[1])
def test_killed_at_some_steps_on_the_engine_nothing_is_left_there(scene: EngineScene) -> None:
    clean = Clean(scene)
    chosen = [clean.places.index(place) + 1 for place in IN_CI]
    assert [problem for number in chosen for problem in killed_at(scene, number, clean)] == []


@pytest.mark.long
@pytest.mark.parametrize("half", HALVES)
def test_killed_at_every_step_on_the_engine_nothing_is_left_there(half: int, scene: EngineScene) -> None:
    clean = Clean(scene)
    there = [number for number, place in enumerate(clean.places, start=1) if THERE.search(place)]
    began = time.monotonic()
    numbers = half_of(there, half)
    wrong = [problem for number in numbers for problem in killed_at(scene, number, clean)]
    sys.stdout.write(f"{len(numbers)} of {len(there)} places, {time.monotonic() - began:.0f} s, {len(wrong)} wrong\n")
    assert wrong == []
