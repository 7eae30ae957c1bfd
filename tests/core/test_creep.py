"""A level that climbs in many small steps is told as that without a long search, and a step on it is found."""

from dataclasses import replace

import pytest

from bisector.adapters.in_memory.world import World
from bisector.core.model.investigation import Investigation
from bisector.core.model.request import Search
from bisector.core.model.verdict import Reason, VerdictKind
from tests.helpers.simulated import Simulation

CLIMB = World(candidates=64, culprit=0, creep=0.1, noise=0.02)


def job(world: World) -> Investigation:
    simulation = Simulation(world)
    try:
        return simulation.run(simulation.request(search=Search(descend=False, min_effect=0.03)))
    finally:
        simulation.close()


@pytest.mark.parametrize("seed", range(6))
def test_a_climb_that_single_runs_hardly_show_is_a_creep(seed: int) -> None:
    found = job(replace(CLIMB, seed=seed))
    assert found.verdict is not None
    assert (found.verdict.kind, found.verdict.reason) == (VerdictKind.INCONCLUSIVE, Reason.CREEP)
    assert found.runs() <= 120


@pytest.mark.parametrize("seed", range(4))
def test_a_step_on_a_climb_is_found(seed: int) -> None:
    found = job(replace(CLIMB, creep=0.04, culprit=40, effect=0.06, seed=seed))
    assert found.verdict is not None
    assert [culprit.members for culprit in found.verdict.culprits] == [(40,)]
