"""Building ahead on the simulated world: the same answer, within the limits, and nothing left over."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from bisector.adapters.in_memory.world import World
from bisector.core.model.builds import Build
from bisector.core.model.facts import BuildRecorded, Disturbed, Fact, Planned
from bisector.core.model.history import main
from bisector.core.model.investigation import BuildId, Investigation
from bisector.core.model.request import Budget, Request
from bisector.core.model.samples import Purpose, Sample
from bisector.core.model.steps import BuildPlace, Measure, Slot
from bisector.core.model.verdict import VerdictKind
from bisector.core.search.ahead import DECIDING, FIRST_ALONE, Wanted
from bisector.core.search.replay import replay
from bisector.engine.ahead import Ahead
from bisector.engine.background import Task
from bisector.engine.ports import BuildOrder
from bisector.engine.stop import StopSignal
from bisector.engine.work import Work
from bisector.errors import InfraFault
from tests.helpers.simulated import Simulation

WORLD = World(candidates=32, culprit=21, effect=0.1, noise=0.01, seed=3)


def asked(simulation: Simulation, jobs: int | None, budget: Budget | None = None) -> Request:
    return replace(simulation.request(budget=budget), jobs=jobs)


class Job:
    """A job that ran to its end with `jobs` things at once."""

    def __init__(self, world: World, jobs: int | None, budget: Budget | None = None, looks: int = 3) -> None:
        simulation = Simulation(world)
        simulation.ports.runner.background.looks = looks  # type: ignore[attr-defined]
        self.request = asked(simulation, jobs, budget)
        job = simulation.ports.store.create(self.request)
        self.found: Investigation = simulation.work(job)
        self.facts: list[Fact] = simulation.ports.store.facts(job)
        self.tasks = simulation.ports.runner.background.tasks  # type: ignore[attr-defined]
        simulation.close()

    @property
    def culprits(self) -> list[tuple[int, ...]]:
        assert self.found.verdict is not None
        return [culprit.members for culprit in self.found.verdict.culprits]

    @property
    def ahead(self) -> list[BuildRecorded]:
        return [fact for fact in self.facts if isinstance(fact, BuildRecorded) and fact.ahead]

    @property
    def samples(self) -> list[Sample]:
        return [fact for fact in self.facts if isinstance(fact, Sample)]


@pytest.mark.parametrize("jobs", [2, 3, 5])
def test_the_answer_is_the_same_and_replays_to_itself(jobs: int) -> None:
    plain, ahead = Job(WORLD, 1), Job(WORLD, jobs)
    assert ahead.culprits == plain.culprits == [(21,)]
    assert not plain.ahead
    assert ahead.ahead
    assert any(sample.beside for sample in ahead.samples)
    assert replay("1", ahead.request, ahead.facts).same


def test_what_was_built_ahead_is_not_asked_for_again() -> None:
    job = Job(WORLD, 3)
    built = [(fact.place, fact.number) for fact in job.facts if isinstance(fact, BuildRecorded)]
    assert len(built) == len(set(built))
    steps = [fact.step for fact in job.facts if isinstance(fact, Planned)]
    wanted = {(step.place, step.number) for step in steps if isinstance(step, BuildPlace)}
    assert not wanted & {(fact.place, fact.number) for fact in job.ahead}
    assert len(wanted) < sum(
        isinstance(fact, Planned) and isinstance(fact.step, BuildPlace) for fact in Job(WORLD, 1).facts
    )


@pytest.mark.parametrize("jobs", [2, 4])
def test_a_build_that_is_asked_for_while_it_is_made_is_waited_for(jobs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: dict[object, Task[Build]] = {}
    claimed: list[BuildId] = []
    stopped: list[BuildId] = []
    begin, claim = Ahead._begin, Ahead.claim

    def watched(self: Ahead, wanted: Wanted) -> Task[Build]:
        begun[wanted.unit] = begin(self, wanted)
        return begun[wanted.unit]

    def watched_claim(self: Ahead, unit: BuildId) -> Build | None:
        made = claim(self, unit)
        if unit in begun:
            (claimed if made is not None else stopped).append(unit)
        return made

    monkeypatch.setattr(Ahead, "_begin", watched)
    monkeypatch.setattr(Ahead, "claim", watched_claim)
    job = Job(WORLD, jobs)
    built = [(fact.place, fact.number) for fact in job.facts if isinstance(fact, BuildRecorded)]
    assert len(built) == len(set(built))
    assert claimed
    assert not stopped


@pytest.mark.parametrize("looks", [3, 1000])
def test_the_first_runs_and_those_that_decide_are_made_with_nothing_beside_them(looks: int) -> None:
    """A build that takes long is still being made when the runs that decide begin, unless it is waited for."""
    job = Job(replace(WORLD, layout=0.002), 4, looks=looks)
    measured = [sample for sample in job.samples if sample.purpose is not Purpose.WARMUP]
    assert not any(sample.beside for sample in measured[:FIRST_ALONE])
    deciding = [sample for sample in measured if sample.purpose in DECIDING]
    assert deciding
    assert not any(sample.beside for sample in deciding)


def test_without_a_word_nothing_is_built_ahead_unless_the_host_has_room() -> None:
    assert not Job(WORLD, None).ahead
    assert Job(replace(WORLD, cores=8), None).ahead


def test_builds_that_are_made_at_once_are_not_looked_for_ahead() -> None:
    job = Job(replace(WORLD, build=0.1), 3)
    assert job.culprits == [(21,)]
    assert len(job.ahead) <= 1


def test_on_one_processor_it_is_off() -> None:
    assert not Job(replace(WORLD, cores=1), 4).ahead


@pytest.mark.parametrize("most", [2, 3, 5, 7])
def test_a_limit_of_builds_holds(most: int) -> None:
    job = Job(WORLD, 4, Budget(builds=most))
    assert job.found.builds_made() <= most
    made = {task.build.key for task in job.tasks if task.build is not None}
    assert made <= {build.key for build in job.found.builds.values()}


def test_runs_that_builds_disturb_are_left_aside_and_the_answer_is_right() -> None:
    for seed in range(2):
        job = Job(replace(WORLD, disturbs=0.08, seed=seed), 3)
        assert job.culprits == [(21,)]
        harm = next(number for number, fact in enumerate(job.facts) if isinstance(fact, Disturbed))
        assert not any(isinstance(fact, Sample) and fact.beside for fact in job.facts[harm:])
        assert replay("1", job.request, job.facts).same


def test_no_change_is_named_where_builds_disturb_runs() -> None:
    for seed in range(2):
        job = Job(World(candidates=32, noise=0.01, disturbs=0.1, seed=seed), 3)
        assert job.found.verdict is not None
        assert job.found.verdict.kind is VerdictKind.NOT_REPRODUCED


def test_commits_that_do_not_build_are_found_out_ahead_and_never_blamed() -> None:
    world = replace(WORLD, unbuildable=0.3)
    plain, ahead = Job(world, 1), Job(world, 4)
    assert ahead.culprits == plain.culprits


@pytest.mark.parametrize("at", [3, 9, 14, 20, 26])
def test_stopped_anywhere_nothing_goes_on_and_it_is_taken_up_again(at: int) -> None:
    simulation = Simulation(WORLD)
    job = simulation.stopped_after(at, asked(simulation, 4))
    background = simulation.ports.runner.background  # type: ignore[attr-defined]
    assert not background.busy
    found = simulation.work(job)
    assert found.verdict is not None
    assert [culprit.members for culprit in found.verdict.culprits] == [(21,)]
    assert not background.busy
    facts = simulation.ports.store.facts(job)
    assert replay(job, simulation.ports.store.job(job).request, facts).same
    simulation.close()


def failing_ahead(error: Callable[[], Exception]) -> tuple[Investigation, int]:
    """A job of which every build that is made ahead fails by the machine's fault."""
    simulation = Simulation(WORLD)
    runner, failed = simulation.ports.runner, 0
    build = runner.build

    def failing(order: BuildOrder, stop: StopSignal) -> Build:
        nonlocal failed
        if order.leave_cpus:
            failed += 1
            raise error()
        return build(order, stop)

    runner.build = failing  # type: ignore[method-assign]
    found = simulation.run(asked(simulation, 3))
    simulation.close()
    return found, failed


@pytest.mark.parametrize("error", [lambda: InfraFault("planted"), lambda: OSError("planted")])
def test_a_fault_of_the_machine_beside_a_step_is_left_to_the_step_that_asks(error: Callable[[], Exception]) -> None:
    found, failed = failing_ahead(error)
    assert failed
    assert found.verdict is not None
    assert [culprit.members for culprit in found.verdict.culprits] == [(21,)]


def test_what_is_no_fault_of_the_machine_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        failing_ahead(lambda: ZeroDivisionError("planted"))


def test_before_runs_that_decide_what_is_being_built_comes_to_its_end() -> None:
    simulation = Simulation(WORLD)
    ports = simulation.ports
    request = asked(simulation, 4)
    work = Work(ports.store.create(request), ports, StopSignal())
    work.record(ports.runner.environment(request))
    work.record(ports.repository.list_history(request.good, request.bad, every_commit=False, paths=()))
    ahead = Ahead(work)
    step = BuildPlace(place=main(0), reason="")
    ahead.look(step)
    before = ahead.building
    ahead.look(Measure(slots=(Slot(place=main(0), purpose=Purpose.VERIFY),), reason=""))
    assert (before, ahead.building) == (True, False)
    simulation.close()
