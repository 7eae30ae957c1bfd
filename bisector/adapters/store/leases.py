"""Workers, what they have taken, and what becomes of it when they are no more."""

from typing import Any

from sqlalchemy import Connection, Row, case, func, insert, select, text, update

from bisector.adapters.store.database import Database
from bisector.adapters.store.queue_rows import (
    ENDED,
    GONE,
    THERE,
    announce,
    below_cap,
    claimable,
    end_attempt,
    lease_now,
    lives_there,
    new_entry,
    note_attempt,
    wait_again,
)
from bisector.adapters.store.sql_store import move_job, number_of
from bisector.adapters.store.tables import LOST, hosts, jobs, queue, workers
from bisector.core.model.units import Seconds
from bisector.engine.dispatch import Dispatcher
from bisector.engine.job import JobState
from bisector.engine.ports import Clock
from bisector.engine.queue import (
    LONGEST_TEXT,
    MOST_FAILURES,
    EntryState,
    Lease,
    Limits,
    Priority,
    Processes,
    WorkerInfo,
    WorkerKind,
    listed,
)
from bisector.errors import JobError, NoSuchJob
from bisector.formats.facts import request_from_text

CLAIMING = 0x62697365
"""The advisory lock of PostgreSQL under which claims are made one after the other where repositories have a cap."""


