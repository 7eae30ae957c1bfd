"""The queue on each of its stores, and workers of it, for the tests of its contract."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bisector.adapters.clock import SystemClock
from bisector.adapters.in_memory.leases import Waiting
from bisector.adapters.in_memory.queue import InMemoryQueue
from bisector.adapters.in_memory.store import InMemoryStore
from bisector.adapters.store.database import Database, sqlite_url
from bisector.adapters.store.sql_queue import SqlQueue
from bisector.adapters.store.sql_store import SqlStore
from bisector.core.model.facts import EnvironmentSeen
from bisector.core.model.request import Request
from bisector.engine.job import JobState
from bisector.engine.ports import Store
from bisector.engine.queue import Limits, Order, Priority, Queue, WorkerKind
from tests.helpers.asking import REQUEST, about_worker

OTHER = replace(REQUEST, repository="/other")
FACT = EnvironmentSeen(host="h", toolchain="t", details={})
PERSON, ALERT, SWEEP = (Order(priority=priority) for priority in (Priority.PERSON, Priority.ALERT, Priority.SWEEP))


@dataclass
class Fates:
    """Implements `Processes`: what is said of each, and who was killed."""

    said: dict[str, bool | None] = field(default_factory=dict)
    killed: list[str] = field(default_factory=list)

    def here(self) -> str:
        """This process."""
        return "here"

    def lives(self, process: str) -> bool | None:
        """It does unless the test says otherwise."""
        return self.said.get(process, True)

    def kill(self, process: str) -> bool:
        """Write down that it was asked for."""
        self.killed.append(process)
        return True


class Jumping(SystemClock):
    """A clock whose time of day can be set; what has gone by it still knows."""

    set_by = timedelta()

    def now(self) -> datetime:
        """The time of day, as somebody has set it."""
        return super().now() + self.set_by


@dataclass
class Rig:
    """A queue with its store, and workers by short names."""

    store: Store
    queue_with: Callable[[Limits], Queue]
    """The same queue with these limits, as one more process would have it."""
    clock: Jumping
    limits: Limits = field(default_factory=Limits)
    fates: Fates = field(default_factory=Fates)

    @property
    def queue(self) -> Queue:
        """The queue."""
        return self.queue_with(self.limits)

    def worker(self, process: str = "p", *, host: str = "a", kind: WorkerKind = WorkerKind.WORKER, **more: str) -> str:
        """A new worker."""
        return self.queue.register(about_worker(process, host=host, kind=kind, **more))

    def reap(self, host: str = "a") -> tuple[str, ...]:
        """Give up who is gone, as seen from a host; the jobs that wait again for it."""
        return self.queue.reap(self.fates, host)

    def job(self, order: Order = PERSON, request: Request = REQUEST) -> str:
        """A new job."""
        return self.queue.enqueue(request, order).job

    def fault(self, worker: str) -> None:
        """The worker takes a job and gives it back, through a fault of the machine."""
        lease = self.queue.claim(worker)
        assert lease is not None
        store = self.queue.store_of(lease)
        store.set_state(lease.job, JobState.RUNNING)
        store.rest(30.0)
        store.set_state(lease.job, JobState.QUEUED)

    def state(self, job: str) -> JobState:
        """How far a job is."""
        return self.store.job(job).state


@contextmanager
def rig_on(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    """A queue in memory, on SQLite or on PostgreSQL."""
    clock = Jumping()
    if kind == "in_memory":
        store, waiting = InMemoryStore(clock), Waiting()
        yield Rig(store, lambda limits: InMemoryQueue(store, clock, limits, waiting), clock)
        return
    url = sqlite_url(tmp_path / "b.sqlite3") if kind == "sqlite" else request.getfixturevalue("postgres").fresh()
    database = Database(url)
    yield Rig(SqlStore(database, clock), lambda limits: SqlQueue(database, clock, limits), clock)
    database.close()
