"""Marks in the database of the jobs."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, exists, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from bisector.adapters.store.database import Database
from bisector.adapters.store.sql_store import number_of
from bisector.adapters.store.tables import attempts, marks
from bisector.core.model.units import Seconds
from bisector.engine.marks import RENEWED, Due
from bisector.engine.ports import Clock

CLAIM: Seconds = 60.0
"""How long a server may take for one mark; after that it is believed to be lost."""
FARTHEST: Seconds = 3600.0
"""What is due later than this was put off by a clock that was set back since."""
LONGEST_REASON = 400
NOT_ENDED = ""
"""The outcome of a lease that lasts."""


class SqlMarks:
    """Implements `bisector.engine.marks.Marks`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """`database` is shared with the jobs."""
        self._database = database
        self._clock = clock

    def claim(self, targets: Collection[str]) -> Due | None:
        """Take the next mark that is to be made, put off, or ended."""
        self._note(targets)
        with self._database.reading() as connection:
            # Most of the time there is nothing, and looking must not cost a write.
            if connection.execute(_next(targets, self._now(connection))).first() is None:
                return None
        with self._database.writing() as connection:
            now = self._now(connection)
            row = connection.execute(_next(targets, now).with_for_update(skip_locked=True, of=marks)).one_or_none()
            if row is None:
                return None
            due = _due(row, now)
            taken = (*_of(due.target, due.job, due.fence), marks.c.attempts == row.attempts)
            connection.execute(update(marks).where(*taken).values(due_at=now + CLAIM, attempts=due.attempt))
            return due

    def made(self, due: Due, outside: str, until: Seconds) -> None:
        """The target bears it, until then."""
        self._change(due, outside=outside[:200], until_at=until, failures=0, reason="", due_at=0.0)

    def close(self, due: Due, reason: str) -> None:
        """Nothing more is done about it: it has ended, or is not wanted."""
        self._change(due, closed=True, reason=reason[:LONGEST_REASON])

    def put_off(self, due: Due, reason: str, after: Seconds) -> None:
        """It could not be done: to be tried again."""
        values = {"failures": due.failures + 1, "reason": reason[:LONGEST_REASON], "due_at": due.now + after}
        self._change(due, **values)

    def _note(self, targets: Collection[str]) -> None:
        """A mark to be made for each lease that lasts, at each target."""
        for target in targets:
            known = exists().where(
                marks.c.target == target, marks.c.job_id == attempts.c.job_id, marks.c.fence == attempts.c.fence
            )
            lasting = select(attempts.c.job_id, attempts.c.fence).where(attempts.c.outcome == NOT_ENDED, ~known)
            with self._database.reading() as connection:
                new = connection.execute(lasting).all()
            for row in new:
                try:
                    with self._database.writing() as connection:
                        connection.execute(insert(marks).values(_fresh(target, row.job_id, row.fence)))
                except IntegrityError:
                    continue  # another server was faster

    def _change(self, due: Due, **values: Any) -> None:
        with self._database.writing() as connection:
            held = (*_of(due.target, due.job, due.fence), marks.c.attempts == due.attempt)
            connection.execute(update(marks).where(*held).values(values))

    def _now(self, connection: Connection) -> float:
        """The time of day by the one clock that all servers share."""
        if self._database.is_sqlite:
            return self._clock.now().timestamp()
        return float(connection.execute(select(func.extract("epoch", func.clock_timestamp()))).scalar_one())


def _next(targets: Collection[str], now: float) -> Any:
    lease = and_(attempts.c.job_id == marks.c.job_id, attempts.c.fence == marks.c.fence)
    due = or_(marks.c.due_at <= now, marks.c.due_at > now + FARTHEST)
    over = attempts.c.outcome != NOT_ENDED
    wanted = or_(marks.c.outside == "", over, marks.c.until_at < now + RENEWED)
    columns = (marks, attempts.c.began_at, attempts.c.ended_at, attempts.c.outcome)
    found = select(*columns).join(attempts, lease).where(~marks.c.closed, marks.c.target.in_(targets), due, wanted)
    return found.order_by(marks.c.job_id, marks.c.fence, marks.c.target).limit(1)


def _of(target: str, job: str, fence: int) -> tuple[ColumnElement[bool], ...]:
    return marks.c.target == target, marks.c.job_id == number_of(job), marks.c.fence == fence


def _fresh(target: str, job: int, fence: int) -> dict[str, Any]:
    return {
        "target": target,
        "job_id": job,
        "fence": fence,
        "outside": "",
        "until_at": 0.0,
        "closed": False,
        "due_at": 0.0,
        "attempts": 0,
        "failures": 0,
        "reason": "",
    }


def _due(row: Row[Any], now: float) -> Due:
    ended = None if row.outcome == NOT_ENDED else (row.ended_at if row.ended_at is not None else now)
    return Due(
        target=row.target,
        job=str(row.job_id),
        fence=row.fence,
        begin=row.began_at,
        now=now,
        attempt=row.attempts + 1,
        ended=ended,
        outside=row.outside,
        failures=row.failures,
    )
