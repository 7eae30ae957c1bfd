"""Whole jobs on the simulated world: answers, endings, crashes, stops, retries, reuse."""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest

from bisector.adapters.in_memory.machine import SimulatedClock
from bisector.adapters.in_memory.store import InMemoryStore
from bisector.adapters.in_memory.world import World
from bisector.core.model.facts import Fact
from bisector.core.model.history import LineName, Place
from bisector.core.model.investigation import Investigation
from bisector.core.model.request import Budget, JobKind, Search
from bisector.core.model.samples import Outcome, Purpose, Sample
from bisector.core.model.scenario import Direction
from bisector.core.model.verdict import InnerKind, Reason, Verdict, VerdictKind
from bisector.engine.job import JobState
from bisector.errors import Cancelled, EnvironmentFault, JobError
from bisector.formats.facts import fact_to_text
from tests.helpers.simulated import Simulation, simulate

PLANTED = World(candidates=32, culprit=20, effect=0.1, noise=0.01, unbuildable=0.1, seed=3)


def verdict_of(investigation: Investigation) -> Verdict:
    assert investigation.verdict is not None
    return investigation.verdict


@pytest.fixture
def simulation() -> Iterator[Simulation]:
    made = Simulation(PLANTED)
    yield made
    made.close()


@pytest.mark.parametrize("culprit", [1, 5, 20, 31, 32])
def test_the_planted_commit_is_named_and_verified(culprit: int) -> None:
    found = verdict_of(simulate(replace(PLANTED, culprit=culprit, unbuildable=0.0)))
    assert found.kind is VerdictKind.CULPRIT
    assert found.culprits[0].members == (culprit,)
    assert found.culprits[0].verified


def test_inside_a_merge_the_commit_that_brought_it_is_named() -> None:
    investigation = simulate(replace(PLANTED, culprit=20, branch=1))
    inner = verdict_of(investigation).culprits[0].inner
    assert inner is not None
    assert inner.kind is InnerKind.COMMIT
    assert investigation.commit(Place(line=LineName.INNER, index=inner.members[0])).subject == "Topic 20, part 1"


def test_descending_can_be_left_out() -> None:
    found = verdict_of(simulate(replace(PLANTED, culprit=20), search=Search(descend=False)))
    assert found.culprits[0].inner is None


def test_no_change_is_not_reproduced_and_says_what_is_excluded() -> None:
    found = verdict_of(simulate(replace(PLANTED, culprit=0)))
    assert (found.kind, found.reason) == (VerdictKind.NOT_REPRODUCED, Reason.NO_CHANGE)
    assert found.excluded is not None
    assert 0 < found.excluded < 0.05


def test_an_improvement_is_the_other_direction() -> None:
    world = replace(PLANTED, effect=-0.1)
    assert verdict_of(simulate(world)).reason is Reason.OPPOSITE_DIRECTION
    sought = verdict_of(simulate(world, search=Search(direction=Direction.BETTER)))
    assert sought.culprits[0].members == (20,)
    either = verdict_of(simulate(world, search=Search(direction=Direction.EITHER)))
    assert either.culprits[0].members == (20,)


def test_a_small_change_is_told_only_where_its_own_interval_says_that_there_is_one() -> None:
    """Two builds a side that differ by chance are no change of the commit's."""
    for seed in range(60):
        steady = World(candidates=8, effect=0.0, noise=0.04, layout=0.03, seed=seed)
        found = verdict_of(simulate(steady, search=Search(min_effect=0.3)))
        assert found.change is not None
        if found.reason is Reason.BELOW_MIN_EFFECT:
            assert found.change.low * found.change.high > 0


def test_a_change_below_the_smallest_worth_naming_is_said_to_be_one() -> None:
    found = verdict_of(simulate(replace(PLANTED, effect=0.02, noise=0.001)))
    assert (found.kind, found.reason) == (VerdictKind.NOT_REPRODUCED, Reason.BELOW_MIN_EFFECT)
    assert found.change is not None
    assert found.change.low <= 0.02 <= found.change.high


def test_the_neighbours_of_broken_commits_are_not_blamed() -> None:
    for seed in range(8):
        world = replace(PLANTED, unbuildable=0.5, seed=seed, culprit=18)
        broken = {index for index in range(33) if not world.builds(world.line[index].tree)}
        before = max(index for index in range(18) if index not in broken)
        after = min(index for index in range(18, 33) if index not in broken)
        found = verdict_of(simulate(world))
        assert found.culprits[0].members == tuple(range(before + 1, after + 1))
        wanted = VerdictKind.CULPRIT if after - before == 1 else VerdictKind.CULPRIT_SET
        assert found.kind is wanted


