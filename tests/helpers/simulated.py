"""Whole jobs on the simulated world."""

from dataclasses import dataclass, field, replace

import pytest

from bisector.adapters.in_memory.machine import InMemoryLocks, SimulatedClock, TemporaryArtifacts
from bisector.adapters.in_memory.repository import SimulatedRepository
from bisector.adapters.in_memory.runner import SimulatedRunner
from bisector.adapters.in_memory.store import InMemoryStore
from bisector.adapters.in_memory.world import World
from bisector.core.model.investigation import Investigation
from bisector.core.model.request import Budget, JobKind, Request, RunnerName, Search
from bisector.engine.loop import run_job
from bisector.engine.ports import Observer, Ports, Store
from bisector.engine.stop import StopSignal
from bisector.errors import Cancelled
from bisector.formats.scenario import parse_scenario

SCENARIO = b"""
name = "simulated"
[run]
command = ["true"]
[[metrics]]
name = "seconds"
unit = "s"
"""


@dataclass
class StopAfter:
    """Asks a job to stop when it has learned so many facts."""

    stop: StopSignal
    facts: int

    def planned(self, *_: object) -> None:
        """Nothing: what counts is what was done."""

    def learned(self, *_: object) -> None:
        """One fact more."""
        self.facts -= 1
        if self.facts == 0:
            self.stop.set("Ctrl-C")


@dataclass
class Simulation:
    """A simulated world with a store in which jobs can be made, run, killed and resumed."""

    world: World
    observers: tuple[Observer, ...] = ()
    store: Store | None = None
    artifacts: TemporaryArtifacts = field(default_factory=TemporaryArtifacts)

    def __post_init__(self) -> None:
        clock = SimulatedClock()
        runner = SimulatedRunner(self.world)
        self.ports = Ports(
            repository=SimulatedRepository(self.world),
            runner=runner,
            store=self.store or InMemoryStore(clock),
            artifacts=self.artifacts,
            locks=InMemoryLocks(),
            clock=clock,
            background=runner.background,
            observers=self.observers,
        )

    def request(
        self, *, search: Search | None = None, budget: Budget | None = None, kind: JobKind = JobKind.BISECT
    ) -> Request:
        """A bisect of the whole line."""
        return Request(
            kind=kind,
            repository="simulated",
            good=self.world.line[0].sha,
            bad=self.world.line[-1].sha,
            scenario=parse_scenario(SCENARIO, where="simulated"),
            runner=RunnerName.SIMULATED,
            search=search or Search(),
            budget=budget or Budget(),
        )

    def run(self, request: Request | None = None) -> Investigation:
        """Make a job and work on it to its end."""
        return self.work(self.ports.store.create(request or self.request()))

    def work(self, job: str, stop: StopSignal | None = None) -> Investigation:
        """Work on a job to its end."""
        return run_job(job, self.ports, stop or StopSignal(), lambda _: None)

    def stopped_after(self, facts: int, request: Request | None = None) -> str:
        """A new job that was asked to stop when it had learned so many facts, and did."""
        stop, before = StopSignal(), self.ports
        self.ports = replace(before, observers=(*before.observers, StopAfter(stop, facts)))
        job = self.ports.store.create(request or self.request())
        with pytest.raises(Cancelled):
            self.work(job, stop)
        self.ports = before
        return job

    def with_store(self, store: Store) -> "Simulation":
        """The same machine on another store."""
        self.ports = replace(self.ports, store=store)
        return self

    def close(self) -> None:
        """Remove its files."""
        self.artifacts.close()


def simulate(world: World, *, search: Search | None = None, budget: Budget | None = None) -> Investigation:
    """The finished investigation of a job on `world`."""
    simulation = Simulation(world)
    try:
        return simulation.run(simulation.request(search=search, budget=budget))
    finally:
        simulation.close()


def simulate_after(
    before: World, now: World, *, since: int = 0, until: int = -1, budget: Budget | None = None
) -> Investigation:
    """A bisect in the world of now, after one in the world of before that went from `since` to `until`."""
    earlier = Simulation(before)
    earlier.run(replace(earlier.request(), good=before.line[since].sha, bad=before.line[until].sha))
    later = Simulation(now).with_store(earlier.ports.store)
    try:
        return later.run(later.request(budget=budget))
    finally:
        earlier.close()
        later.close()
