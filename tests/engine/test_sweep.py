"""Sweeps through the real scheduler and queue, on a simulated repository whose branch moves on every day."""

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bisector.adapters.in_memory.machine import InMemoryLocks, SimulatedClock, TemporaryArtifacts
from bisector.adapters.in_memory.repository import SimulatedRepository
from bisector.adapters.in_memory.runner import SimulatedRunner
from bisector.adapters.in_memory.series import InMemorySeries
from bisector.adapters.in_memory.world import World
from bisector.adapters.store.database import Database, sqlite_url
from bisector.adapters.store.sql_queue import SqlQueue
from bisector.adapters.store.sql_records import SqlRecords
from bisector.adapters.store.sql_series import SqlSeries
from bisector.adapters.store.sql_store import SqlStore
from bisector.core.model.history import Commit
from bisector.core.model.request import JobKind
from bisector.core.model.verdict import VerdictKind
from bisector.core.watch.log import Asked, Record, history_of
from bisector.core.watch.moves import Accepted, AcceptedBy, Looked, Searched, open_changes
from bisector.core.watch.nights import Night
from bisector.core.watch.week import DAY, WEEK
from bisector.engine.asking import Grounds
from bisector.engine.loop import carry_out
from bisector.engine.ports import Ports
from bisector.engine.queue import Limits, Priority
from bisector.engine.series import SeriesLog
from bisector.engine.stop import StopSignal
from bisector.engine.sweep import Sweeper, SweepPorts
from bisector.engine.telling import investigation_of
from bisector.engine.week import week_before
from bisector.errors import RefError, UsageError
from bisector.formats.service import RepositoryTable, SweepTable
from tests.helpers.asking import about_worker

SCENARIO = """\
name = "simulated"
[run]
command = ["true"]
[[metrics]]
name = "seconds"
unit = "s"
"""
SERIES = "shop/main/simulated/seconds@default"
BEGIN = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
A_DAY = 3
"""Commits that a day brings."""


@dataclass
class StandingClock(SimulatedClock):
    """A clock that moves on only when it is told to."""

    time: datetime = BEGIN

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return self.time.timestamp()


