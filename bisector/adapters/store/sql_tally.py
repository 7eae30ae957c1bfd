"""Figures over all facts, for whoever asks every few seconds.

Facts are only ever added, and none to a job that is done: what was read of a job is kept as sums, and a job that is
done and read to its end is not looked at again. After a start there is everything to be read once, a part at each call
so that none takes long.
"""

import threading
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field

from sqlalchemy import func, select

from bisector.adapters.store.database import Database
from bisector.adapters.store.sql_store import text_of
from bisector.adapters.store.tables import LOST, attempts, facts, jobs
from bisector.core.model.facts import BuildRecorded
from bisector.core.model.samples import Outcome, Sample
from bisector.engine.job import JobState
from bisector.engine.records import Figures
from bisector.errors import StoreError
from bisector.formats.facts import fact_from_text

PAGE = 2_000
FACTS_AT_ONCE = 20_000
"""Facts that one call reads at most: about a second."""
LATE = 1_000
"""Jobs below the highest number that may still appear: numbers are given before their transaction is seen."""
KINDS = (Sample.__name__, BuildRecorded.__name__)


@dataclass
class _Sums:
    runs: Counter[Outcome] = field(default_factory=Counter)
    builds: Counter[Outcome] = field(default_factory=Counter)
    run_seconds: float = 0.0
    build_seconds: float = 0.0
    reused: int = 0

    def add(self, fact: object) -> None:
        """Count a run or a build."""
        if isinstance(fact, Sample):
            self.runs[fact.outcome] += 1
            self.run_seconds += fact.usage.wall if fact.usage is not None else 0.0
        elif isinstance(fact, BuildRecorded) and fact.build.reused:
            self.reused += 1
        elif isinstance(fact, BuildRecorded):
            self.builds[fact.build.outcome] += 1
            self.build_seconds += fact.build.seconds


@dataclass(frozen=True, kw_only=True)
class _Unread:
    job: int
    after: int
    last: int
    done: bool


class SqlTally:
    """Implements `bisector.engine.records.Tally`."""

    def __init__(self, database: Database) -> None:
        """Nothing is read yet."""
        self._database = database
        self._lock = threading.Lock()
        self._sums = _Sums()
        self._read: dict[int, int] = {}
        """Of each job that may get more facts, the last one that was read."""
        self._settled: set[int] = set()
        """Jobs that are done and read, as far as they may come up again."""
        self._highest = 0
        self._from = 0
        """The lowest number of a job that is looked at."""

    def figures(self) -> Figures | None:
        """The figures as they are; None as long as not everything there is was read once."""
        with self._lock:
            if not self._catch_up():
                return None
            return Figures(
                runs=dict(self._sums.runs),
                run_seconds=self._sums.run_seconds,
                builds=dict(self._sums.builds),
                builds_reused=self._sums.reused,
                build_seconds=self._sums.build_seconds,
                leases_lost=self._lost(),
            )

    def _catch_up(self) -> bool:
        left = FACTS_AT_ONCE
        found = self._unread()
        for unread in found:
            after = unread.after
            while after < unread.last:
                if left <= 0:
                    return False
                after, number = self._page(unread.job, after, unread.last)
                self._read[unread.job] = after
                left -= number
            if unread.done:
                self._read.pop(unread.job, None)
                self._settled.add(unread.job)
        self._highest = max([self._highest, *(unread.job for unread in found)])
        self._from = min([self._highest - LATE, *(unread.job for unread in found if not unread.done)])
        self._settled = {job for job in self._settled if job >= self._from}
        return True

    def _unread(self) -> list[_Unread]:
        last = select(func.max(facts.c.seq)).where(facts.c.job_id == jobs.c.id).scalar_subquery()
        wanted = select(jobs.c.id, jobs.c.state, last.label("last")).where(jobs.c.id >= self._from).order_by(jobs.c.id)
        with self._database.reading() as connection:
            rows = connection.execute(wanted).all()
        return [
            _Unread(job=row.id, after=self._read.get(row.id, 0), last=row.last or 0, done=row.state == JobState.DONE)
            for row in rows
            if row.id not in self._settled
        ]

    def _page(self, job: int, after: int, last: int) -> tuple[int, int]:
        """Read on in a job; up to where, and how many facts that were."""
        wanted = (
            select(facts.c.seq, facts.c.kind, facts.c.payload)
            .where(facts.c.job_id == job, facts.c.seq > after, facts.c.seq <= last, facts.c.kind.in_(KINDS))
            .order_by(facts.c.seq)
            .limit(PAGE)
        )
        with self._database.reading() as connection:
            rows = connection.execute(wanted).all()
        for row in rows:
            # One that cannot be read, of another version, must not take the figures away.
            with suppress(StoreError):
                self._sums.add(fact_from_text(row.kind, text_of(row.payload)))
        return (rows[-1].seq if len(rows) == PAGE else last), len(rows)

    def _lost(self) -> int:
        wanted = select(func.count()).select_from(attempts).where(attempts.c.outcome == LOST)
        with self._database.reading() as connection:
            return int(connection.execute(wanted).scalar_one())
