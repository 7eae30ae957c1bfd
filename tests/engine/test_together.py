"""Several metrics of one job: the runs are shared, and so is the error."""

from dataclasses import replace

import pytest

from bisector.adapters.in_memory.world import World
from bisector.core.model.investigation import Investigation
from bisector.core.model.scenario import Metric
from bisector.core.model.verdict import VerdictKind
from bisector.core.search.together import NAMES, share_of
from tests.helpers.simulated import Simulation

QUIET = World(candidates=24, noise=0.02)


def answered(world: World, *names: str) -> Investigation:
    simulation = Simulation(world)
    metrics = tuple(Metric(name=name) for name in ("seconds", *world.metric_names))
    request = simulation.request()
    scenario = replace(request.scenario, metrics=metrics)
    try:
        return simulation.run(replace(request, scenario=scenario, metrics=names or tuple(m.name for m in metrics)))
    finally:
        simulation.close()


def kinds(found: Investigation) -> dict[str, VerdictKind]:
    return {each.metric: each.verdict.kind for each in found.other_verdicts}


def members(found: Investigation, metric: str) -> tuple[int, ...]:
    verdict = next(each.verdict for each in found.other_verdicts if each.metric == metric)
    return verdict.culprits[0].members


def test_each_metric_has_its_own_answer() -> None:
    world = replace(QUIET, candidates=32, culprit=20, noise=0.01, metrics="0:0/9:0.2/20:0.15")
    found = answered(world)
    assert found.verdict is not None
    assert found.verdict.culprits[0].members == (20,)
    assert kinds(found) == {
        "m1": VerdictKind.NOT_REPRODUCED,
        "m2": VerdictKind.CULPRIT,
        "m3": VerdictKind.CULPRIT,
    }
    assert (members(found, "m2"), members(found, "m3")) == ((9,), (20,))


def test_what_the_first_metric_was_run_for_is_not_run_again() -> None:
    world = replace(QUIET, candidates=32, culprit=20, noise=0.01, metrics="20:0.15")
    together, alone = answered(world), [answered(world, name) for name in ("seconds", "m1")]
    assert together.runs() < sum(each.runs() for each in alone) * 0.75
    assert together.builds_made() < sum(each.builds_made() for each in alone)


def test_a_first_metric_without_a_change_does_not_end_the_search_for_the_rest() -> None:
    found = answered(replace(QUIET, noise=0.01, metrics="13:0.2"))
    assert found.verdict is not None
    assert found.verdict.kind is VerdictKind.NOT_REPRODUCED
    assert members(found, "m1") == (13,)


def test_one_metric_alone_is_decided_as_ever() -> None:
    world = replace(QUIET, culprit=11, noise=0.01)
    found = answered(world, "seconds")
    assert found.other_verdicts == ()
    assert found.request.search.confidence == 0.95


def test_holm_gives_each_that_is_named_to_the_rest() -> None:
    assert [round(1 - share_of(0.95, 4, named), 6) for named in range(4)] == [0.0125, 0.016667, 0.025, 0.05]


def false_answers(seeds: range, metrics: int) -> int:
    """Jobs on worlds without any change in which something is named for any metric."""
    world = replace(QUIET, metrics="/".join(["0:0"] * (metrics - 1)))
    wrong = 0
    for seed in seeds:
        found = answered(replace(world, seed=seed))
        assert found.verdict is not None
        wrong += bool({found.verdict.kind, *kinds(found).values()} & NAMES)
    return wrong


def test_of_twenty_metrics_that_do_not_change_none_is_named_more_often_than_stated() -> None:
    assert false_answers(range(3), 20) <= 1


@pytest.mark.calibration
def test_over_many_jobs_the_stated_error_holds_for_twenty_metrics() -> None:
    # 5 % of 200 jobs are 10; twice the binomial's deviation (3.1) more would be a broken promise.
    assert false_answers(range(200), 20) <= 16
