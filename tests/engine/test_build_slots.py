"""Build slots on the simulated world: the first builds of what waits, beside the runs of what is measured."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bisector.adapters.in_memory.machine import SimulatedBackground
from bisector.adapters.in_memory.runner import SimulatedRunner
from bisector.adapters.in_memory.world import World
from bisector.core.model.facts import BuildRecorded, Concluded, Disturbed
from bisector.core.model.history import main
from bisector.core.model.samples import Purpose, Sample
from bisector.core.search.ahead import DECIDING, FIRST_ALONE, room_for_others
from bisector.engine import build_slots
from bisector.engine.background import Task
from bisector.engine.build_slots import MOST_BREAKS, BuildSlots, SlotPorts
from bisector.engine.first_builds import MOST_FIRST, make_first_builds
from bisector.engine.job import JobState
from bisector.engine.ports import BuildOrder, Ports, Store
from bisector.engine.queue import Priority
from bisector.engine.stop import StopSignal
from bisector.errors import InfraFault, LeaseLost
from tests.engine.test_worker import Bench
from tests.helpers.simulated import Simulation

FIRST = World(candidates=32, culprit=21, effect=0.1, noise=0.04, seed=3, cores=8)
SECOND = World(candidates=16, culprit=9, effect=0.3, noise=0.005, seed=4, cores=8)


@pytest.fixture(autouse=True)
def _looked_for_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build_slots, "LOOK", 0.0)


class Slots(Bench):
    """A worker with one job to measure, and one that waits for it."""

    def __init__(self, first: World = FIRST, second: World = SECOND, **changed: Any) -> None:
        super().__init__(**changed)
        self.first, self.second = self.job(Priority.ALERT, first), self.job(Priority.SWEEP, second)

    def builds(self, job: str) -> list[BuildRecorded]:
        return [fact for fact in self.store.facts(job) if isinstance(fact, BuildRecorded)]

    def samples(self, job: str) -> list[Sample]:
        facts = self.store.facts(job)
        return [fact for fact in facts if isinstance(fact, Sample) and fact.purpose is not Purpose.WARMUP]

    def culprit(self, job: str) -> tuple[int, ...]:
        found = [fact.verdict for fact in self.store.facts(job) if isinstance(fact, Concluded)]
        return found[0].culprits[0].members


def ends_reused(bench: Slots) -> list[bool]:
    places = {main(0), main(SECOND.candidates)}
    return [fact.build.reused for fact in bench.builds(bench.second) if fact.place in places and fact.number == 0]


def test_the_ends_of_the_next_job_are_built_beside_the_runs_of_the_first() -> None:
    bench = Slots()
    bench.work()
    assert ends_reused(bench) == [True, True]
    assert bench.culprit(bench.first) == (21,)
    assert bench.culprit(bench.second) == (9,)
    assert f"job {bench.second}: its first builds are made" in bench.said
    assert bench.order[:2] == [bench.first, bench.second]
    entry = bench.queue.entry(bench.second)
    assert entry is not None
    assert entry.attempt == 1, "a build slot takes no job"


@pytest.mark.parametrize("looks", [3, 1000])
def test_nothing_is_built_beside_first_and_deciding_runs_and_what_is_bears_the_mark(looks: int) -> None:
    """On two processors the job builds nothing ahead for itself: what is beside its runs is for others. What takes long
    is still being built when the runs that decide begin, unless it is broken off."""
    bench = Slots(replace(FIRST, layout=0.002, cores=2), build_slots=1, looks=looks)
    bench.work()
    samples = bench.samples(bench.first)
    assert any(sample.beside for sample in samples)
    assert not any(sample.beside for sample in samples[:FIRST_ALONE])
    deciding = [sample for sample in samples if sample.purpose in DECIDING]
    assert deciding
    assert not any(sample.beside for sample in deciding)
    assert ends_reused(bench) == ([True, True] if looks == 3 else [False, False])


@pytest.mark.parametrize(
    ("first", "slots", "jobs"),
    [(FIRST, 0, None), (replace(FIRST, cores=1), 2, None), (replace(FIRST, cores=2), None, None), (FIRST, 2, 1)],
)
def test_it_is_off_where_asked_and_where_the_host_has_no_processors_to_spare(
    first: World, slots: int | None, jobs: int | None
) -> None:
    bench = Slots(first, build_slots=slots)
    request = bench.store.job(bench.first).request
    bench.store.memory.rows[bench.first] = replace(bench.store.job(bench.first), request=replace(request, jobs=jobs))
    bench.work()
    assert ends_reused(bench) == [False, False]
    assert bench.state(bench.second) is JobState.DONE


def test_there_is_as_much_room_as_was_asked_for_or_as_the_job_has_itself() -> None:
    request = Simulation(FIRST).request()
    found = [room_for_others(request, cores, slots) for cores, slots in ((1, 3), (2, 3), (2, None), (9, None), (9, 0))]
    assert found == [0, 3, 0, 2, 0]
    assert room_for_others(replace(request, jobs=1), 9, 3) == 0


@pytest.mark.long
def test_where_builds_disturb_the_runs_none_is_made_for_others_either() -> None:
    bench = Slots(replace(FIRST, disturbs=0.2, cores=2), build_slots=1)
    for _ in range(6):
        bench.job(Priority.SWEEP, replace(SECOND, seed=len(bench.worlds) + 10))
    bench.work()
    facts = bench.store.facts(bench.first)
    harm = next(number for number, fact in enumerate(facts) if isinstance(fact, Disturbed))
    assert not any(isinstance(fact, Sample) and fact.beside for fact in facts[harm:])
    assert bench.culprit(bench.first) == (21,)


class Begun:
    """A waiting job whose builds take long, and the slots that make them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.bench = Bench()
        self.job = self.bench.job(Priority.SWEEP, SECOND)
        self.worker = self.bench.queue.register(self.bench.worker._info)
        self.background = SimulatedBackground(looks=1000)
        self.said: list[str] = []
        ports = SlotPorts(queue=self.bench.queue, clock=self.bench.clock, open=self.bench.open, tell=self.said.append)
        self.slots = BuildSlots(ports, self.worker, 1)

    def begin(self) -> None:
        self.slots.begin(self.background, 1, 1)


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> Begun:
    return Begun(monkeypatch)