@pytest.mark.parametrize("duet", [False, True])
@pytest.mark.parametrize(("crash", "end"), [("0-0", 1), ("0-20", 21), ("64-64", 63), ("44-64", 43)])
def test_a_stretch_of_failing_runs_at_an_end_costs_runs_of_that_end_only(crash: str, end: int, duet: bool) -> None:
    """Found by doubling steps and halves, as one of failing builds is; the other end is measured once that is known."""
    simulation = Simulation(World(candidates=64, culprit=32, effect=0.1, noise=0.01, crash=crash))
    investigation = simulation.run(replace(simulation.request(), duet=duet))
    simulation.close()
    assert verdict_of(investigation).culprits[0].members == (32,)
    ends = [sample.place.index for sample in investigation.samples if sample.purpose is Purpose.ENDS]
    assert set(ends) <= {0, 64, end}
    first, last = map(int, crash.split("-"))
    tried = {sample.place.index for sample in investigation.samples if sample.outcome is Outcome.BENCH_FAILED}
    assert len(tried) <= 2 * math.log2(last - first + 2)
    assert ends.count(0 if end > 32 else 64) <= 12


def test_the_whole_graph_can_be_searched() -> None:
    found = verdict_of(simulate(replace(PLANTED, culprit=13), search=Search(every_commit=True)))
    assert found.culprits[0].members == (13,)


@pytest.mark.parametrize(
    "budget", [Budget(runs=14), Budget(builds=4), Budget(seconds=0.02)], ids=["runs", "builds", "seconds"]
)
def test_a_spent_budget_gives_the_best_answer_so_far(budget: Budget) -> None:
    investigation = simulate(replace(PLANTED, culprit=13, unbuildable=0), budget=budget)
    found = verdict_of(investigation)
    assert found.reason is Reason.BUDGET
    assert found.kind in {VerdictKind.CULPRIT_SET, VerdictKind.INCONCLUSIVE}
    if found.culprits:
        assert 13 in found.culprits[0].members
    if budget.runs:
        assert investigation.runs() <= budget.runs
    if budget.builds:
        assert investigation.builds_made() <= budget.builds


def test_a_comparison_measures_two_commits_and_nothing_else() -> None:
    simulation = Simulation(replace(PLANTED, culprit=20))
    search = Search(direction=Direction.EITHER)
    investigation = simulation.run(simulation.request(search=search, kind=JobKind.COMPARE))
    simulation.close()
    found = verdict_of(investigation)
    assert {place.index for place in investigation.by_place} == {0, 1}
    assert found.change is not None
    assert found.change.low <= 0.1 <= found.change.high


class _Crash(BaseException):
    """Stands for the end of the process: nothing may catch it."""


class _CrashingStore(InMemoryStore):
    """Ends the process at the n-th fact, before or after it is kept."""

    def __init__(self, at: int, *, kept: bool) -> None:
        super().__init__(SimulatedClock())
        self.left, self.kept = at, kept

    def append(self, job: str, fact: Fact) -> None:
        self.left -= 1
        if self.left == 0 and not self.kept:
            raise _Crash
        super().append(job, fact)
        if self.left == 0:
            raise _Crash


SMALL = World(candidates=9, culprit=4, effect=0.1, noise=0.01, unbuildable=0.2, seed=5)


def facts_in_a_clean_run() -> int:
    simulation = Simulation(SMALL)
    simulation.run()
    simulation.close()
    return len(simulation.ports.store.facts("1"))


@pytest.mark.parametrize(
    ("kept", "apart"),
    [
        pytest.param(False, 3, id="before-every-third"),
        pytest.param(False, 1, id="before", marks=pytest.mark.long),
        pytest.param(True, 1, id="after", marks=pytest.mark.long),
    ],
)
def test_killed_at_any_fact_the_job_goes_on_to_the_same_culprit(kept: bool, apart: int) -> None:
    for at in range(1, facts_in_a_clean_run() + 1, apart):
        store = _CrashingStore(at, kept=kept)
        simulation = Simulation(SMALL, store=store)
        job = store.create(simulation.request())
        with pytest.raises(_Crash):
            simulation.work(job)
        before = store.facts(job)
        assert len(before) == at - (not kept)
        store.left = -1
        investigation = simulation.work(job)
        simulation.close()
        after = store.facts(job)
        assert [fact_to_text(fact) for fact in after[: len(before)]] == [fact_to_text(fact) for fact in before]
        culprit = verdict_of(investigation).culprits[0]
        assert culprit.members == (4,)
        assert culprit.inner is not None
        _assert_nothing_doubled(after)


