"""The outbox in the database of the jobs."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, case, exists, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from bisector.adapters.store.database import Database
from bisector.adapters.store.sql_store import number_of
from bisector.adapters.store.tables import attempts, notify_targets, outbox, queue
from bisector.core.model.units import Seconds
from bisector.engine.job import JobState
from bisector.engine.notify import Claimed, Count, Fate, Message, Note
from bisector.engine.ports import Clock
from bisector.engine.queue import AT_TERMINAL

CLAIM: Seconds = 120.0
"""How long a sender may take for one message; after that it is believed to be lost."""
FARTHEST: Seconds = 25 * 3600.0
"""What is due later than this was put off by a clock that was set back since."""
LONGEST_REASON = 400
MOST_AT_ONCE = 100
OPEN = (Fate.WAITING, Fate.CLAIMED, Fate.SENDING)
CAME = (Fate.SENT, Fate.UNSURE, Fate.SKIPPED, Fate.REPEATED)


class SqlOutbox:
    """Implements `bisector.engine.notify.Outbox`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """`database` is shared with the jobs."""
        self._database = database
        self._clock = clock

    def open_for(self, targets: Collection[str]) -> None:
        """These are told of what ends from now on; one that is known already, since it was first named."""
        with self._database.reading() as connection:
            known = set(connection.execute(select(notify_targets.c.target)).scalars())
        for target in sorted(set(targets) - known):
            try:
                with self._database.writing() as connection:
                    row = {"target": target, "since": self._now(connection)}
                    connection.execute(insert(notify_targets).values(row))
            except IntegrityError:
                continue  # another server was faster

    def unnoted(self, targets: Collection[str]) -> list[tuple[str, str]]:
        """Jobs that ended, that no person asked for at a terminal, and the target for which they are not noted yet."""
        noted = exists().where(outbox.c.job_id == attempts.c.job_id, outbox.c.target == notify_targets.c.target)
        wanted = (
            select(attempts.c.job_id, notify_targets.c.target)
            .join(queue, queue.c.job_id == attempts.c.job_id)
            .join(notify_targets, notify_targets.c.since <= attempts.c.ended_at)
            .where(
                attempts.c.outcome == JobState.DONE,
                queue.c.asked_by != AT_TERMINAL,
                notify_targets.c.target.in_(targets),
                ~noted,
            )
            .order_by(attempts.c.ended_at, attempts.c.job_id, notify_targets.c.target)
            .limit(MOST_AT_ONCE)
        )
        with self._database.reading() as connection:
            return [(str(row.job_id), row.target) for row in connection.execute(wanted)]

    def note(self, notes: Collection[Note]) -> None:
        """Note messages; one that is noted already stays as it is."""
        for note in notes:
            try:
                with self._database.writing() as connection:
                    self._insert(connection, note)
            except IntegrityError:
                continue  # another server was faster

    def claim(self, targets: Collection[str], repeatable: Collection[str]) -> Claimed | None:
        """Take the next message that is due."""
        with self._database.writing() as connection:
            now = self._now(connection)
            _give_up_lost(connection, _over(now), repeatable)
            while True:
                row = connection.execute(_next(targets, _over(now))).one_or_none()
                if row is None:
                    return None
                if not _told_before(connection, row):
                    break
                _change(connection, row.id, fate=Fate.REPEATED, reason="")
            _change(connection, row.id, fate=Fate.CLAIMED, due_at=now + CLAIM, attempts=row.attempts + 1)
            return Claimed(
                row=row.id,
                job=str(row.job_id),
                target=row.target,
                subject=row.subject,
                attempt=row.attempts + 1,
                age=max(now - row.noted_at, 0.0),
            )

    def begin(self, claimed: Claimed) -> bool:
        """It is about to leave; False when another sender has it by now."""
        with self._database.writing() as connection:
            due = self._now(connection) + CLAIM
            mine = (*_held_by(claimed), outbox.c.fate == Fate.CLAIMED)
            changed = connection.execute(update(outbox).where(*mine).values(fate=Fate.SENDING, due_at=due))
            return changed.rowcount == 1

    def settle(self, claimed: Claimed, fate: Fate, reason: str = "", *, after: Seconds = 0.0) -> None:
        """What became of it. WAITING: to be tried again `after` so many seconds."""
        with self._database.writing() as connection:
            due = self._now(connection) + after
            mine = (*_held_by(claimed), outbox.c.fate.in_((Fate.CLAIMED, Fate.SENDING)))
            values = {"fate": fate, "reason": reason[:LONGEST_REASON], "due_at": due}
            connection.execute(update(outbox).where(*mine).values(values))

    def counts(self) -> list[Count]:
        """How the messages stand."""
        wanted = select(outbox.c.target, outbox.c.fate, func.count().label("n")).group_by(
            outbox.c.target, outbox.c.fate
        )
        with self._database.reading() as connection:
            return [Count(target=row.target, fate=Fate(row.fate), messages=row.n) for row in connection.execute(wanted)]

    def messages(self, most: int, fate: Fate | None = None) -> list[Message]:
        """The messages with that fate, or all: those that are still to leave first, then the newest."""
        done = case((outbox.c.fate.in_(OPEN), 0), else_=1)
        wanted = select(outbox).order_by(done, outbox.c.id.desc()).limit(most)
        if fate is not None:
            wanted = wanted.where(outbox.c.fate == fate)
        with self._database.reading() as connection:
            return [_message(row) for row in connection.execute(wanted)]

    def _insert(self, connection: Connection, note: Note) -> None:
        now = self._now(connection)
        values = {
            "job_id": number_of(note.job),
            "target": note.target,
            "subject": note.subject,
            "told": note.told,
            "fate": Fate.WAITING if note.wanted else Fate.SKIPPED,
            "noted_at": now,
            "due_at": now,
            "attempts": 0,
            "reason": "",
        }
        connection.execute(insert(outbox).values(values))

    def _now(self, connection: Connection) -> float:
        """The time of day by the one clock that all senders share: the server's, or that of the only machine."""
        if self._database.is_sqlite:
            return self._clock.now().timestamp()
        return float(connection.execute(select(func.extract("epoch", func.clock_timestamp()))).scalar_one())


