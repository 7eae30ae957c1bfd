"""Who joined what, in the database of the jobs."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.exc import IntegrityError

from bisector.adapters.store.database import Database
from bisector.adapters.store.sql_store import number_of
from bisector.adapters.store.tables import jobs, queue
from bisector.adapters.store.tables import joined as rows
from bisector.core.model.request import Request
from bisector.core.model.units import digest
from bisector.engine.job import JobState
from bisector.engine.joins import Joined, JoinFate
from bisector.engine.ports import Clock
from bisector.engine.queue import LONGEST_TEXT, EntryState, Order, Priority
from bisector.formats.facts import request_from_text, request_to_text

MOST_LOOKED_AT = 200
"""Waiting jobs of one repository that an alert is compared with."""


class SqlJoins:
    """Implements `bisector.engine.joins.Joins`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """`database` is shared with the jobs."""
        self._database = database
        self._clock = clock

    def waiting_like(self, request: Request, order: Order) -> list[tuple[str, Request]]:
        """Jobs of the same repository and kind of host that wait, with the same priority or a higher one."""
        wanted = (
            select(jobs.c.id, jobs.c.request)
            .join(queue, queue.c.job_id == jobs.c.id)
            .where(
                queue.c.state == EntryState.WAITING,
                queue.c.repository == digest(request.repository),
                queue.c.host_class == order.host_class,
                queue.c.priority >= int(order.priority),
            )
            .order_by(queue.c.priority.desc(), jobs.c.id)
            .limit(MOST_LOOKED_AT)
        )
        with self._database.reading() as connection:
            found = connection.execute(wanted).all()
        return [(str(row.id), request_from_text(row.request)) for row in found]

    def join(self, job: str, request: Request, order: Order) -> bool:
        """Note that an alert joins a job that waits, unless a job is on its way that asks the very same."""
        values = {
            "job_id": number_of(job),
            "question": order.dedup,
            "request": request_to_text(request),
            "priority": int(order.priority),
            "host_class": order.host_class,
            "asked_by": order.asked_by[:LONGEST_TEXT],
            "joined_at": self._clock.now().timestamp(),
            "fate": JoinFate.WAITING,
            "own_job": None,
            "said": "",
        }
        still = select(queue.c.state).where(queue.c.job_id == number_of(job)).with_for_update()
        same = select(queue.c.job_id).where(queue.c.dedup_key == order.dedup, queue.c.state != EntryState.ENDED)
        try:
            with self._database.writing() as connection:
                if connection.execute(still).scalar_one_or_none() != EntryState.WAITING:
                    return False
                if connection.execute(same).first() is not None:
                    return False
                connection.execute(insert(rows).values(values))
        except IntegrityError:
            return True  # the same alert, from before
        return True

    def of(self, job: str) -> tuple[Joined, ...]:
        """The alerts that joined a job, in their order."""
        with self._database.reading() as connection:
            found = connection.execute(select(rows).where(rows.c.job_id == number_of(job)).order_by(rows.c.id)).all()
        return tuple(_joined(row) for row in found)

    def to_settle(self) -> tuple[str, ...]:
        """Jobs that neither wait nor are worked on any more, of which alerts that joined still wait."""
        ended = jobs.c.state.not_in((JobState.QUEUED, JobState.RUNNING))
        wanted = select(rows.c.job_id).join(jobs, jobs.c.id == rows.c.job_id)
        wanted = wanted.where(rows.c.fate == JoinFate.WAITING, ended)
        with self._database.reading() as connection:
            return tuple(str(job) for job in connection.execute(wanted.distinct().order_by(rows.c.job_id)).scalars())

    def settle(self, joined: Joined, fate: JoinFate, *, own: str = "", said: str = "") -> None:
        """What became of an alert; one that is settled stays as it is."""
        with self._database.writing() as connection:
            open_one = (rows.c.id == joined.row, rows.c.fate == JoinFate.WAITING)
            values = {"fate": fate, "own_job": number_of(own) if own else None, "said": said}
            connection.execute(update(rows).where(*open_one).values(values))


def _joined(row: Row[Any]) -> Joined:
    order = Order(priority=Priority(row.priority), host_class=row.host_class, dedup=row.question, asked_by=row.asked_by)
    return Joined(
        row=row.id,
        job=str(row.job_id),
        request=request_from_text(row.request),
        order=order,
        since=datetime.fromtimestamp(row.joined_at, UTC),
        fate=JoinFate(row.fate),
        own="" if row.own_job is None else str(row.own_job),
        said=row.said,
    )
