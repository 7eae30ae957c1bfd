"""Jobs and facts in a database."""

import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, Row, func, insert, select, update

from bisector.adapters.store.database import Database
from bisector.adapters.store.tables import builds, calibrations, facts, jobs
from bisector.core.model.builds import Build
from bisector.core.model.calibration import Calibration
from bisector.core.model.facts import Fact
from bisector.core.model.request import Request
from bisector.core.model.samples import Sample
from bisector.engine.job import JobRow, JobState, check_transition
from bisector.engine.ports import Clock
from bisector.errors import NoSuchJob
from bisector.formats.facts import fact_from_text, fact_to_text, kind_of, request_from_text, request_to_text

COMPRESS_FROM = 4096
"""Bytes of JSON from which a fact is kept compressed: only listed histories are that long."""
PARAMETERS_AT_ONCE = 500
LONGEST_METRIC = 200
_BUILD: TypeAdapter[Build] = TypeAdapter(Build)
_CALIBRATION: TypeAdapter[Calibration] = TypeAdapter(Calibration)


class SqlStore:
    """Implements `bisector.engine.ports.Store` on SQLite or PostgreSQL."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """The schema is checked, and on SQLite brought up to date, at the first use."""
        self._database = database
        self._clock = clock
        self._identities: dict[str, str] = {}

    def create(self, request: Request) -> str:
        """Make a job, queued; its id."""
        with self._database.writing() as connection:
            return str(insert_job(connection, request, self._now()))

    def job(self, job: str) -> JobRow:
        """One job; JobError when there is none."""
        with self._database.reading() as connection:
            row = connection.execute(job_rows().where(jobs.c.id == number_of(job))).one_or_none()
        if row is None:
            raise NoSuchJob(f"there is no job {job}", then="`bisector jobs list` shows those there are")
        return job_row(row)

    def jobs(
        self, most: int | None = None, *, state: JobState | None = None, before: str | None = None
    ) -> list[JobRow]:
        """All jobs, or so many of them, newest first: those in `state`, and older than the job `before`."""
        wanted = job_rows().order_by(jobs.c.id.desc()).limit(most)
        if state is not None:
            wanted = wanted.where(jobs.c.state == state)
        if before is not None:
            wanted = wanted.where(jobs.c.id < number_of(before))
        with self._database.reading() as connection:
            return [job_row(row) for row in connection.execute(wanted)]

    def tally(self) -> Mapping[JobState, int]:
        """How many jobs there are in each state that any is in."""
        with self._database.reading() as connection:
            rows = connection.execute(select(jobs.c.state, func.count()).group_by(jobs.c.state))
            return {JobState(state): number for state, number in rows}

    def set_state(self, job: str, state: JobState, sentence: str = "") -> None:
        """Move a job to `state`; InvalidTransition when its present state does not lead there."""
        with self._database.writing() as connection:
            self._guard(connection, job)
            move_job(connection, job, state, sentence)
            self._moved(connection, job, state)

    def append(self, job: str, fact: Fact) -> None:
        """Add a fact, durable on return."""
        self.append_together(job, (fact,))

    def append_together(self, job: str, facts: Sequence[Fact]) -> None:
        """Add facts in this order, all of them or none, durable on return."""
        written = [(fact, fact_to_text(fact).encode()) for fact in facts]
        with self._database.writing() as connection:
            self._guard(connection, job)
            for fact, text in written:
                self._insert(connection, job, fact, text)

    def _guard(self, connection: Connection, job: str) -> None:
        """Called in each transaction that writes to a job, before it does."""

    def _guard_builds(self, connection: Connection) -> None:
        """Called in each transaction that changes what is known of builds, before it does."""

    def _moved(self, connection: Connection, job: str, state: JobState) -> None:
        """Called in the transaction that moved a job to `state`."""

    def _insert(self, connection: Connection, job: str, fact: Fact, text: bytes) -> None:
        own_sample = isinstance(fact, Sample) and fact.counts and not fact.adopted_from
        connection.execute(
            insert(facts).values(
                job_id=number_of(job),
                seq=self._next_seq(connection, job),
                recorded_at=self._now(),
                kind=kind_of(fact),
                payload=zlib.compress(text) if len(text) >= COMPRESS_FROM else text,
                build=fact.build if isinstance(fact, Sample) and own_sample else None,
                identity=self._identity(connection, job) if own_sample else None,
                host=fact.host if isinstance(fact, Sample) and own_sample else None,
            )
        )

    def _next_seq(self, connection: Connection, job: str) -> int:
        last = connection.execute(select(func.max(facts.c.seq)).where(facts.c.job_id == number_of(job))).scalar()
        return int(last or 0) + 1

    def facts(self, job: str) -> list[Fact]:
        """The facts of a job in their order."""
        wanted = select(facts.c.kind, facts.c.payload).where(facts.c.job_id == number_of(job)).order_by(facts.c.seq)
        with self._database.reading() as connection:
            return [fact_from_text(row.kind, text_of(row.payload)) for row in connection.execute(wanted)]

    def known_builds(self, keys: Iterable[str]) -> Mapping[str, Build]:
        """What earlier jobs know of builds with these keys, failures included."""
        found: dict[str, Build] = {}
        with self._database.reading() as connection:
            for some in _batches(keys):
                rows = connection.execute(select(builds.c.payload).where(builds.c.key.in_(some)))
                found.update((build.key, build) for build in (_BUILD.validate_json(row.payload) for row in rows))
        return found

    def remember_build(self, build: Build) -> None:
        """Keep what came of a build for later jobs, or note that it was used again."""
        now = self._now()
        with self._database.writing() as connection:
            self._guard_builds(connection)
            row = {"payload": _BUILD.dump_json(build).decode(), "used_at": now}
            touched = connection.execute(update(builds).where(builds.c.key == build.key).values(row))
            if touched.rowcount == 0:
                connection.execute(insert(builds).values(key=build.key, made_at=now, **row))

    def forget_build(self, key: str) -> None:
        """Drop what is known of a build that is no longer at hand."""
        with self._database.writing() as connection:
            self._guard_builds(connection)
            connection.execute(builds.delete().where(builds.c.key == key))

    def builds(self) -> list[tuple[Build, float]]:
        """Every build known, with when it was last used (seconds since the epoch), the longest unused first."""
        with self._database.reading() as connection:
            rows = connection.execute(select(builds.c.payload, builds.c.used_at).order_by(builds.c.used_at))
            return [(_BUILD.validate_json(row.payload), row.used_at) for row in rows]

    def samples_of(self, builds: Iterable[str], identity: str, host: str) -> Mapping[str, list[Sample]]:
        """Samples (by job) that other jobs took of these builds with these run settings on this host."""
        found: dict[str, list[Sample]] = {}
        with self._database.reading() as connection:
            for some in _batches(builds):
                wanted = (
                    select(facts.c.job_id, facts.c.kind, facts.c.payload)
                    .where(facts.c.identity == identity, facts.c.host == host, facts.c.build.in_(some))
                    .order_by(facts.c.job_id, facts.c.seq)
                )
                for row in connection.execute(wanted):
                    sample = fact_from_text(row.kind, text_of(row.payload))
                    if isinstance(sample, Sample):
                        found.setdefault(str(row.job_id), []).append(sample)
        return found

    def keep_calibration(self, identity: str, host: str, calibration: Calibration) -> None:
        """Keep what is known of a metric's noise with these run settings on this host, in place of what was known."""
        key = {"identity": identity, "host": host, "metric": calibration.metric[:LONGEST_METRIC]}
        row = {"payload": _CALIBRATION.dump_json(calibration).decode(), "made_at": self._now()}
        with self._database.writing() as connection:
            if connection.execute(update(calibrations).filter_by(**key).values(row)).rowcount == 0:
                connection.execute(insert(calibrations).values(**key, **row))

    def calibration(self, identity: str, host: str, metric: str) -> Calibration | None:
        """What is known of a metric's noise with these run settings on this host; None when nothing is."""
        key = {"identity": identity, "host": host, "metric": metric[:LONGEST_METRIC]}
        with self._database.reading() as connection:
            payload = connection.execute(select(calibrations.c.payload).filter_by(**key)).scalar()
        return None if payload is None else _CALIBRATION.validate_json(payload)

    def request_cancel(self, job: str) -> None:
        """Ask whoever works on the job to stop."""
        with self._database.writing() as connection:
            connection.execute(update(jobs).where(jobs.c.id == number_of(job)).values(cancel_requested=True))

    def cancel_requested(self, job: str) -> bool:
        """Whether somebody asked for the job to be stopped."""
        with self._database.reading() as connection:
            found = connection.execute(select(jobs.c.cancel_requested).where(jobs.c.id == number_of(job)))
            return bool(found.scalar())

    def _now(self) -> float:
        return self._clock.now().timestamp()

    def _identity(self, connection: Connection, job: str) -> str:
        """The digest of the job's run settings; a request never changes, so it is computed once."""
        if job not in self._identities:
            text = connection.execute(select(jobs.c.request).where(jobs.c.id == number_of(job))).scalar_one()
            self._identities[job] = request_from_text(text).sampling_identity()
        return self._identities[job]


