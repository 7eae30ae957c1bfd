"""Every way to a build tells it the layout that its number stands for; what all builds share is told none."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from bisector.adapters.in_memory.repository import SimulatedRepository
from bisector.adapters.in_memory.runner import SimulatedRunner
from bisector.adapters.in_memory.world import World
from bisector.core.model.builds import Build
from bisector.core.model.layouts import layout_of
from bisector.core.model.request import Search
from bisector.core.model.samples import Outcome
from bisector.engine.builds import Manner, archive_of, make_build
from bisector.engine.ports import BuildOrder
from bisector.engine.stop import StopSignal
from bisector.engine.tryout import try_build
from tests.helpers.simulated import Simulation

WORLD = World(candidates=16, culprit=9, effect=0.05, noise=0.005, layout=0.001, seed=1)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """The key and the layout of each build that was ordered."""
    found: list[tuple[str, int]] = []
    build = SimulatedRunner.build

    def noting(runner: SimulatedRunner, order: BuildOrder, stop: StopSignal) -> Build:
        found.append((order.key, order.layout))
        return build(runner, order, stop)

    monkeypatch.setattr(SimulatedRunner, "build", noting)
    return found


@pytest.fixture
def simulation() -> Iterator[Simulation]:
    made = Simulation(WORLD)
    yield made
    made.close()


@pytest.mark.parametrize("jobs", [1, 3])
def test_a_job_tells_each_build_its_own(told: list[tuple[str, int]], simulation: Simulation, jobs: int) -> None:
    """One at a time, and several that are made ahead."""
    request = simulation.request(search=Search(descend=False))
    done = simulation.run(replace(request, jobs=jobs))
    numbers = {build.key: number for (_, number), build in done.builds.items()}
    assert max(numbers.values()) >= 1, "the culprit was verified on builds made afresh"
    assert [layout for key, layout in told] == [layout_of(numbers[key]) for key, _ in told]


def test_a_scenario_that_is_tried_does_so_too(told: list[tuple[str, int]], simulation: Simulation) -> None:
    for number in (0, 2):
        try_build(simulation.request(), WORLD.line[1], simulation.ports, StopSignal(), number=number)
    assert [layout for _, layout in told] == [0, layout_of(2)]


def test_what_all_builds_share_is_told_none(simulation: Simulation, monkeypatch: pytest.MonkeyPatch) -> None:
    layouts: dict[str, int] = {}

    def build(_: SimulatedRunner, order: BuildOrder, __: StopSignal) -> Build:
        layouts[order.key] = order.layout
        return Build(key=order.key, outcome=Outcome.OK, handle="made", seconds=1.0)

    monkeypatch.setattr(SimulatedRunner, "build", build)
    monkeypatch.setattr(SimulatedRepository, "archive", lambda _, tree: archive_of({tree: b""})())
    request = simulation.request()
    recipe = replace(request.scenario.build, dependency_steps=("install",))
    request = replace(request, scenario=replace(request.scenario, build=recipe))
    make_build(request, WORLD.line[1].tree, "key", simulation.ports, StopSignal(), Manner(number=3))
    assert layouts.pop("key") == layout_of(3)
    assert list(layouts.values()) == [0]
