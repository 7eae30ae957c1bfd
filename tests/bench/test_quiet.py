"""Metrics without noise of their own: believed of declared counters, and of equal runs until one deviates."""

from dataclasses import replace

import pytest

from benchmarks.search.ours import Planner
from benchmarks.search.strategies import play
from benchmarks.search.worlds import Plan, Setting, World
from bisector.adapters.in_memory.world import World as SimulatedWorld
from bisector.core.model.investigation import Investigation
from bisector.core.model.verdict import VerdictKind
from tests.helpers.simulated import Simulation


def world(regime: str, trial: int, effect: float = 2.0, size: int = 16) -> World:
    return World(
        Plan(regime=regime, setting=Setting.SINGLE, size=size, effect=effect, build_cost=5.0, seed=5, trial=trial)
    )


@pytest.mark.long
def test_builds_that_differ_where_runs_do_not_are_no_changes() -> None:
    trials = [play(Planner(), world("quietbuild", trial)) for trial in range(6)]
    endings = [trial.ending for trial in trials]
    assert sum(trial.right for trial in trials) >= 5, endings
    assert "several" not in endings


def test_a_declared_counter_is_searched_with_a_run_a_commit_and_nothing_built_twice() -> None:
    for trial in range(4):
        played = play(Planner(exact=True), world("exact", trial))
        assert played.right
        assert played.builds <= 4 + 2
        assert played.runs <= played.builds + 2 + 2


@pytest.mark.parametrize("exact", [True, False])
def test_equal_runs_are_verified_on_fresh_builds_unless_the_metric_is_declared_a_counter(exact: bool) -> None:
    found = bisected(exact=exact)
    assert found.verdict is not None
    assert found.verdict.kind is VerdictKind.CULPRIT
    assert found.verdict.culprits[0].members == (17,)
    assert any(number for _, number in found.builds) is not exact


def bisected(*, exact: bool) -> Investigation:
    simulation = Simulation(SimulatedWorld(candidates=24, culprit=17, effect=0.2, noise=0.0, seed=3))
    try:
        request = simulation.request()
        (metric,) = request.scenario.metrics
        scenario = replace(request.scenario, metrics=(replace(metric, exact=exact),))
        return simulation.run(replace(request, scenario=scenario))
    finally:
        simulation.close()
