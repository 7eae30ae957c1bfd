"""What is stored, read in bulk.

Every page is a transaction of its own that begins after the last key of the one before: whoever reads slowly, because
a pipe is full, keeps neither a snapshot nor a connection, and PostgreSQL does not end an idle transaction for it.
"""

from collections.abc import Collection, Iterator
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, or_, select

from bisector.adapters.store import tables
from bisector.adapters.store.database import Database
from bisector.adapters.store.sql_store import job_row, job_rows, number_of, text_of
from bisector.adapters.store.tables import queue, series_entries
from bisector.core.model.facts import Concluded, Fact
from bisector.core.model.units import Seconds
from bisector.engine.records import FactRecord, JobRecord, SeriesRecord
from bisector.formats.facts import fact_from_text
from bisector.formats.series import record_from_text

PAGE = 500
_jobs, _facts = tables.jobs, tables.facts
"""The tables, by names that the port's methods do not have."""


class SqlRecords:
    """Implements `bisector.engine.records.Records`."""

    def __init__(self, database: Database) -> None:
        """`database` is shared with the jobs."""
        self._database = database

    def jobs(self, since: Seconds = 0.0, jobs: Collection[str] = ()) -> Iterator[JobRecord]:
        """The jobs made at or after `since`; where `jobs` names some, those of them."""
        wanted = [_jobs.c.created_at >= since]
        if jobs:
            wanted.append(_jobs.c.id.in_([number_of(job) for job in jobs]))
        yield from self._jobs(and_(*wanted))

    def concluded(self, since: Seconds, until: Seconds) -> Iterator[JobRecord]:
        """The jobs whose answer was written down from `since` on and before `until`."""
        answer = (_facts.c.job_id == _jobs.c.id, _facts.c.kind == Concluded.__name__)
        moment = (_facts.c.recorded_at >= since, _facts.c.recorded_at < until)
        yield from self._jobs(select(_facts.c.seq).where(*answer, *moment).correlate(_jobs).exists())

    def facts(self, job: str, kinds: Collection[type[Fact]] = ()) -> Iterator[FactRecord]:
        """The facts of a job, or those of some kinds."""
        wanted = select(_facts).where(_facts.c.job_id == number_of(job)).order_by(_facts.c.seq)
        if kinds:
            wanted = wanted.where(_facts.c.kind.in_([kind.__name__ for kind in kinds]))
        after = 0
        while rows := self._page(wanted.where(_facts.c.seq > after)):
            for row in rows:
                yield FactRecord(seq=row.seq, at=row.recorded_at, fact=fact_from_text(row.kind, text_of(row.payload)))
            after = rows[-1].seq

    def series(self) -> Iterator[SeriesRecord]:
        """The records of all series, one series after the other."""
        table = series_entries
        wanted = select(table).order_by(table.c.series, table.c.seq)
        after: tuple[str, int] = ("", 0)
        while rows := self._page(wanted.where(_beyond(*after))):
            for row in rows:
                record = record_from_text(row.kind, row.payload)
                yield SeriesRecord(series=row.series, seq=row.seq, at=row.recorded_at, record=record)
            after = rows[-1].series, rows[-1].seq

    def _jobs(self, condition: ColumnElement[bool]) -> Iterator[JobRecord]:
        wanted = (
            job_rows()
            .add_columns(queue.c.asked_by, queue.c.priority, queue.c.host_class)
            .outerjoin(queue, queue.c.job_id == _jobs.c.id)
            .where(condition)
            .order_by(_jobs.c.id)
        )
        after = 0
        while rows := self._page(wanted.where(_jobs.c.id > after)):
            for row in rows:
                yield JobRecord(
                    row=job_row(row),
                    asked_by=row.asked_by or "",
                    priority=row.priority,
                    host_class=row.host_class or "",
                )
            after = rows[-1].id

    def _page(self, wanted: Select[Any]) -> list[Any]:
        with self._database.reading() as connection:
            return list(connection.execute(wanted.limit(PAGE)))


def _beyond(series: str, seq: int) -> ColumnElement[bool]:
    table = series_entries
    return or_(table.c.series > series, and_(table.c.series == series, table.c.seq > seq))