def _assert_nothing_doubled(facts: list[Fact]) -> None:
    slots = Counter((s.step, s.order) for s in facts if isinstance(s, Sample) and s.purpose is not Purpose.WARMUP)
    assert [slot for slot, count in slots.items() if count > 1] == []


def test_replaying_the_facts_gives_the_state_again(simulation: Simulation) -> None:
    investigation = simulation.run()
    replayed = Investigation.replay("1", simulation.request(), simulation.ports.store.facts("1"))
    assert replayed == investigation


def test_a_stop_leaves_a_job_that_can_be_resumed(simulation: Simulation) -> None:
    job = simulation.stopped_after(10)
    assert simulation.ports.store.job(job).state is JobState.CANCELLED
    assert verdict_of(simulation.work(job)).culprits[0].members == (20,)
    assert simulation.ports.store.job(job).state is JobState.DONE


def test_a_request_to_cancel_is_heard(simulation: Simulation) -> None:
    store = simulation.ports.store
    job = store.create(simulation.request())

    class CancelAtOnce:
        def planned(self, *_: object) -> None:
            store.request_cancel(job)

        def learned(self, *_: object) -> None: ...

    simulation.ports = replace(simulation.ports, observers=(CancelAtOnce(),))
    with pytest.raises(Cancelled):
        simulation.work(job)


def test_a_finished_job_is_not_worked_on_again(simulation: Simulation) -> None:
    simulation.run()
    with pytest.raises(JobError, match="done"):
        simulation.work("1")


def test_faults_of_the_machine_are_tried_again_and_never_counted() -> None:
    investigation = simulate(replace(PLANTED, infra=0.08, unbuildable=0.0, seed=5))
    assert verdict_of(investigation).culprits[0].members == (20,)
    infra = [sample for sample in investigation.samples if sample.outcome is Outcome.INFRA]
    assert infra
    assert not any(sample.values for sample in infra)


def test_a_machine_that_keeps_failing_pauses_the_job() -> None:
    simulation = Simulation(replace(PLANTED, infra=0.95))
    job = simulation.ports.store.create(simulation.request())
    with pytest.raises(EnvironmentFault, match=r"failed through the machine's fault|keeps failing"):
        simulation.work(job)
    assert simulation.ports.store.job(job).state is JobState.PAUSED
    simulation.close()


def test_a_second_job_reuses_builds_and_samples(simulation: Simulation) -> None:
    first = simulation.run()
    second = simulation.run()
    assert verdict_of(second).culprits[0].members == verdict_of(first).culprits[0].members
    assert second.builds_made() == 0
    assert second.runs() < 0.6 * first.runs()


def test_samples_of_an_earlier_job_that_no_longer_hold_are_left_aside(simulation: Simulation) -> None:
    simulation.run()
    slower = Simulation(PLANTED, store=simulation.ports.store, artifacts=simulation.artifacts)
    runner = slower.ports.runner
    original = runner.draw  # type: ignore[attr-defined]
    runner.draw = lambda tree: 1.7 * original(tree)  # type: ignore[attr-defined]
    second = slower.run()
    found = verdict_of(second)
    assert found.culprits[0].members == (20,)
    assert found.change is not None
    assert found.change.relative == pytest.approx(0.1, abs=0.03)


@pytest.mark.parametrize("what", ["host", "toolchain"])
def test_a_host_or_a_toolchain_that_changes_in_mid_job_ends_it(simulation: Simulation, what: str) -> None:
    job = simulation.stopped_after(12)
    runner = simulation.ports.runner
    seen = runner.environment(simulation.request())
    moved = replace(seen, host="another") if what == "host" else replace(seen, toolchain="another")
    runner.environment = lambda request: moved  # type: ignore[method-assign]
    verdict = verdict_of(simulation.work(job))
    assert verdict.kind is VerdictKind.ENVIRONMENT_CHANGED
    assert ("toolchain: simulated → another" in verdict.explanation) is (what == "toolchain")