class Leases:
    """The part of the queue that knows who works."""

    def __init__(self, database: Database, clock: Clock, limits: Limits, dispatcher: Dispatcher | None) -> None:
        """Nothing is asked of the database yet."""
        self._database = database
        self._clock = clock
        self._limits = limits
        self._dispatcher = dispatcher

    def register(self, info: WorkerInfo) -> str:
        """A worker begins; its id, which no other ever bears."""
        with self._database.writing() as connection:
            values = {
                "kind": info.kind,
                "state": THERE,
                "host": info.host,
                "name": info.name[:LONGEST_TEXT],
                "host_classes": listed(info.host_classes),
                "process": info.process,
                "pid": info.pid,
                "cores": info.cores,
                "fingerprint": info.fingerprint,
                "version": info.version,
                "since": self._wall(),
                "alive_until": self._lease_now(connection) + self._limits.lease,
            }
            return str(connection.execute(insert(workers).values(values).returning(workers.c.id)).scalar_one())

    def beat(self, worker: str) -> bool:
        """The worker lives, and so do its leases; False when it was given up meanwhile and owns nothing any more."""
        with self._database.writing() as connection:
            until = self._lease_now(connection) + self._limits.lease
            alive = (workers.c.id == int(worker), workers.c.state == THERE)
            return connection.execute(update(workers).where(*alive).values(alive_until=until)).rowcount == 1

    def leave(self, worker: str) -> None:
        """The worker ends in order. What it still has goes back to the queue."""
        with self._database.writing() as connection:
            connection.execute(update(workers).where(workers.c.id == int(worker)).values(state=ENDED))
            self._let_go(connection, int(worker))
            self._give_back_what_is_lost(connection)
            self._free_of_hosts(connection)

    def hold_host(self, worker: str) -> bool:
        """Take the measuring slot of the worker's machine; False while a worker that lives has it."""
        with self._database.writing() as connection:
            mine = self._there(connection, worker)
            if mine is None:
                return False
            wanted = select(hosts.c.worker_id).where(hosts.c.host == mine.host).with_for_update()
            row = connection.execute(wanted).one_or_none()
            if row is None:
                connection.execute(insert(hosts).values(host=mine.host, worker_id=mine.id))
                return True
            holder = None if row.worker_id is None else self._there(connection, str(row.worker_id))
            if holder is not None and holder.id != mine.id:
                return False
            connection.execute(update(hosts).where(hosts.c.host == mine.host).values(worker_id=mine.id))
            return True

    def let_go_of_host(self, worker: str) -> None:
        """Give the measuring slot back, where the worker has it."""
        with self._database.writing() as connection:
            self._let_go(connection, int(worker))

    def claim(self, worker: str, job: str | None = None) -> Lease | None:
        """Take the next job that waits for a host like the worker's, or only `job` if it can be had; None without."""
        with self._database.writing() as connection:
            mine = self._there(connection, worker)
            if mine is None:
                return None
            conditions = [claimable(host=mine.host, classes=_classes(mine), now=self._wall())]
            if self._limits.per_repository:
                self._one_at_a_time(connection)
                conditions.append(below_cap(self._limits.per_repository))
            if job is not None:
                conditions.append(queue.c.job_id == number_of(job))
            # One priority after the other: so each look is a walk along the index that ends at its first row.
            for priority in sorted(Priority, reverse=True):
                wanted = (
                    select(queue.c.job_id)
                    .where(queue.c.priority == int(priority), *conditions)
                    .order_by(queue.c.job_id)
                    .limit(1)
                    .with_for_update(skip_locked=True)
                )
                found = connection.execute(wanted).scalar_one_or_none()
                if found is not None:
                    return self._lease(connection, found, mine)
            return None

    def upcoming(self, worker: str, most: int) -> list[str]:
        """So many jobs that the worker's host may take, the next one first; none is taken, and no cap is looked at."""
        with self._database.reading() as connection:
            here = (workers.c.id == int(worker), workers.c.state == THERE)
            mine = connection.execute(select(workers).where(*here)).one_or_none()
            if mine is None:
                return []
            wanted = (
                select(queue.c.job_id)
                .where(claimable(host=mine.host, classes=_classes(mine), now=self._wall()))
                .order_by(queue.c.priority.desc(), queue.c.job_id)
                .limit(most)
            )
            return [str(job) for job in connection.execute(wanted).scalars()]

    def remind(self, job: str, rest: Seconds) -> None:
        """Send word of a job anew after `rest` seconds, if it still waits."""
        with self._database.writing() as connection:
            wanted = select(queue).where(queue.c.job_id == number_of(job), queue.c.state == EntryState.WAITING)
            row = connection.execute(wanted).one_or_none()
            if row is not None:
                announce(connection, self._dispatcher, row, rest=max(rest, row.not_before - self._wall()))

    def take(self, worker: str, job: str) -> Lease:
        """Take just this job for a person who asks for it by number, also one that is not queued."""
        number = number_of(job)
        with self._database.writing() as connection:
            mine = self._there(connection, worker)
            row = connection.execute(select(jobs.c.state, jobs.c.request).where(jobs.c.id == number)).one_or_none()
            if row is None or mine is None:
                raise NoSuchJob(f"there is no job {job}", then="`bisector jobs list` shows those there are")
            if row.state == JobState.DONE:
                raise JobError(f"job {job} is done", then=f"See `bisector report {job}`")
            entry = connection.execute(select(queue).where(queue.c.job_id == number).with_for_update()).one_or_none()
            if entry is None:
                connection.execute(insert(queue).values(_entry_for_person(number, row.request, self._wall())))
            elif entry.state == EntryState.LEASED:
                owner = connection.execute(select(workers).where(workers.c.id == entry.worker_id)).one()
                advice = f"Watch it with `bisector jobs watch {job}`, or stop it with `bisector jobs cancel {job}`"
                raise JobError(f"job {job} is being worked on by process {owner.pid} on {owner.name}", then=advice)
            return self._lease(connection, number, mine)

    def cancel_wanted(self, lease: Lease) -> bool:
        """Whether somebody wants the leased job stopped."""
        wanted = select(jobs.c.cancel_requested).where(jobs.c.id == number_of(lease.job))
        with self._database.reading() as connection:
            return bool(connection.execute(wanted).scalar())

    def wanted(self, worker: str, lease: Lease | None = None) -> bool:
        """Whether a job waits that the worker could take: where it has one, one of a higher priority than that."""
        with self._database.reading() as connection:
            mine = connection.execute(select(workers).where(workers.c.id == int(worker))).one()
            conditions = [claimable(host=mine.host, classes=_classes(mine), now=self._wall())]
            job = 0
            if lease is not None:
                job = number_of(lease.job)
                own = connection.execute(select(queue.c.priority).where(queue.c.job_id == job)).scalar_one()
                conditions.append(queue.c.priority.in_([int(each) for each in Priority if each > own]))
            if self._limits.per_repository:
                conditions.append(below_cap(self._limits.per_repository, besides=job))
            return connection.execute(select(queue.c.job_id).where(*conditions).limit(1)).first() is not None

    def reap(self, here: Processes, host: str) -> tuple[str, ...]:
        """Give up workers that are late or, on this machine, gone; the jobs that wait again for it."""
        with self._database.writing() as connection:
            now = self._lease_now(connection)
            for row in connection.execute(select(workers).where(workers.c.state == THERE)).all():
                if _is_lost(row, here, host, now):
                    connection.execute(update(workers).where(workers.c.id == row.id).values(state=GONE))
            given_back = self._give_back_what_is_lost(connection)
            self._free_of_hosts(connection)
        self._end_processes(here, host)
        return given_back

    def _end_processes(self, here: Processes, host: str) -> None:
        """Kill what still stands of this machine's lost workers, so that it lets go of its locks."""
        with self._database.writing() as connection:
            lost = select(workers.c.id, workers.c.process, workers.c.kind)
            for row in connection.execute(lost.where(workers.c.state == GONE, workers.c.host == host)).all():
                # Itself it does not kill: a worker that wakes up after it was given up begins anew.
                if row.kind == WorkerKind.WORKER and row.process != here.here():
                    here.kill(row.process)
                connection.execute(update(workers).where(workers.c.id == row.id).values(state=ENDED))

    def _give_back_what_is_lost(self, connection: Connection) -> tuple[str, ...]:
        lost = (
            select(queue, workers.c.kind, jobs.c.state.label("job_state"))
            .join(workers, workers.c.id == queue.c.worker_id)
            .join(jobs, jobs.c.id == queue.c.job_id)
            .where(queue.c.state == EntryState.LEASED, workers.c.state != THERE)
            .with_for_update(of=queue)
        )
        return tuple(str(row.job_id) for row in connection.execute(lost).all() if self._lost(connection, row))

    def _free_of_hosts(self, connection: Connection) -> None:
        """What waits for a host without a worker is for any host of its class, which is to be told."""
        waits = (queue.c.state == EntryState.WAITING, queue.c.host != "", ~lives_there())
        freed = update(queue).where(*waits).values(host="").returning(queue)
        for row in connection.execute(freed).all():
            announce(connection, self._dispatcher, row, rest=max(row.not_before - self._wall(), 0.0))

    def _lost(self, connection: Connection, row: Row[Any]) -> bool:
        """End a lease whose worker is no more; whether the job waits again."""
        job, now = str(row.job_id), self._wall()
        end_attempt(connection, row.job_id, row.fence, LOST, now)
        failures = row.failures + 1
        begun = row.job_state == JobState.RUNNING
        theirs = row.kind == WorkerKind.PERSON and (begun or not row.host_class)
        if theirs or failures > MOST_FAILURES:
            # A person's command was ended by that person; and what ends worker after worker is a person's to look at.
            ended = {"state": EntryState.ENDED, "worker_id": None, "failures": failures}
            connection.execute(update(queue).where(queue.c.job_id == row.job_id).values(ended))
            if not begun and not theirs:
                move_job(connection, job, JobState.RUNNING)
            if begun or not theirs:
                move_job(connection, job, JobState.PAUSED)
            return False
        connection.execute(update(queue).where(queue.c.job_id == row.job_id).values(failures=failures))
        if row.job_state == JobState.RUNNING:
            move_job(connection, job, JobState.QUEUED)
        wait_again(connection, self._dispatcher, row.job_id, until=0.0, now=now)
        return True

    def _lease(self, connection: Connection, job: int, mine: Row[Any]) -> Lease:
        now = self._wall()
        row = connection.execute(
            update(queue)
            .where(queue.c.job_id == job)
            .values(
                state=EntryState.LEASED,
                worker_id=mine.id,
                attempt=queue.c.attempt + 1,
                fence=queue.c.fence + 1,
                host=case((mine.kind == WorkerKind.WORKER, mine.host), else_=queue.c.host),
            )
            .returning(queue.c.fence, queue.c.attempt, queue.c.failures)
        ).one()
        note_attempt(connection, job, row.fence, mine.id, now)
        return Lease(job=str(job), fence=row.fence, attempt=row.attempt, worker=str(mine.id), failures=row.failures)

    def _there(self, connection: Connection, worker: str) -> Row[Any] | None:
        """The worker unless it was given up, locked: nobody gives it up before this transaction ends."""
        wanted = select(workers).where(workers.c.id == int(worker), workers.c.state == THERE)
        return connection.execute(wanted.with_for_update()).one_or_none()

    def _one_at_a_time(self, connection: Connection) -> None:
        """Make claims one after the other: two at once would each not count the other."""
        if not self._database.is_sqlite:
            connection.execute(select(func.pg_advisory_xact_lock(text(str(CLAIMING)))))

    def _let_go(self, connection: Connection, worker: int) -> None:
        connection.execute(update(hosts).where(hosts.c.worker_id == worker).values(worker_id=None))

    def _lease_now(self, connection: Connection) -> float:
        return lease_now(self._database, connection, self._clock)

    def _wall(self) -> float:
        return self._clock.now().timestamp()


def _classes(worker: Row[Any]) -> tuple[str, ...]:
    return tuple(worker.host_classes.split(","))


def _is_lost(worker: Row[Any], here: Processes, host: str, now: float) -> bool:
    lives = here.lives(worker.process) if worker.host == host else None
    if lives is False:
        return True
    # A person's command that was stopped with Ctrl-Z is still that person's.
    return bool(worker.alive_until < now) and not (worker.kind == WorkerKind.PERSON and lives)


def _entry_for_person(job: int, request: str, now: float) -> dict[str, Any]:
    return {
        **new_entry(job, request_from_text(request).repository, now),
        "priority": int(Priority.PERSON),
        "host_class": "",
        "dedup_key": None,
        "asked_by": "",
    }
