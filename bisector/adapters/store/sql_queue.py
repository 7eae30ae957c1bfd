"""The queue in the database of the jobs."""

from typing import Any

from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from bisector.adapters.store.database import Database
from bisector.adapters.store.leased_store import SqlBuildStore, SqlLeasedStore
from bisector.adapters.store.leases import Leases
from bisector.adapters.store.queue_rows import announce, depth_of, entry_of, new_entry, worker_rows
from bisector.adapters.store.sql_store import insert_job, move_job, number_of
from bisector.adapters.store.tables import jobs, queue
from bisector.core.model.request import Request
from bisector.engine.dispatch import Dispatcher
from bisector.engine.job import JobState
from bisector.engine.ports import Clock, Store
from bisector.engine.queue import (
    LONGEST_TEXT,
    Cancelling,
    Depth,
    Enqueued,
    Entry,
    EntryState,
    Lease,
    LeasedStore,
    Limits,
    Order,
    WorkerRow,
)
from bisector.errors import JobError, NoSuchJob, QueueFull


class SqlQueue(Leases):
    """Implements `bisector.engine.queue.Queue` on SQLite or PostgreSQL."""

    def __init__(self, database: Database, clock: Clock, limits: Limits, dispatcher: Dispatcher | None = None) -> None:
        """`dispatcher` is told of each job that begins to wait, in the same transaction."""
        super().__init__(database, clock, limits, dispatcher)

    def enqueue(self, request: Request, order: Order) -> Enqueued:
        """Make a job and queue it, both or neither; the job with the same dedup key where there is one."""
        try:
            with self._database.writing() as connection:
                there = _with_key(connection, order.dedup)
                if there is not None:
                    return Enqueued(job=str(there), new=False)
                self._check_room(connection)
                job = insert_job(connection, request, self._wall())
                self.insert(connection, job, request, order)
                return Enqueued(job=str(job), new=True)
        except IntegrityError:
            # Somebody else was faster with the same key: theirs is committed by now.
            with self._database.reading() as connection:
                there = _with_key(connection, order.dedup)
            if there is None:
                return self.enqueue(request, order)
            return Enqueued(job=str(there), new=False)

    def put_back(self, job: str, order: Order) -> None:
        """Queue a job that was made, stopped or paused before; JobError when it is done, waits, or is worked on."""
        number = number_of(job)
        with self._database.writing() as connection:
            state, request = _job(connection, job)
            entry = connection.execute(select(queue).where(queue.c.job_id == number).with_for_update()).one_or_none()
            if state is JobState.DONE:
                raise JobError(f"job {job} is done", then=f"See it with `bisector jobs show {job}`")
            if entry is not None and entry.state != EntryState.ENDED:
                what = "is being worked on" if entry.state == EntryState.LEASED else "waits in the queue already"
                raise JobError(f"job {job} {what}", then=f"Watch it with `bisector jobs watch {job}`")
            if state is not JobState.QUEUED:
                move_job(connection, job, JobState.QUEUED)
            if entry is None:
                self.insert(connection, number, request, order)
                return
            row = connection.execute(
                update(queue)
                .where(queue.c.job_id == number)
                .values(**_wanted(order), state=EntryState.WAITING, failures=0, not_before=0.0)
                .returning(queue)
            ).one()
            announce(connection, self._dispatcher, row)

    def cancel(self, job: str) -> Cancelling:
        """Stop a job: at once where it only waits, else its worker is asked to. JobError when it is done."""
        number = number_of(job)
        with self._database.writing() as connection:
            state, _ = _job(connection, job)
            if state is JobState.DONE:
                raise JobError(f"job {job} is done already")
            entry = connection.execute(select(queue).where(queue.c.job_id == number).with_for_update()).one_or_none()
            if entry is not None and entry.state == EntryState.LEASED:
                connection.execute(update(jobs).where(jobs.c.id == number).values(cancel_requested=True))
                return Cancelling.ASKED
            move_job(connection, job, JobState.CANCELLED)
            connection.execute(update(queue).where(queue.c.job_id == number).values(state=EntryState.ENDED))
            return Cancelling.AT_ONCE

    def entry(self, job: str) -> Entry | None:
        """The entry of a job; None for a job that never was in the queue."""
        with self._database.reading() as connection:
            row = connection.execute(select(queue).where(queue.c.job_id == number_of(job))).one_or_none()
        return None if row is None else entry_of(row)

    def entries(self) -> list[Entry]:
        """What is worked on and what waits, in the order in which it is taken."""
        wanted = (
            select(queue)
            .where(queue.c.state != EntryState.ENDED)
            .order_by(queue.c.state, queue.c.priority.desc(), queue.c.job_id)
        )
        with self._database.reading() as connection:
            return [entry_of(row) for row in connection.execute(wanted)]

    def depth(self) -> list[Depth]:
        """How much is worked on and waits."""
        with self._database.reading() as connection:
            return depth_of(connection)

    def workers(self) -> list[WorkerRow]:
        """The workers there are, oldest first."""
        with self._database.reading() as connection:
            return worker_rows(connection, self._lease_now(connection))

    def store_of(self, lease: Lease) -> LeasedStore:
        """The store as the holder of `lease` writes to it."""
        return SqlLeasedStore(self._database, self._clock, lease, self._dispatcher)

    def builds_of(self, worker: str) -> Store:
        """The store as the worker's build slots write to it."""
        return SqlBuildStore(self._database, self._clock, worker)

    def _check_room(self, connection: Connection) -> None:
        waiting = select(func.count()).select_from(queue).where(queue.c.state == EntryState.WAITING)
        most = self._limits.waiting
        if connection.execute(waiting).scalar_one() >= most:
            advice = "Start another worker, cancel what is not wanted, or raise `queue_limit`"
            raise QueueFull(f"{most} jobs wait already", then=advice)

    def insert(self, connection: Connection, job: int, request: Request, order: Order) -> None:
        """Let a job wait that has no entry yet, in a transaction of the caller's."""
        values = {**_wanted(order), **new_entry(job, request.repository, self._wall())}
        row = connection.execute(insert(queue).values(values).returning(queue)).one()
        announce(connection, self._dispatcher, row)


def _wanted(order: Order) -> dict[str, Any]:
    return {
        "priority": int(order.priority),
        "host_class": order.host_class,
        "dedup_key": order.dedup or None,
        "asked_by": order.asked_by[:LONGEST_TEXT],
    }


def _with_key(connection: Connection, key: str) -> int | None:
    if not key:
        return None
    wanted = select(queue.c.job_id).where(queue.c.dedup_key == key, queue.c.state != EntryState.ENDED)
    return connection.execute(wanted).scalar_one_or_none()


def _job(connection: Connection, job: str) -> tuple[JobState, Request]:
    from bisector.formats.facts import request_from_text

    wanted = select(jobs.c.state, jobs.c.request).where(jobs.c.id == number_of(job))
    row = connection.execute(wanted).one_or_none()
    if row is None:
        raise NoSuchJob(f"there is no job {job}", then="`bisector jobs list` shows those there are")
    return JobState(row.state), request_from_text(row.request)
