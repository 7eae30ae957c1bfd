"""Commands in comments, in the database of the jobs."""

from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from bisector.adapters.store.database import Database
from bisector.adapters.store.sql_store import number_of
from bisector.adapters.store.tables import commands, jobs, queue
from bisector.core.model.units import Seconds
from bisector.engine.commands import Noted, Taken, asked_by
from bisector.engine.ports import Clock
from bisector.formats.alerts.comments import Comment

CLAIM: Seconds = 120.0
"""How long a server may take for one comment; after that it is believed to be lost."""
FARTHEST: Seconds = 25 * 3600.0
"""What is due later than this was put off by a clock that was set back since."""
LONGEST_REASON = 400


class SqlCommands:
    """Implements `bisector.engine.commands.Commands`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """`database` is shared with the jobs."""
        self._database = database
        self._clock = clock

    def note(self, noted: Noted) -> bool:
        """Note a comment; False for one that is noted already."""
        comment = noted.comment
        try:
            with self._database.writing() as connection:
                now = self._now(connection)
                values = {
                    "repository": noted.repository,
                    "forge_name": comment.repository,
                    "issue": comment.issue,
                    "pull_request": comment.pull_request,
                    "comment": comment.comment,
                    "login": comment.login,
                    "user_id": comment.user,
                    "written_at": comment.written,
                    "line": comment.line,
                    "job_id": None,
                    "answer": None,
                    "shown": "",
                    "closed": False,
                    "noted_at": now,
                    "due_at": now,
                    "attempts": 0,
                    "failures": 0,
                    "reason": "",
                }
                connection.execute(insert(commands).values(values))
        except IntegrityError:
            return False
        return True

    def claim(self) -> Taken | None:
        """Take the next one that is new, or whose job is no longer as our answer says."""
        with self._database.reading() as connection:
            # Most of the time there is nothing, and looking must not cost a write.
            if connection.execute(_next(self._now(connection))).first() is None:
                return None
        with self._database.writing() as connection:
            now = self._now(connection)
            row = connection.execute(_next(now).with_for_update(skip_locked=True, of=commands)).one_or_none()
            if row is None:
                return None
            job = row.job_id if row.job_id is not None or not row.attempts else _made_for(connection, row)
            values = {"due_at": now + CLAIM, "attempts": row.attempts + 1, "job_id": job}
            connection.execute(update(commands).where(commands.c.id == row.id).values(values))
            return _taken(row, job)

    def follow(self, taken: Taken, job: str) -> bool:
        """A job came of it, whose answer is to be shown; False when another server has it by now."""
        return self._change(taken, job_id=number_of(job))

    def still_ours(self, taken: Taken) -> bool:
        """Right before something leaves: False when another server has it by now."""
        with self._database.writing() as connection:
            due = self._now(connection) + CLAIM
            return connection.execute(update(commands).where(*_held_by(taken)).values(due_at=due)).rowcount == 1

    def shown(self, taken: Taken, state: str, answer: int, *, last: bool) -> None:
        """Our answer speaks of the job in `state` now; the `last` one that there will be."""
        self._change(taken, shown=state, answer=answer, closed=last, failures=0, reason="", due_at=0.0)

    def close(self, taken: Taken, reason: str) -> None:
        """Nothing more is done on it."""
        self._change(taken, closed=True, reason=reason[:LONGEST_REASON])

    def put_off(self, taken: Taken, reason: str, after: Seconds) -> None:
        """It could not be done: to be tried again."""
        with self._database.writing() as connection:
            due = self._now(connection) + after
            values = {"failures": taken.failures + 1, "reason": reason[:LONGEST_REASON], "due_at": due}
            connection.execute(update(commands).where(*_held_by(taken)).values(values))

    def _change(self, taken: Taken, **values: Any) -> bool:
        with self._database.writing() as connection:
            return connection.execute(update(commands).where(*_held_by(taken)).values(values)).rowcount == 1

    def _now(self, connection: Connection) -> float:
        """The time of day by the one clock that all servers share."""
        if self._database.is_sqlite:
            return self._clock.now().timestamp()
        return float(connection.execute(select(func.extract("epoch", func.clock_timestamp()))).scalar_one())


def _made_for(connection: Connection, row: Row[Any]) -> int | None:
    """The job that was queued for a comment by a server that died before it could note so."""
    wanted = select(queue.c.job_id).where(queue.c.asked_by == asked_by(_noted(row)))
    return connection.execute(wanted.order_by(queue.c.job_id).limit(1)).scalar_one_or_none()


def _next(now: float) -> Any:
    due = or_(commands.c.due_at <= now, commands.c.due_at > now + FARTHEST)
    changed = or_(commands.c.job_id.is_(None), jobs.c.state != commands.c.shown)
    joined = commands.outerjoin(jobs, jobs.c.id == commands.c.job_id)
    wanted = select(commands).select_from(joined).where(~commands.c.closed, due, changed)
    return wanted.order_by(commands.c.id).limit(1)


def _held_by(taken: Taken) -> tuple[ColumnElement[bool], ...]:
    return commands.c.id == taken.row, commands.c.attempts == taken.attempt, ~commands.c.closed


def _noted(row: Row[Any]) -> Noted:
    comment = Comment(
        repository=row.forge_name,
        issue=row.issue,
        pull_request=row.pull_request,
        comment=row.comment,
        login=row.login,
        user=row.user_id,
        written=row.written_at,
        line=row.line,
    )
    return Noted(repository=row.repository, comment=comment)


def _taken(row: Row[Any], job: int | None) -> Taken:
    return Taken(
        row=row.id,
        noted=_noted(row),
        attempt=row.attempts + 1,
        failures=row.failures,
        job="" if job is None else str(job),
        answer=row.answer,
    )
