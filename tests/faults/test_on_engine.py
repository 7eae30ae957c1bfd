"""Killed at any step on the engine, a bisect in containers ends as one that was not, and leaves nothing there."""

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.faults.interrupted import GROUPS, HALVES, Clean, half_of, killed_at
from tests.faults.on_engine import THERE, EngineScene, contained, with_dockerfile, with_layers
from tests.faults.scenes import Driver
from tests.helpers.installs import need_engine

pytestmark = [pytest.mark.docker, pytest.mark.slow]
STRIDE = int(os.environ.get("BISECTOR_TEST_STRIDE", "25"))
"""Of the places of a bisect that uses all there is, every so-manieth: a kill takes a quarter of a minute."""
Make = Callable[[Driver, Path], EngineScene]
FURNISHED = [
    pytest.param(with_dockerfile, id="dockerfile", marks=pytest.mark.xdist_group(GROUPS[0])),
    pytest.param(with_layers, id="layers", marks=pytest.mark.xdist_group(GROUPS[1])),
]
IN_CI = ("after make a filler", "after commit an image")
"""The first place of each of these names: what was found to leave something behind, and to forget something."""


@pytest.fixture
def scene(request: pytest.FixtureRequest, forked: Driver, tmp_path: Path) -> Iterator[EngineScene]:
    """A bisect in containers, plain unless a test says otherwise; nothing of it is on the engine in the end."""
    need_engine()
    make: Make = getattr(request, "param", contained)
    made = make(forked, tmp_path)
    yield made
    made.remove_all()


@pytest.mark.xdist_group(GROUPS[1])
def test_killed_at_some_steps_on_the_engine_nothing_is_left_there(scene: EngineScene) -> None:
    clean = Clean(scene)
    chosen = [clean.places.index(place) + 1 for place in IN_CI]
    assert [problem for number in chosen for problem in killed_at(scene, number, clean)] == []


@pytest.mark.xdist_group(GROUPS[0])
@pytest.mark.parametrize("scene", [with_dockerfile], indirect=True, ids=["dockerfile"])
def test_killed_when_an_image_was_made_of_a_dockerfile_nothing_is_left(scene: EngineScene) -> None:
    clean = Clean(scene)
    assert killed_at(scene, clean.places.index("after build a Dockerfile") + 1, clean) == []


@pytest.mark.long
@pytest.mark.parametrize("scene", FURNISHED, indirect=True)
def test_killed_with_data_services_and_a_load_of_its_own_nothing_is_left(scene: EngineScene) -> None:
    clean = Clean(scene)
    there = [number for number, place in enumerate(clean.places, start=1) if THERE.search(place)]
    _kill(scene, there[STRIDE // 2 :: STRIDE], clean)


@pytest.mark.long
@pytest.mark.parametrize("half", HALVES)
def test_killed_at_every_step_on_the_engine_nothing_is_left_there(half: int, scene: EngineScene) -> None:
    clean = Clean(scene)
    there = [number for number, place in enumerate(clean.places, start=1) if THERE.search(place)]
    _kill(scene, half_of(there, half), clean)


def _kill(scene: EngineScene, numbers: Sequence[int], clean: Clean) -> None:
    began = time.monotonic()
    wrong = [problem for number in numbers for problem in killed_at(scene, number, clean)]
    sys.stdout.write(f"{len(numbers)} places, {time.monotonic() - began:.0f} s, {len(wrong)} wrong\n")
    assert wrong == []
