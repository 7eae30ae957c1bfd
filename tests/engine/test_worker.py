"""The worker's loop on a queue in memory: who goes first, what is given back, and what a fault costs."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from bisector.adapters.clock import SystemClock
from bisector.adapters.in_memory.machine import InMemoryLocks
from bisector.adapters.in_memory.queue import InMemoryQueue
from bisector.adapters.in_memory.store import InMemoryStore
from bisector.adapters.in_memory.world import World
from bisector.core.model.facts import Fact
from bisector.core.model.investigation import Investigation
from bisector.core.model.request import Request
from bisector.core.model.samples import Purpose, Sample
from bisector.engine.job import JobState
from bisector.engine.ports import Ports, Store
from bisector.engine.queue import EntryState, Limits, Order, Priority
from bisector.engine.stop import StopSignal
from bisector.engine.worker import Worker, WorkerPorts
from bisector.errors import EnvironmentFault, StoreError
from tests.helpers.asking import about_worker
from tests.helpers.simulated import Simulation

WORLD = World(candidates=16, culprit=9, effect=0.3, noise=0.005)


class Here:
    """Implements `Processes`: all live, and none is killed."""

    def here(self) -> str:
        return "here"

    def lives(self, process: str) -> bool | None:
        return True

    def kill(self, process: str) -> bool:
        raise AssertionError(f"{process} was to be killed")


@dataclass
class Watcher:
    """Implements `Observer`: calls back at the first sample of a job."""

    then: Callable[[], object]
    seen: bool = False

    def planned(self, *_: object) -> None:
        """Nothing is looked at."""

    def learned(self, _: Investigation, fact: Fact) -> None:
        if isinstance(fact, Sample) and not self.seen:
            self.seen = True
            self.then()


@dataclass
class Bench:
    """A worker, its queue, and the jobs' worlds."""

    said: list[str] = field(default_factory=list)
    order: list[str] = field(default_factory=list)
    at_first_sample: dict[str, Callable[[], object]] = field(default_factory=dict)
    opening: dict[str, Exception] = field(default_factory=dict)
    """What stands in the way of a job."""
    worlds: dict[str, World] = field(default_factory=dict)
    build_slots: int | None = None
    looks: int = 3
    """How often one looks at a build beside the runs until it is made."""

    def __post_init__(self) -> None:
        self.clock = SystemClock()
        self.store = InMemoryStore(self.clock)
        self.queue = InMemoryQueue(self.store, self.clock, Limits())
        ports = WorkerPorts(
            queue=self.queue,
            locks=InMemoryLocks(),
            clock=self.clock,
            processes=Here(),
            open=self.open,
            unblock=lambda: (),
            build_slots=self.build_slots,
        )
        self.worker = Worker(ports, about_worker("here"), lease=30.0, grace=60.0, tell=self.said.append)

    def open(self, job: str, store: Store, stop: StopSignal) -> Ports:
        self.order.append(job)
        if job in self.opening:
            raise self.opening[job]
        then = self.at_first_sample.pop(job, None)
        observers = () if then is None else (Watcher(then),)
        world = self.worlds.get(job, WORLD)
        ports = replace(Simulation(world, observers=observers).ports, store=store)
        ports.background.looks = self.looks  # type: ignore[attr-defined]
        return ports

    def job(self, priority: Priority = Priority.PERSON, world: World = WORLD, **changed: Any) -> str:
        request: Request = replace(Simulation(world).request(), reuse_samples=False, **changed)
        job = self.queue.enqueue(request, Order(priority=priority)).job
        self.worlds[job] = world
        return job

    def state(self, job: str) -> JobState:
        return self.store.job(job).state

    def slots(self, job: str) -> list[tuple[int, int]]:
        """Which planned runs were recorded."""
        samples = [fact for fact in self.store.facts(job) if isinstance(fact, Sample)]
        return [(each.step, each.order) for each in samples if each.purpose is not Purpose.WARMUP]

    def work(self) -> None:
        """Take jobs until none can be had."""
        with self.worker.registered():
            while self.worker.goes_on() and self.worker.once():
                pass


