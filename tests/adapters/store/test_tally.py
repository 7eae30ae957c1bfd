"""Figures over all facts, on every database: what was read once is not read again, and nothing is counted twice."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from sqlalchemy import update

from bisector.adapters.in_memory.machine import SimulatedClock
from bisector.adapters.in_memory.world import World
from bisector.adapters.store import sql_tally
from bisector.adapters.store.database import Database
from bisector.adapters.store.sql_queue import SqlQueue
from bisector.adapters.store.sql_store import SqlStore
from bisector.adapters.store.sql_tally import SqlTally
from bisector.adapters.store.tables import facts as rows
from bisector.adapters.store.tables import workers
from bisector.core.model.facts import BuildRecorded, Fact
from bisector.core.model.request import Request
from bisector.core.model.samples import Outcome, Sample
from bisector.engine.job import JobState
from bisector.engine.queue import Limits, Order
from bisector.engine.records import Figures
from tests.helpers.asking import about_worker
from tests.helpers.simulated import Simulation

WORLD = World(candidates=8, culprit=5, unbuildable=0.3)


@dataclass
class Rig:
    """A database and who counts what is in it."""

    database: Database

    def __post_init__(self) -> None:
        self.clock = SimulatedClock()
        self.store = SqlStore(self.database, self.clock)
        self.queue = SqlQueue(self.database, self.clock, Limits())
        self.tally = SqlTally(self.database)

    def work(self) -> tuple[str, Request]:
        """A whole job; jobs after the first take over what it made."""
        simulation = Simulation(WORLD, store=self.store)
        request = simulation.request()
        job = simulation.run().job
        simulation.close()
        return job, request

    def counted(self) -> Figures:
        """The same from every fact there is."""
        every = [fact for row in self.store.jobs() for fact in self.store.facts(row.job)]
        samples = [fact for fact in every if isinstance(fact, Sample)]
        builds = [fact.build for fact in every if isinstance(fact, BuildRecorded)]
        made = [build for build in builds if not build.reused]
        return Figures(
            runs=Counter(sample.outcome for sample in samples),
            run_seconds=pytest.approx(sum(sample.usage.wall for sample in samples if sample.usage)),  # type: ignore[arg-type]
            builds=Counter(build.outcome for build in made),
            builds_reused=len(builds) - len(made),
            build_seconds=pytest.approx(sum(build.seconds for build in made)),  # type: ignore[arg-type]
            leases_lost=0,
        )


@pytest.fixture
def rig(url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    monkeypatch.setattr(sql_tally, "PAGE", 4)
    made = Rig(Database(url))
    yield made
    made.database.close()


def sample_of(facts: list[Fact]) -> Sample:
    return next(fact for fact in facts if isinstance(fact, Sample))


def test_figures_follow_what_is_written_down(rig: Rig) -> None:
    assert rig.tally.figures() == rig.counted()
    job, request = rig.work()
    assert rig.tally.figures() == rig.counted()
    assert rig.tally.figures() == rig.counted(), "asked again nothing has changed"
    assert rig.counted().builds_reused == 0
    rig.work()
    assert rig.counted().builds_reused > 0
    assert rig.tally.figures() == rig.counted()
    # A job under way is read on, and once more when it has ended.
    begun = rig.store.create(request)
    rig.store.set_state(begun, JobState.RUNNING)
    sample = replace(sample_of(rig.store.facts(job)), outcome=Outcome.TIMEOUT, values={}, usage=None)
    for _ in range(2):
        rig.store.append_together(begun, [sample] * 5)
        assert rig.tally.figures() == rig.counted()
    rig.store.append(begun, sample)
    rig.store.set_state(begun, JobState.DONE)
    figures = rig.tally.figures()
    assert figures == rig.counted()
    assert figures is not None
    assert figures.runs[Outcome.TIMEOUT] == 11


def test_a_job_that_was_seen_before_it_had_facts_is_counted(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting jobs lie below those that are done already."""
    monkeypatch.setattr(sql_tally, "LATE", 0)
    _, request = rig.work()
    waiting = rig.store.create(replace(request, good=request.bad))
    rig.work()
    assert rig.tally.figures() == rig.counted()
    rig.store.set_state(waiting, JobState.RUNNING)
    rig.store.append(waiting, sample_of(rig.store.facts("1")))
    before = rig.counted()
    assert rig.tally.figures() == before


def test_what_is_there_at_a_start_is_read_in_parts_and_told_when_all_was(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.work()
    monkeypatch.setattr(sql_tally, "FACTS_AT_ONCE", 8)
    told = [rig.tally.figures() for _ in range(20)]
    assert told[0] is None
    known = [figures for figures in told if figures is not None]
    assert known == [rig.counted()] * len(known)
    assert 2 < len(known) < 20


def test_a_fact_that_cannot_be_read_does_not_take_the_figures_away(rig: Rig) -> None:
    rig.work()
    expected = rig.counted()
    broken = {"payload": b'{"of": "another version"}'}
    with rig.database.writing() as connection:
        connection.execute(update(rows).where(rows.c.seq == 9, rows.c.kind == "Sample").values(broken))
        number = connection.execute(rows.select().where(rows.c.payload == broken["payload"])).all()
    figures = rig.tally.figures()
    assert figures is not None
    assert sum(figures.runs.values()) == sum(expected.runs.values()) - len(number) > 0
    assert len(number) == 1


def test_lost_leases_are_counted(rig: Rig) -> None:
    _, request = rig.work()
    rig.queue.enqueue(request, Order())
    worker = rig.queue.register(about_worker())
    assert rig.queue.claim(worker) is not None
    with rig.database.writing() as connection:
        connection.execute(update(workers).values(alive_until=0.0))

    class Nobody:
        """Knows of no process."""

        def lives(self, process: str) -> bool | None:
            return None

        def end(self, process: str) -> bool:
            return False

    rig.queue.reap(Nobody(), "another host")  # type: ignore[arg-type]
    figures = rig.tally.figures()
    assert figures is not None
    assert figures.leases_lost == 1