def test_what_is_broken_off_leaves_nothing_and_is_not_begun_for_ever(begun: Begun) -> None:
    for number in range(MOST_BREAKS + 2):
        begun.begin()
        assert begun.slots.building is (number < MOST_BREAKS)
        begun.slots.hush()
        assert not begun.slots.building
        assert not begun.background.busy
    assert len(begun.background.tasks) == MOST_BREAKS
    assert begun.bench.store.builds() == []
    assert begun.bench.store.facts(begun.job) == []


def test_a_job_that_is_cancelled_or_taken_is_no_longer_built_for(begun: Begun) -> None:
    begun.begin()
    begun.bench.queue.cancel(begun.job)
    begun.begin()
    assert begun.background.tasks[0].wait(1)
    begun.begin()
    assert not begun.slots.building
    assert begun.bench.store.builds() == []


def test_what_a_worker_that_was_given_up_built_is_not_written_down(begun: Begun) -> None:
    begun.begin()
    begun.bench.queue.leave(begun.worker)
    assert begun.background.tasks[0].wait(1)
    with pytest.raises(LeaseLost):
        begun.background.tasks[0].result()
    assert begun.bench.store.builds() == []


def test_a_fault_while_building_is_the_jobs_own_to_meet(begun: Begun, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(runner: SimulatedRunner, order: BuildOrder, stop: StopSignal) -> None:
        raise InfraFault("no space")

    monkeypatch.setattr(SimulatedRunner, "build", failing)
    begun.begin()
    task: Task[int] = begun.background.tasks[0]
    assert task.wait(1)
    begun.begin()
    assert not begun.slots.building
    assert len(begun.background.tasks) == 1, "not again"
    entry = begun.bench.queue.entry(begun.job)
    assert entry is not None
    assert entry.failures == 0
    assert begun.bench.state(begun.job) is JobState.QUEUED


def first_builds(world: World, prepare: Callable[[Ports], object] = lambda _: None) -> tuple[int, Store, Ports]:
    simulation = Simulation(world)
    prepare(simulation.ports)
    job = simulation.ports.store.create(simulation.request())
    made = make_first_builds(job, simulation.ports, StopSignal(), 1)
    assert simulation.ports.store.facts(job) == [], "nothing is written to a job that nobody has"
    return made, simulation.ports.store, simulation.ports


def test_first_builds_are_those_before_anything_is_measured() -> None:
    made, store, _ = first_builds(SECOND)
    assert made == 2
    assert len(store.builds()) == 2


def test_ends_that_do_not_build_are_replaced_a_few_times_and_no_more() -> None:
    made, store, _ = first_builds(replace(SECOND, crash="", unbuildable=0.95, seed=8))
    assert 2 <= made <= MOST_FIRST
    assert len(store.builds()) == made