def insert_job(connection: Connection, request: Request, now: float) -> int:
    """Make a job, queued; its number."""
    values = {
        "created_at": now,
        "state": JobState.QUEUED,
        "request": request_to_text(request),
        "sentence": "",
        "cancel_requested": False,
    }
    return int(connection.execute(insert(jobs).values(values).returning(jobs.c.id)).scalar_one())


def move_job(connection: Connection, job: str, state: JobState, sentence: str = "") -> None:
    """Move a job to `state`; InvalidTransition when its present state does not lead there."""
    present = connection.execute(select(jobs.c.state).where(jobs.c.id == number_of(job))).scalar_one()
    before = JobState(present)
    check_transition(job, before, state)
    values: dict[str, Any] = {"state": state}
    if sentence:
        values["sentence"] = sentence
    if before in {JobState.PAUSED, JobState.CANCELLED} and state in {JobState.RUNNING, JobState.QUEUED}:
        # Only going on with what was stopped takes the wish back: one made since a worker took the job must stand.
        values["cancel_requested"] = False
    connection.execute(update(jobs).where(jobs.c.id == number_of(job)).values(values))


def number_of(job: str) -> int:
    """The key of a job; JobError for what is no job's number."""
    if not job.isdecimal() or len(job) > 15:
        raise NoSuchJob(f"not the number of a job: {job[:40]!r}", then="`bisector jobs list` shows those there are")
    return int(job)


def job_rows() -> Any:
    """What `job_row` is made from."""
    count = select(func.count()).where(facts.c.job_id == jobs.c.id).correlate(jobs).scalar_subquery()
    return select(jobs, count.label("facts"))


def job_row(row: Row[Any]) -> JobRow:
    """A job as its row tells it."""
    return JobRow(
        job=str(row.id),
        state=JobState(row.state),
        request=request_from_text(row.request),
        created=datetime.fromtimestamp(row.created_at, UTC),
        sentence=row.sentence,
        facts=row.facts,
    )


def text_of(payload: bytes) -> str:
    """The JSON text of a fact as it is kept."""
    return (payload if payload[:1] == b"{" else zlib.decompress(payload)).decode()


def _batches(keys: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(dict.fromkeys(keys))
    while some := list(islice(rest, PARAMETERS_AT_ONCE)):
        yield some