class MovingRepository(SimulatedRepository):
    """The simulated repository; its branch main is as far as it was pushed."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.tip = 0
        self.there = True

    def resolve(self, ref: str) -> Commit:
        if ref == "main":
            if not self.there:
                raise RefError("the repository does not answer")
            return super().resolve(str(self.tip))
        return super().resolve(ref)


@dataclass
class Shop:
    """A repository that is swept, and everything that sweeps it."""

    database: Database
    scenarios: Path
    world: World
    cron: str = "30 2 * * *"
    log: SeriesLog | None = None
    told: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clock = StandingClock()
        self.store = SqlStore(self.database, self.clock)
        self.queue = SqlQueue(self.database, self.clock, Limits(lease=1e9))
        self.repository = MovingRepository(self.world)
        self.artifacts = TemporaryArtifacts()
        runner = SimulatedRunner(self.world)
        self.ports = Ports(
            repository=self.repository,
            runner=runner,
            background=runner.background,
            store=self.store,
            artifacts=self.artifacts,
            locks=InMemoryLocks(),
            clock=self.clock,
        )
        self.worker = self.queue.register(about_worker())

    def sweeper(self) -> Sweeper:
        """A new one: none keeps anything in memory."""
        grounds = Grounds(
            repositories={"shop": RepositoryTable(name="shop", location="/nowhere", runner="local")},
            open=lambda _: self.repository,
            scenario_directories=lambda _: (self.scenarios,),
            artifacts=self.artifacts,
        )
        sweep = SweepTable(name="nightly", repository="shop", scenarios=("simulated",), cron=self.cron)
        log = self.log or SqlSeries(self.database, self.clock)
        ports = SweepPorts(log=log, queue=self.queue, store=self.store, grounds=grounds, clock=self.clock)
        return Sweeper(ports, (sweep,), self.told.append)

    def work(self) -> int:
        """Work on whatever waits; how many jobs that was."""
        worked = 0
        while (lease := self.queue.claim(self.worker)) is not None:
            carry_out(lease.job, replace(self.ports, store=self.queue.store_of(lease)), StopSignal())
            worked += 1
        return worked

    def settle(self) -> int:
        """Look and work in turns until nothing is left to do; how many jobs that was."""
        worked = 0
        while self.sweeper().look().jobs:
            worked += self.work()
        return worked

    def next_day(self, days: int = 1) -> None:
        """The branch moves on, and so does the clock."""
        self.clock.time += timedelta(days=days)
        self.repository.tip = min(self.repository.tip + A_DAY * days, self.world.candidates)

    @property
    def records(self) -> list[Record]:
        """What is written down of the series."""
        return list((self.log or SqlSeries(self.database, self.clock)).records(SERIES))


@pytest.fixture
def scenarios(tmp_path: Path) -> Path:
    """A directory with the scenario."""
    directory = tmp_path / "scenarios" / "simulated"
    directory.mkdir(parents=True)
    (directory / "scenario.toml").write_text(SCENARIO)
    return directory.parent


class ForgetsSearches(InMemorySeries):
    """The process ends between asking for the first search and writing that down."""

    ended = False

    def append(self, series: str, after: int, record: Record) -> bool:
        if isinstance(record, Searched) and not self.ended:
            self.ended = True
            raise KeyboardInterrupt
        return super().append(series, after, record)


Open = Callable[..., Shop]


@pytest.fixture
def shop_of(tmp_path: Path, scenarios: Path) -> Iterator[Open]:
    """Opens shops on one empty database."""
    database = Database(sqlite_url(tmp_path / "state.sqlite3"))
    opened: list[Shop] = []

    def make(world: World, **more: Any) -> Shop:
        opened.append(Shop(database, scenarios, world, **more))
        return opened[-1]

    yield make
    for shop in opened:
        shop.artifacts.close()
    database.close()


@pytest.mark.long
def test_sixty_nights_find_both_regressions_and_the_improvement_and_nothing_else(
    shop_of: Open,
) -> None:
    world = World(candidates=180, also="46:0.12/95:-0.1/140:0.15", noise=0.02, seed=5)
    shop = shop_of(world)
    shop.settle()
    for _ in range(60):
        shop.next_day()
        shop.settle()
    searched = [record for record in shop.records if isinstance(record, Searched)]
    assert [record.worse for record in searched] == [True, False, True]
    found = []
    for record in searched:
        verdict = investigation_of(record.job, shop.store).verdict
        assert verdict is not None
        assert verdict.kind is VerdictKind.CULPRIT
        commit = investigation_of(record.job, shop.store).commit(verdict.culprits[0].place)
        found.append(world.line.index(commit))
    assert found == [46, 95, 140]
    rows = shop.store.jobs()
    assert sum(row.request.kind is JobKind.BISECT for row in rows) == 3
    entries = [shop.queue.entry(row.job) for row in rows]
    assert {entry.order.priority for entry in entries if entry} == {Priority.SWEEP}
    assert {entry.order.asked_by for entry in entries if entry} == {"sweep nightly"}
    # What is open is what is worse: improvements are told, and nobody is woken for them.
    assert [record.job for record in open_changes(history_of(shop.records))] == [searched[0].job, searched[2].job]
    nights = [record for record in shop.records if isinstance(record, Night)]
    assert {(len(night.values), len(night.reference)) for night in nights} == {(5, 5)}
    assert len(nights) >= 57
    # The same night after night as a week tells it: what is open, what was found that week, and since when it was seen.
    records = SqlRecords(shop.database)
    last = searched[2].time
    known = shop.sweeper().known()
    assert known.problems == ()
    week = week_before(last + DAY, known.states, records)
    assert [each.searched.job for each in week.open] == [searched[0].job, searched[2].job]
    assert [each.answer.blamed[0].commit for each in week.open if each.answer] == [world.line[46], world.line[140]]
    assert [found.answer.job for found in week.found] == [searched[2].job]
    assert week.found[0].answer.asked_by == "sweep nightly"
    assert 0 < week.found[0].from_seen < WEEK
    assert [(trend.worse, trend.notable) for trend in week.trends] == [(True, True)]
    assert week_before(searched[0].time, known.states, records).open == ()


def test_nights_that_were_missed_are_made_up_for_once(shop_of: Open) -> None:
    shop = shop_of(World(candidates=60, noise=0.02))
    assert shop.settle() == 0
    assert [type(record) for record in shop.records] == [Accepted]
    shop.next_day(days=9)
    assert shop.settle() == 1
    night = shop.records[-1]
    assert isinstance(night, Night)
    assert datetime.fromtimestamp(night.time, UTC) == datetime(2026, 1, 14, 2, 30, tzinfo=UTC)
    assert shop.settle() == 0


def test_two_sweepers_at_every_step_do_no_more_than_one(shop_of: Open) -> None:
    shop = shop_of(World(candidates=60, also="25:0.2", noise=0.02, seed=2))
    shop.settle()
    for _ in range(14):
        shop.next_day()
        jobs: tuple[str, ...] = ("",)
        while jobs:
            threads = [threading.Thread(target=shop.sweeper().look) for _ in range(2)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            jobs = shop.sweeper().look().jobs
            shop.work()
    nights = [record for record in shop.records if isinstance(record, Night)]
    searches = [record for record in shop.records if isinstance(record, Searched)]
    assert len(searches) == 1
    assert len({night.time for night in nights}) == len(nights)
    rows = shop.store.jobs()
    assert sum(row.request.kind is JobKind.BISECT for row in rows) == 1
    looks = sum(isinstance(record, Looked) for record in shop.records)
    assert sum(row.request.kind is JobKind.COMPARE for row in rows) == len(nights) + looks


def test_a_sweeper_that_ended_before_it_wrote_its_search_down_searches_once(shop_of: Open) -> None:
    shop = shop_of(World(candidates=60, also="25:0.2", noise=0.02, seed=2), log=ForgetsSearches())
    shop.settle()
    for _ in range(14):
        shop.next_day()
        with suppress(KeyboardInterrupt):
            shop.settle()
            continue
        shop.work()
        shop.settle()
    assert sum(row.request.kind is JobKind.BISECT for row in shop.store.jobs()) == 1
    assert sum(isinstance(record, Searched) for record in shop.records) == 1


def test_a_branch_that_stands_still_or_does_not_answer_costs_nothing(shop_of: Open) -> None:
    shop = shop_of(World(candidates=60, noise=0.02))
    shop.settle()
    shop.clock.time += timedelta(days=1)
    assert shop.settle() == 0
    assert [type(record).__name__ for record in shop.records] == ["Accepted", "Unmeasured"]
    shop.repository.there = False
    shop.next_day()
    seen = shop.sweeper().look()
    assert [problem.what for problem in seen.problems] == ["the repository does not answer"]
    shop.repository.there = True
    assert shop.settle() == 1
    assert isinstance(shop.records[-1], Night)


def test_a_level_that_was_acknowledged_is_what_nights_are_compared_with(shop_of: Open) -> None:
    shop = shop_of(World(candidates=60, noise=0.02))
    with pytest.raises(UsageError, match="nothing was measured"):
        shop.sweeper().accept("seconds", "")
    shop.settle()
    shop.next_day()
    shop.settle()
    shop.sweeper().accept("shop/main", "slower on purpose")
    accepted = shop.records[-1]
    assert isinstance(accepted, Accepted)
    assert (accepted.by, accepted.note) == (AcceptedBy.PERSON, "slower on purpose")
    assert accepted.commit == shop.world.line[A_DAY].sha
    shop.next_day()
    shop.sweeper().look()
    asked = shop.records[-1]
    assert isinstance(asked, Asked)
    assert asked.good == accepted.commit
    with pytest.raises(UsageError, match="names not one series, but: none"):
        shop.sweeper().accept("elsewhere", "")