def _message(row: Row[Any]) -> Message:
    return Message(
        job=str(row.job_id),
        target=row.target,
        fate=Fate(row.fate),
        noted=row.noted_at,
        due=row.due_at,
        attempts=row.attempts,
        reason=row.reason,
    )


def _over(now: float) -> ColumnElement[bool]:
    return or_(outbox.c.due_at <= now, outbox.c.due_at > now + FARTHEST)


def _give_up_lost(connection: Connection, over: ColumnElement[bool], repeatable: Collection[str]) -> None:
    """What was leaving when its sender was lost, to targets for which twice is not the same as once."""
    lost = (outbox.c.fate == Fate.SENDING, outbox.c.target.not_in(repeatable), over)
    reason = "the sender was lost while it told this"
    connection.execute(update(outbox).where(*lost).values(fate=Fate.UNSURE, reason=reason))


def _next(targets: Collection[str], over: ColumnElement[bool]) -> Any:
    """The oldest that is due. Messages about one subject go to a target one after the other, in their order."""
    before = outbox.alias("before")
    waits = exists().where(
        before.c.target == outbox.c.target,
        before.c.subject == outbox.c.subject,
        before.c.id < outbox.c.id,
        before.c.fate.in_(OPEN),
    )
    wanted = and_(outbox.c.fate.in_(OPEN), over, outbox.c.target.in_(targets), ~waits)
    return select(outbox).where(wanted).order_by(outbox.c.id).limit(1).with_for_update(skip_locked=True)


def _told_before(connection: Connection, row: Row[Any]) -> bool:
    """Whether the last answer about this that says something says the same."""
    wanted = (
        select(outbox.c.told)
        .where(
            outbox.c.target == row.target,
            outbox.c.subject == row.subject,
            outbox.c.id < row.id,
            outbox.c.fate.in_(CAME),
            outbox.c.told != "",
        )
        .order_by(outbox.c.id.desc())
        .limit(1)
    )
    return bool(row.told) and connection.execute(wanted).scalar_one_or_none() == row.told


def _held_by(claimed: Claimed) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return outbox.c.id == claimed.row, outbox.c.attempts == claimed.attempt


def _change(connection: Connection, number: int, **values: Any) -> None:
    connection.execute(update(outbox).where(outbox.c.id == number).values(values))
