"""Runs that do not finish within their limit: of wall time they say "longer than that", of anything else nothing."""

from dataclasses import replace
from typing import Literal

import pytest

from bisector.adapters.in_memory.world import World
from bisector.core.model.investigation import Investigation
from bisector.core.model.samples import Outcome
from bisector.core.model.scenario import Metric
from bisector.core.model.verdict import Reason, VerdictKind
from bisector.report.compose import JobFacts, report_of
from bisector.report.phrase import plain
from tests.helpers.simulated import Simulation

LIMIT = 5.0
"""Seconds; a run of the good end takes one, one of the planted slow-down a hundred."""
WALL = Metric(name="wall", source="wall", unit="s")


def bisected(
    world: World,
    *,
    timeout_is: Literal["censored", "untestable"] = "censored",
    metric: Metric = WALL,
    limit: float = LIMIT,
) -> Investigation:
    simulation = Simulation(world=world)
    try:
        request = simulation.request()
        recipe = replace(request.scenario.run, timeout_seconds=limit, timeout_is=timeout_is)
        scenario = replace(request.scenario, run=recipe, metrics=(metric,))
        return simulation.run(replace(request, scenario=scenario))
    finally:
        simulation.close()


def notes(found: Investigation) -> str:
    return " ".join(plain(note) for note in report_of(found, JobFacts(state="done")).notes)


def test_a_slow_down_that_runs_into_the_limit_is_found() -> None:
    found = bisected(World(candidates=40, culprit=23, effect=99.0, seed=1))
    assert found.verdict is not None
    assert found.verdict.kind is VerdictKind.CULPRIT
    (culprit,) = found.verdict.culprits
    assert culprit.members == (23,)
    assert culprit.verified
    assert culprit.change is not None
    assert culprit.change.relative == pytest.approx(LIMIT - 1, rel=0.05)
    assert "count as slower than that" in notes(found)
    assert "gave no number" not in notes(found)


def test_a_slow_down_that_was_taken_back_within_the_range_is_found_as_well() -> None:
    found = bisected(World(candidates=60, culprit=20, effect=99.0, also="40:-0.985", seed=2))
    assert found.verdict is not None
    assert found.verdict.culprits[0].members == (20,)
    assert [each.members for each in found.verdict.opposite] == [(40,)]


def test_a_scenario_may_take_time_outs_as_untestable() -> None:
    """The last commit whose runs end in time stands for bad: nothing changed up to there, and the report says why."""
    found = bisected(World(candidates=40, culprit=23, effect=99.0, seed=1), timeout_is="untestable")
    assert found.verdict is not None
    assert found.verdict.kind is VerdictKind.NOT_REPRODUCED
    assert {outcome for outcome, _ in found.failures.values()} == {Outcome.TIMEOUT}
    assert max(sample.place.index for sample in found.samples if sample.outcome is Outcome.OK) == 22
    assert "named as bad, cannot be tested" in notes(found)


def test_a_time_out_says_nothing_of_a_figure_that_the_run_would_have_printed() -> None:
    printed = Metric(name="seconds", source="json", unit="s")
    found = bisected(World(candidates=60, culprit=20, effect=99.0, also="40:-0.985", seed=2), metric=printed)
    assert found.verdict is not None
    assert found.verdict.reason is Reason.UNTESTABLE
    assert "gave no number" in notes(found)


def test_where_no_run_finishes_nothing_is_known() -> None:
    found = bisected(World(candidates=20, culprit=10, seed=1), limit=0.5)
    assert found.verdict is not None
    assert found.verdict.kind is VerdictKind.FAILED
    assert "both ends" in found.verdict.explanation
