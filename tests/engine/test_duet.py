"""Duets on the simulated world: two runs at the same moment, both samples or neither."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest

from bisector.adapters.in_memory.machine import SimulatedClock
from bisector.adapters.in_memory.store import InMemoryStore
from bisector.adapters.in_memory.world import World
from bisector.core.model.facts import Fact, Planned
from bisector.core.model.history import main
from bisector.core.model.investigation import Investigation
from bisector.core.model.request import Budget, JobKind, Request, Search
from bisector.core.model.samples import Outcome, Purpose, Sample
from bisector.core.model.scenario import Direction
from bisector.core.model.steps import Measure
from bisector.core.model.verdict import VerdictKind
from bisector.core.search.rounds import beside_reference
from bisector.formats.facts import fact_to_text
from tests.helpers.simulated import Simulation

LOUD = World(candidates=16, culprit=11, effect=0.08, noise=0.01, shared=0.1, seed=3)
"""The neighbours are ten times as loud as the runs themselves."""


def asked(simulation: Simulation, **changes: object) -> Request:
    made = replace(simulation.request(search=Search(descend=False)), duet=True)
    return replace(made, **changes)  # type: ignore[arg-type]


def bisected(world: World, **changes: object) -> Investigation:
    simulation = Simulation(world)
    try:
        return simulation.run(asked(simulation, **changes))
    finally:
        simulation.close()


def own(found: Investigation) -> list[Sample]:
    return [s for s in found.samples if s.purpose is not Purpose.WARMUP]


def culprits(found: Investigation) -> list[int]:
    assert found.verdict is not None
    return [each.place.index for each in found.verdict.culprits]


def test_every_run_has_a_partner_at_its_moment_and_the_second_is_the_reference() -> None:
    found = bisected(LOUD)
    assert culprits(found) == [11]
    assert found.verdict is not None
    assert found.verdict.culprits[0].verified
    samples = {(s.step, s.order): s for s in own(found)}
    for s in samples.values():
        assert s.partner is not None
        other = samples[s.step, s.partner]
        assert (other.partner, other.clock, {s.lane, other.lane}) == (s.order, s.clock, {0, 1})
        assert (s.place if s.order % 2 else other.place) == main(0)


@pytest.mark.long
def test_with_loud_neighbours_it_takes_a_part_of_the_runs_and_is_right() -> None:
    worlds = [replace(LOUD, seed=seed) for seed in range(5)]
    duet, plain = ([bisected(world, duet=duet) for world in worlds] for duet in (True, False))
    assert [culprits(found) for found in duet] == [[11]] * 5
    assert sum(found.runs() for found in duet) < sum(found.runs() for found in plain) / 2


def test_nothing_is_found_where_nothing_changes() -> None:
    for seed in range(3):
        found = bisected(World(candidates=16, noise=0.01, shared=0.1, seed=seed))
        assert found.verdict is not None
        assert found.verdict.kind is VerdictKind.NOT_REPRODUCED


def test_a_comparison_is_of_a_and_b_at_the_same_moment() -> None:
    world = World(candidates=2, culprit=1, effect=0.05, noise=0.01, shared=0.2)
    found = bisected(world, kind=JobKind.COMPARE, search=Search(direction=Direction.EITHER))
    assert {s.place for s in own(found)} == {main(0), main(1)}
    assert found.verdict is not None
    assert found.verdict.change is not None
    assert found.verdict.change.low <= 0.05 <= found.verdict.change.high
    assert found.verdict.change.high - found.verdict.change.low < 0.05


@pytest.mark.parametrize("runs", [1, 7, 8, 15])
def test_a_budget_is_kept_to_and_no_pair_is_cut_in_two(runs: int) -> None:
    found = bisected(LOUD, budget=Budget(runs=runs))
    assert found.runs() <= runs
    assert found.runs() % 2 == 0


def test_the_machines_fault_in_one_run_has_both_made_again() -> None:
    faults = 0
    for seed in range(3):
        found = bisected(replace(LOUD, infra=0.05, seed=seed))
        assert culprits(found) == [11]
        for s in own(found):
            if s.outcome is Outcome.INFRA and s.partner is not None:
                beside = [o for o in own(found) if (o.step, o.order, o.clock) == (s.step, s.partner, s.clock)]
                assert [o.outcome for o in beside] in ([Outcome.CANCELLED], [Outcome.INFRA])
                faults += 1
        filled = Counter((s.step, s.order) for s in own(found) if s.outcome is Outcome.OK)
        assert set(filled.values()) == {1}
    assert faults


def test_an_untestable_commit_leaves_no_reference_alone() -> None:
    found = bisected(replace(LOUD, candidates=6, culprit=4))
    slots = beside_reference([(main(5), 0)], 4, Purpose.SEARCH, main(0))
    number = found.next_number
    step = Measure(slots=slots, reason="", duet=True)
    found = found.with_fact(Planned(number=number, step=step, planner="", elapsed=0.0))
    assert len(found.pending()) == 8
    like = own(found)[0]
    for order in (0, 1, 2, 3):
        made = replace(like, step=number, order=order, purpose=Purpose.SEARCH, number=0, partner=order ^ 1)
        failed = replace(made, place=main(5), outcome=Outcome.BENCH_FAILED, values={})
        found = found.with_fact(replace(made, place=main(0)) if order % 2 else failed)
    assert main(5) in found.failures
    assert found.pending() == ()


class _Crash(BaseException):
    """Stands for the end of the process: nothing may catch it."""


class _CrashingStore(InMemoryStore):
    """Ends the process at the n-th time that facts are kept, before or after it."""

    def __init__(self, at: int, *, kept: bool) -> None:
        super().__init__(SimulatedClock())
        self.left, self.kept = at, kept

    def append_together(self, job: str, facts: Sequence[Fact]) -> None:
        self.left -= 1
        if self.left == 0 and not self.kept:
            raise _Crash
        super().append_together(job, facts)
        if self.left == 0:
            raise _Crash


@pytest.mark.parametrize("duet", [True, False], ids=["duet", "parallel"])
@pytest.mark.parametrize("kept", [False, True], ids=["before", "after"])
def test_killed_at_any_moment_no_sample_is_lost_or_doubled(kept: bool, duet: bool) -> None:
    world = replace(LOUD, candidates=6, culprit=4, shared=0.1 if duet else 0.0)
    for at in range(1, 200, 3):
        store = _CrashingStore(at, kept=kept)
        simulation = Simulation(world, store=store)
        job = store.create(asked(simulation, duet=duet, parallel=1 if duet else 3))
        try:
            simulation.work(job)
            simulation.close()
            return
        except _Crash:
            before = [fact_to_text(fact) for fact in store.facts(job)]
        store.left = -1
        found = simulation.work(job)
        simulation.close()
        assert [fact_to_text(fact) for fact in store.facts(job)][: len(before)] == before
        assert culprits(found) == [4]
        filled = Counter((s.step, s.order) for s in own(found))
        assert set(filled.values()) == {1}
        assert all((s.step, s.partner) in filled for s in own(found) if duet)
    raise AssertionError("the job does not end")


def test_samples_taken_alone_are_not_taken_over() -> None:
    simulation = Simulation(LOUD)
    alone = simulation.run(asked(simulation, duet=False))
    found = simulation.run(asked(simulation))
    again = simulation.run(asked(simulation))
    simulation.close()
    assert alone.samples
    assert not any(s.adopted_from for s in found.samples)
    assert any(s.adopted_from for s in again.samples)
    assert culprits(again) == [11]