def test_jobs_are_done_one_after_the_other_the_higher_priority_first() -> None:
    bench = Bench()
    sweep, alert, person = bench.job(Priority.SWEEP), bench.job(Priority.ALERT), bench.job()
    bench.work()
    assert bench.order == [person, alert, sweep]
    assert {bench.state(job) for job in bench.order} == {JobState.DONE}
    assert len({bench.store.job(job).sentence for job in bench.order} - {""}) == 1
    assert bench.queue.workers() == []


def test_a_sweep_makes_room_between_two_steps_and_no_run_is_repeated() -> None:
    bench = Bench()
    sweep = bench.job(Priority.SWEEP)
    people: list[str] = []
    bench.at_first_sample[sweep] = lambda: people.append(bench.job())
    bench.work()
    assert bench.order == [sweep, *people, sweep]
    assert bench.state(sweep) is JobState.DONE
    slots = bench.slots(sweep)
    assert len(slots) == len(set(slots))
    entry = bench.queue.entry(sweep)
    assert entry is not None
    assert (entry.attempt, entry.failures) == (2, 0)


def test_asked_to_end_it_gives_its_job_back() -> None:
    bench = Bench()
    job = bench.job()
    bench.at_first_sample[job] = bench.worker.drain
    bench.work()
    assert (bench.state(job), bench.worker.ending) == (JobState.QUEUED, True)
    assert bench.queue.entry(job) == replace(bench.queue.entries()[0], state=EntryState.WAITING, worker="", failures=0)


@pytest.mark.parametrize("fault", [EnvironmentFault("no engine"), OSError("no space")])
def test_a_fault_of_the_machine_lets_the_job_rest_and_the_next_one_is_taken(fault: Exception) -> None:
    bench = Bench()
    hit, other = bench.job(), bench.job()
    bench.opening[hit] = fault
    bench.work()
    assert (bench.state(hit), bench.state(other)) == (JobState.QUEUED, JobState.DONE)
    entry = bench.queue.entry(hit)
    assert entry is not None
    assert entry.failures == 1
    assert bench.order == [hit, other], "it rests"
    assert bench.store.facts(hit) == []


def test_a_defect_ends_its_job_and_not_the_worker() -> None:
    bench = Bench()
    hit, other = bench.job(), bench.job()
    bench.opening[hit] = ZeroDivisionError("ours")
    bench.work()
    assert (bench.state(hit), bench.state(other)) == (JobState.PAUSED, JobState.DONE)
    assert any("a defect of bisector" in line and "ours" in line for line in bench.said)


def test_what_the_database_did_not_take_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fact in hand is lost with the database, the job waits again, and the next attempt measures it anew."""
    bench = Bench()
    job = bench.job()
    real, refused = InMemoryStore.append, list[Sample]()

    def flaky(store: InMemoryStore, to: str, fact: Fact) -> None:
        if isinstance(fact, Sample) and fact.purpose is not Purpose.WARMUP and not refused:
            refused.append(fact)
            raise StoreError("the database does not answer")
        real(store, to, fact)

    monkeypatch.setattr(InMemoryStore, "append", flaky)
    bench.work()
    assert bench.state(job) is JobState.QUEUED
    assert bench.slots(job) == []
    bench.queue.waiting.not_before.clear()
    bench.work()
    assert bench.state(job) is JobState.DONE
    slots = bench.slots(job)
    assert slots[0] == (refused[0].step, refused[0].order)
    assert len(slots) == len(set(slots))


def test_a_worker_that_was_given_up_writes_nothing_more_and_begins_anew() -> None:
    bench = Bench()
    job = bench.job()

    def given_up() -> None:
        bench.queue.waiting.workers[bench.worker.worker].alive_until = -1.0
        bench.queue.reap(Here(), "elsewhere")

    bench.at_first_sample[job] = given_up
    with bench.worker.registered():
        assert bench.worker.once()
    assert any("nothing of it was written after that" in line for line in bench.said)
    assert len([fact for fact in bench.store.facts(job) if isinstance(fact, Sample)]) == 1
    assert bench.state(job) is JobState.QUEUED
    bench.work()
    assert bench.state(job) is JobState.DONE


def test_a_job_that_is_to_be_stopped_is_and_the_next_one_goes_on() -> None:
    bench = Bench()
    job, other = bench.job(), bench.job()
    bench.at_first_sample[job] = lambda: bench.queue.cancel(job)
    bench.work()
    assert (bench.state(job), bench.state(other)) == (JobState.CANCELLED, JobState.DONE)
