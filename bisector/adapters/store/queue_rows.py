"""Rows of the queue's tables as values, and what the queue's transactions share."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, exists, func, insert, or_, select, update

from bisector.adapters.store.database import Database
from bisector.adapters.store.tables import attempts, hosts, queue, workers
from bisector.core.model.units import Seconds, digest
from bisector.engine.dispatch import Dispatcher, Message
from bisector.engine.ports import Clock
from bisector.engine.queue import (
    LONGEST_REST,
    Depth,
    Entry,
    EntryState,
    Order,
    Priority,
    WorkerInfo,
    WorkerKind,
    WorkerRow,
)

THERE, GONE, ENDED = "there", "gone", "ended"
"""A worker's states: it works; it was given up and its process may still stand; it is no more."""


def lease_now(database: Database, connection: Connection, clock: Clock) -> float:
    """Now by the clock of leases: PostgreSQL's own, or the monotonic one of the only machine there is."""
    if database.is_sqlite:
        return clock.monotonic()
    return float(connection.execute(select(func.extract("epoch", func.clock_timestamp()))).scalar_one())


def new_entry(job: int, repository: str, now: float) -> dict[str, Any]:
    """The columns of an entry that begins to wait, but for what its order says."""
    return {
        "job_id": job,
        "state": EntryState.WAITING,
        "repository": digest(repository),
        "enqueued_at": now,
        "not_before": 0.0,
        "attempt": 0,
        "fence": 0,
        "failures": 0,
        "worker_id": None,
        "host": "",
    }


def claimable(*, host: str, classes: tuple[str, ...], now: float) -> ColumnElement[bool]:
    """What of the entries a worker on `host` may take, `now` being the time of day."""
    return and_(
        queue.c.state == EntryState.WAITING,
        queue.c.host_class.in_(classes),
        or_(queue.c.not_before <= now, queue.c.not_before > now + LONGEST_REST),
        or_(queue.c.host == "", queue.c.host == host, ~lives_there()),
    )


def lives_there() -> ColumnElement[bool]:
    """Whether the host that an entry is kept for has a worker."""
    return exists().where(workers.c.host == queue.c.host, workers.c.state == THERE, workers.c.kind == WorkerKind.WORKER)


def below_cap(most: int, *, besides: int = 0) -> ColumnElement[bool]:
    """Whether fewer than `most` jobs of the entry's repository are worked on, job `besides` not counted."""
    other = queue.alias("other")
    count = (
        select(func.count())
        .select_from(other)
        .where(
            other.c.state == EntryState.LEASED,
            other.c.repository == queue.c.repository,
            other.c.job_id != besides,
        )
        .correlate(queue)
        .scalar_subquery()
    )
    return count < most


def note_attempt(connection: Connection, job: int, fence: int, worker: int, now: float) -> None:
    """A lease begins."""
    row = {"job_id": job, "fence": fence, "worker_id": worker, "began_at": now, "ended_at": None, "outcome": ""}
    connection.execute(insert(attempts).values(row))


def end_attempt(connection: Connection, job: int, fence: int, outcome: str, now: float) -> None:
    """A lease ended."""
    wanted = (attempts.c.job_id == job, attempts.c.fence == fence)
    connection.execute(update(attempts).where(*wanted).values(ended_at=now, outcome=outcome))


def wait_again(connection: Connection, dispatcher: Dispatcher | None, job: int, *, until: float, now: float) -> None:
    """Let an entry wait, and send word of it."""
    changed = (
        update(queue)
        .where(queue.c.job_id == job)
        .values(state=EntryState.WAITING, worker_id=None, not_before=until)
        .returning(queue)
    )
    row = connection.execute(changed).one()
    announce(connection, dispatcher, row, rest=max(until - now, 0.0))


def announce(connection: Connection, dispatcher: Dispatcher | None, row: Row[Any], *, rest: Seconds = 0.0) -> None:
    """Send word of an entry that waits, in this transaction."""
    if dispatcher is None:
        return
    message = Message(
        job=str(row.job_id),
        attempt=row.attempt,
        priority=Priority(row.priority),
        host_class=row.host_class,
        host=row.host,
        rest=rest,
    )
    dispatcher.announce(connection.connection.driver_connection, message)


def entry_of(row: Row[Any]) -> Entry:
    """An entry."""
    return Entry(
        job=str(row.job_id),
        state=EntryState(row.state),
        order=Order(
            priority=Priority(row.priority),
            host_class=row.host_class,
            dedup=row.dedup_key or "",
            asked_by=row.asked_by,
        ),
        enqueued=datetime.fromtimestamp(row.enqueued_at, UTC),
        attempt=row.attempt,
        fence=row.fence,
        failures=row.failures,
        worker="" if row.worker_id is None else str(row.worker_id),
        host=row.host,
    )


def depth_of(connection: Connection) -> list[Depth]:
    """How much is worked on and waits."""
    wanted = (
        select(queue.c.priority, queue.c.host_class, queue.c.state, func.count().label("n"))
        .where(queue.c.state != EntryState.ENDED)
        .group_by(queue.c.priority, queue.c.host_class, queue.c.state)
    )
    counts: dict[tuple[int, str], dict[str, int]] = {}
    for row in connection.execute(wanted):
        counts.setdefault((row.priority, row.host_class), {})[row.state] = row.n
    return [
        Depth(
            priority=Priority(priority),
            host_class=host_class,
            waiting=found.get(EntryState.WAITING, 0),
            leased=found.get(EntryState.LEASED, 0),
        )
        for (priority, host_class), found in sorted(counts.items(), reverse=True)
    ]


def worker_rows(connection: Connection, now: float) -> list[WorkerRow]:
    """The workers there are, `now` by the clock of leases."""
    held = select(queue.c.worker_id, queue.c.job_id).where(queue.c.state == EntryState.LEASED)
    jobs: dict[int, list[str]] = {}
    for row in connection.execute(held.order_by(queue.c.job_id)):
        jobs.setdefault(row.worker_id, []).append(str(row.job_id))
    measuring = set(connection.execute(select(hosts.c.worker_id)).scalars())
    found = connection.execute(select(workers).where(workers.c.state == THERE).order_by(workers.c.id))
    return [
        WorkerRow(
            worker=str(row.id),
            info=info_of(row),
            since=datetime.fromtimestamp(row.since, UTC),
            jobs=tuple(jobs.get(row.id, ())),
            measuring=row.id in measuring,
            late=row.alive_until < now,
        )
        for row in found
    ]


def info_of(row: Row[Any]) -> WorkerInfo:
    """What a worker said of itself."""
    return WorkerInfo(
        kind=WorkerKind(row.kind),
        host=row.host,
        name=row.name,
        host_classes=tuple(row.host_classes.split(",")),
        process=row.process,
        pid=row.pid,
        cores=row.cores,
        fingerprint=row.fingerprint,
        version=row.version,
    )
