"""The store as the holder of a lease writes to it, and as its build slots do."""

from collections.abc import Sequence

from sqlalchemy import Connection, select, update

from bisector.adapters.store.database import Database
from bisector.adapters.store.queue_rows import THERE, end_attempt, wait_again
from bisector.adapters.store.sql_store import SqlStore, number_of
from bisector.adapters.store.tables import queue, workers
from bisector.core.model.facts import Fact
from bisector.core.model.units import Seconds
from bisector.engine.dispatch import Dispatcher
from bisector.engine.job import JobState
from bisector.engine.ports import Clock
from bisector.engine.queue import EntryState, Lease
from bisector.errors import LeaseLost, StoreError

WENT_BACK = (
    "Its server was replaced by one that was behind, or by a backup. The job goes on from what is there; "
    "a standby that is written to synchronously loses nothing"
)


class SqlLeasedStore(SqlStore):
    """Implements `bisector.engine.queue.LeasedStore`: a look at the fence is part of each transaction."""

    def __init__(self, database: Database, clock: Clock, lease: Lease, dispatcher: Dispatcher | None) -> None:
        """Writes to the job of `lease` alone."""
        super().__init__(database, clock)
        self._lease = lease
        self._dispatcher = dispatcher
        self._rest: Seconds = 0.0
        self._next = self._last = 0
        """Numbers of facts: of the one that was written last, and of the last that is known to be durable."""

    def rest(self, seconds: Seconds) -> None:
        """If the job is to wait again for a fault, then for so long, and the fault counts."""
        self._rest = seconds

    def _guard(self, connection: Connection, job: str) -> None:
        # The row is locked until the transaction ends: nobody takes the job between this look and the write.
        wanted = select(queue.c.state, queue.c.fence).where(queue.c.job_id == number_of(job)).with_for_update()
        found = connection.execute(wanted).one_or_none()
        if found is None or found.state != EntryState.LEASED or found.fence != self._lease.fence:
            raise LeaseLost(f"job {job} was given to another worker")

    def append_together(self, job: str, facts: Sequence[Fact]) -> None:
        """Add facts, durable on return; StoreError where those that this store added before are not there any more."""
        super().append_together(job, facts)
        self._last = self._next

    def _next_seq(self, connection: Connection, job: str) -> int:
        self._next = super()._next_seq(connection, job)
        if self._next <= self._last:
            raise StoreError(f"of job {job} the database has {self._next - 1} facts, and had more", then=WENT_BACK)
        return self._next

    def _moved(self, connection: Connection, job: str, state: JobState) -> None:
        if state is JobState.RUNNING:
            return
        if state is JobState.DONE:
            self._next_seq(connection, job)  # no answer from facts that are lost
        number, now = number_of(job), self._now()
        end_attempt(connection, number, self._lease.fence, state, now)
        if state is not JobState.QUEUED:
            connection.execute(
                update(queue).where(queue.c.job_id == number).values(state=EntryState.ENDED, worker_id=None)
            )
            return
        failures = queue.c.failures + 1 if self._rest else 0
        connection.execute(update(queue).where(queue.c.job_id == number).values(failures=failures))
        until = now + self._rest if self._rest else 0.0
        wait_again(connection, self._dispatcher, number, until=until, now=now)


class SqlBuildStore(SqlStore):
    """Implements `bisector.engine.ports.Store` for build slots: a look at the worker is part of each transaction."""

    def __init__(self, database: Database, clock: Clock, worker: str) -> None:
        """Of `worker`'s slots. No other worker ever bears its number, so that is their fence."""
        super().__init__(database, clock)
        self._worker = worker

    def _guard(self, connection: Connection, job: str) -> None:
        del connection
        raise LeaseLost(f"job {job} is nobody's: a build slot writes to no job")

    def _guard_builds(self, connection: Connection) -> None:
        there = select(workers.c.id).where(workers.c.id == int(self._worker), workers.c.state == THERE)
        if connection.execute(there.with_for_update()).one_or_none() is None:
            raise LeaseLost(f"worker {self._worker} was given up")
