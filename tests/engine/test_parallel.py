"""Several runs at the same moment on the simulated world: every moment is full, and a search asks several commits."""

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace

import pytest

from bisector.adapters.in_memory.world import World
from bisector.core.model.investigation import Investigation
from bisector.core.model.request import Budget, JobKind, Search
from bisector.core.model.samples import Outcome, Purpose, Sample
from bisector.core.model.scenario import Direction
from bisector.core.model.steps import BuildPlace, Measure
from bisector.core.model.verdict import VerdictKind
from tests.helpers.simulated import Simulation

PLANTED = World(candidates=64, culprit=41, effect=0.1, noise=0.01, seed=5, cores=16)


def bisected(world: World, width: int, **changes: object) -> Investigation:
    simulation = Simulation(world)
    try:
        asked = replace(simulation.request(search=Search(descend=False)), parallel=width, jobs=1)
        return simulation.run(replace(asked, **changes))  # type: ignore[arg-type]
    finally:
        simulation.close()


def moments(found: Investigation) -> Mapping[tuple[int, int], list[Sample]]:
    """The measured runs by the moment that they were planned for."""
    steps = {plan.number: plan.step for plan in found.plans}
    together = defaultdict(list)
    for sample in found.samples:
        step = steps[sample.step]
        if sample.purpose is not Purpose.WARMUP and isinstance(step, Measure):
            together[sample.step, step.moment(sample.order)].append(sample)
    return together


def culprits(found: Investigation) -> list[int]:
    assert found.verdict is not None
    return [each.place.index for each in found.verdict.culprits]


@pytest.mark.parametrize("width", [2, 3, 4, 7])
def test_every_moment_is_full_and_each_of_its_runs_has_processors_of_its_own(width: int) -> None:
    found = bisected(PLANTED, width)
    assert culprits(found) == [41]
    assert found.verdict is not None
    assert found.verdict.culprits[0].verified
    for together in moments(found).values():
        assert sorted(sample.lane for sample in together) == list(range(width))
        assert len({sample.clock for sample in together}) == 1
        assert all(sample.partner is None for sample in together)
    searched = [{s.place for s in each} for each in moments(found).values() if each[0].purpose is Purpose.SEARCH]
    assert max(map(len, searched)) == width, "several commits are asked at once"


@pytest.mark.parametrize("width", [2, 4])
def test_it_takes_a_part_of_the_moments_and_is_right(width: int) -> None:
    worlds = [replace(PLANTED, noise=0.05, culprit=9 + 13 * seed, seed=seed) for seed in range(4)]
    alone, together = ([bisected(world, each) for world in worlds] for each in (1, width))
    assert [culprits(found) for found in together] == [[world.culprit] for world in worlds]
    taken = [sum(len(moments(found)) for found in searches) for searches in (together, alone)]
    assert taken[0] < 0.8 * taken[1]


def test_a_counter_is_asked_at_so_many_commits_that_one_part_more_than_those_is_left() -> None:
    found = bisected(replace(PLANTED, candidates=255, culprit=100, noise=0.0), 3)
    assert culprits(found) == [100]
    searching = [each for each in moments(found).values() if each[0].purpose is Purpose.SEARCH]
    assert len(searching) <= math.ceil(math.log(256, 4)) + 1


def test_in_a_graph_and_inside_a_merge_several_are_asked_as_well() -> None:
    for changes in ({"search": Search(every_commit=True)}, {"search": Search()}):
        found = bisected(replace(PLANTED, candidates=32, culprit=20, branch=6), 4, **changes)
        assert found.verdict is not None
        assert found.verdict.kind is VerdictKind.CULPRIT
        assert any(len({s.place for s in each}) > 2 for each in moments(found).values())


def test_nothing_is_found_where_nothing_changes() -> None:
    for seed in range(3):
        found = bisected(World(candidates=16, noise=0.01, seed=seed, cores=4), 4)
        assert found.verdict is not None
        assert found.verdict.kind is VerdictKind.NOT_REPRODUCED


def test_what_does_not_build_is_left_out_and_the_answer_is_as_exact() -> None:
    for seed in range(4):
        world = replace(PLANTED, unbuildable=0.3, seed=seed)
        assert culprits(bisected(world, 4)) == culprits(bisected(world, 1))


def test_a_comparison_makes_its_runs_at_the_same_moments() -> None:
    world = replace(PLANTED, candidates=2, culprit=1)
    found = bisected(world, 4, kind=JobKind.COMPARE, search=Search(direction=Direction.EITHER))
    assert {len(each) for each in moments(found).values()} == {4}
    assert found.verdict is not None
    assert found.verdict.change is not None
    assert found.verdict.change.low < 0.1 < found.verdict.change.high


@pytest.mark.parametrize("runs", [1, 6, 11, 30])
def test_a_budget_of_runs_is_kept_to(runs: int) -> None:
    assert bisected(PLANTED, 4, budget=Budget(runs=runs)).runs() <= runs


def test_a_budget_of_builds_is_spent_on_what_is_asked_first_and_not_on_company() -> None:
    builds = [bisected(PLANTED, width, budget=Budget(builds=40)).builds_made() for width in (1, 4)]
    assert builds[1] <= builds[0]


def test_a_moment_of_runs_of_what_is_built_has_nothing_built_for_company() -> None:
    again = 0
    for seed in range(3):
        found = bisected(replace(PLANTED, noise=0.1, seed=seed), 4)
        measured, before = set(), None
        for plan in found.plans:
            step = plan.step
            if isinstance(step, Measure):
                first = (step.slots[0].place, step.slots[0].number)
                if step.slots[0].purpose is Purpose.SEARCH and first in measured:
                    again += 1
                    assert not isinstance(before, BuildPlace) or "beside" not in before.reason, f"step {plan.number}"
                measured |= {(slot.place, slot.number) for slot in step.slots}
            before = step
    assert again


def test_the_machines_fault_in_one_run_has_all_of_its_moment_made_again() -> None:
    faults = 0
    for seed in range(3):
        found = bisected(replace(PLANTED, infra=0.01, seed=seed), 4)
        assert culprits(found) == [41]
        for together in moments(found).values():
            outcomes = [sample.outcome for sample in together]
            faults += outcomes.count(Outcome.INFRA)
            assert outcomes.count(Outcome.OK) == 4
            assert (Outcome.INFRA in outcomes) == (len(together) > 4)
    assert faults


def test_samples_taken_one_at_a_time_are_not_taken_over_and_those_of_as_many_are() -> None:
    simulation = Simulation(PLANTED)
    asked = simulation.request(search=Search(descend=False))
    adopted = []
    for width in (1, 4, 2, 4):
        found = simulation.run(replace(asked, parallel=width))
        adopted.append(any(sample.adopted_from for sample in found.samples))
    simulation.close()
    assert adopted == [False, False, False, True]
