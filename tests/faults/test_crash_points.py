"""Killed at every durable step, and gone on with as a person would: in the end all is as if nothing had happened."""

import os
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.interrupted import GROUPS, HALVES, Clean, half_of, killed_at, local, problems_of, simulated
from tests.faults.scenes import Driver, Scene

pytestmark = [pytest.mark.slow]

STRIDE = 59
"""In CI every so-manieth place; all of them with the mark `long`. Prime to the places that come in pairs."""
PAIRS = int(os.environ.get("BISECTOR_TEST_PAIRS", "60"))

Make = Callable[[Driver, Path], Scene]


ALL = [pytest.param(local, id="local"), pytest.param(simulated, id="simulated")]


def chosen(places: int, seed: int) -> list[int]:
    """An honest sample: every so-manieth place, from another one on for each seed."""
    return list(range(1 + seed % STRIDE, places + 1, STRIDE))


@pytest.mark.xdist_group(GROUPS[0])
@pytest.mark.parametrize("make", ALL)
def test_killed_at_some_places_it_ends_as_if_nothing_had_happened(make: Make, forked: Driver, tmp_path: Path) -> None:
    scene = make(forked, tmp_path)
    clean = Clean(scene)
    seed = 0 if os.environ.get("CI") else int(time.time())
    wrong = [each for number in chosen(len(clean.places), seed) for each in killed_at(scene, number, clean)]
    assert wrong == [], f"seed {seed}"


@pytest.mark.long
@pytest.mark.parametrize("half", HALVES)
@pytest.mark.parametrize("make", ALL)
def test_killed_at_every_place_it_ends_as_if_nothing_had_happened(
    make: Make, half: int, forked: Driver, tmp_path: Path
) -> None:
    scene = make(forked, tmp_path)
    clean = Clean(scene)
    began = time.monotonic()
    numbers = half_of(range(1, len(clean.places) + 1), half)
    wrong = [each for number in numbers for each in killed_at(scene, number, clean)]
    sys.stdout.write(
        f"{len(numbers)} of {len(clean.places)} places, {time.monotonic() - began:.0f} s, {len(wrong)} wrong\n"
    )
    assert wrong == []


@pytest.mark.long
@pytest.mark.parametrize("half", HALVES)
@pytest.mark.parametrize("make", ALL)
def test_killed_again_while_it_goes_on_it_ends_as_if_nothing_had_happened(
    make: Make, half: int, forked: Driver, tmp_path: Path
) -> None:
    scene, draw = make(forked, tmp_path), random.Random(1 + half)
    clean = Clean(scene)
    wrong = []
    for _ in range(PAIRS // len(GROUPS)):
        first, second = draw.randint(1, len(clean.places)), draw.randint(1, len(clean.places))
        scene.set_up()
        scene.type(*scene.command, at=first)
        scene.go_on(at=second)
        ended = scene.go_on()
        problems = problems_of(scene, ended.code, ended.output, clean)
        wrong += [f"killed at {first}, then at {second}: {problem}" for problem in problems]
    assert wrong == []
