"""One contract for every store: in memory, SQLite and PostgreSQL."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bisector.adapters.clock import SystemClock
from bisector.adapters.in_memory.machine import SimulatedClock
from bisector.adapters.in_memory.store import InMemoryStore
from bisector.adapters.store.database import Database, journal_mode, sqlite_url
from bisector.adapters.store.sql_store import SqlStore
from bisector.core.model.builds import Build
from bisector.core.model.facts import EnvironmentSeen, Fact, HistoryListed
from bisector.core.model.history import main
from bisector.core.model.samples import Outcome, Purpose, Sample, Usage
from bisector.engine.job import JobState
from bisector.engine.ports import Store
from bisector.errors import InvalidTransition, JobError, StoreError, UsageError
from tests.adapters.store.conftest import POSTGRESQL
from tests.helpers.asking import REQUEST
from tests.helpers.lines import line


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(sqlite_url(tmp_path / "state" / "bisector.sqlite3"))
    yield opened
    opened.close()


@pytest.fixture(params=["in_memory", "sqlite", POSTGRESQL])
def store(request: pytest.FixtureRequest, database: Database) -> Iterator[Store]:
    if request.param == "in_memory":
        yield InMemoryStore(SimulatedClock())
        return
    if request.param == "sqlite":
        yield SqlStore(database, SystemClock())
        return
    opened = Database(request.getfixturevalue("postgres").fresh())
    yield SqlStore(opened, SystemClock())
    opened.close()


def sample(build: str, *, order: int = 0, host: str = "h", value: float = 1.0) -> Sample:
    return Sample(
        place=main(1),
        build=build,
        purpose=Purpose.SEARCH,
        outcome=Outcome.OK,
        values={"wall": value},
        usage=Usage(wall=value, cpu=value, peak_memory=1),
        step=1,
        order=order,
        clock=0.0,
        host=host,
    )


def test_jobs_are_listed_newest_first(store: Store) -> None:
    first, second = store.create(REQUEST), store.create(REQUEST)
    assert [row.job for row in store.jobs()] == [second, first]
    assert store.job(first).request == REQUEST
    assert store.job(first).state is JobState.QUEUED


@pytest.mark.parametrize("job", ["99", "x", "-1", "1; DROP TABLE jobs", "9" * 400])
def test_a_job_that_is_not_there_is_said_so(store: Store, job: str) -> None:
    with pytest.raises(JobError):
        store.job(job)


def test_facts_come_back_as_they_were_in_their_order(store: Store) -> None:
    job = store.create(REQUEST)
    facts: list[Fact] = [
        EnvironmentSeen(host="h", toolchain="t", details={"kernel": "6 é \x1b"}),
        HistoryListed(line=line(300)),
        sample("k"),
        replace(sample("k", order=1), outcome=Outcome.TIMEOUT, values={}, usage=None, reason="too slow"),
    ]
    for fact in facts:
        store.append(job, fact)
    assert store.facts(job) == facts
    assert store.job(job).facts == len(facts)


def test_facts_of_two_jobs_do_not_mix(store: Store) -> None:
    first, second = store.create(REQUEST), store.create(REQUEST)
    store.append(first, sample("a"))
    store.append(second, sample("b"))
    assert store.facts(first) == [sample("a")]


def test_states_follow_the_table(store: Store) -> None:
    job = store.create(REQUEST)
    with pytest.raises(InvalidTransition):
        store.set_state(job, JobState.DONE)
    store.set_state(job, JobState.RUNNING)
    store.set_state(job, JobState.DONE, "The answer.")
    assert store.job(job).sentence == "The answer."
    with pytest.raises(InvalidTransition):
        store.set_state(job, JobState.RUNNING)


def test_a_build_is_remembered_until_it_is_forgotten(store: Store) -> None:
    made = Build(key="k1", outcome=Outcome.OK, handle="image", content="c", seconds=3.0)
    failed = Build(key="k2", outcome=Outcome.BUILD_FAILED, reason="no", log="/log")
    store.remember_build(made)
    store.remember_build(failed)
    assert store.known_builds(["k1", "k2", "k3"]) == {"k1": made, "k2": failed}
    store.forget_build("k1")
    assert store.known_builds(["k1"]) == {}


def test_samples_are_found_by_build_settings_and_host(store: Store) -> None:
    job = store.create(REQUEST)
    store.append(job, sample("a", order=0))
    store.append(job, sample("a", order=1, host="other"))
    store.append(job, sample("b", order=2))
    store.append(job, replace(sample("a", order=3), purpose=Purpose.WARMUP))
    store.append(job, replace(sample("a", order=4), adopted_from="7"))
    store.append(job, replace(sample("a", order=5), outcome=Outcome.TIMEOUT, values={}))
    identity = REQUEST.sampling_identity()
    assert store.samples_of(["a"], identity, "h") == {job: [sample("a", order=0)]}
    assert store.samples_of(["a"], "another identity", "h") == {}


def test_cancelling_is_asked_for_and_forgotten_when_the_job_is_gone_on_with(store: Store) -> None:
    job = store.create(REQUEST)
    assert not store.cancel_requested(job)
    store.request_cancel(job)
    assert store.cancel_requested(job)
    store.set_state(job, JobState.RUNNING)
    assert store.cancel_requested(job), "a wish from before the work began stands"
    store.set_state(job, JobState.CANCELLED)
    store.set_state(job, JobState.RUNNING)
    assert not store.cancel_requested(job)


def test_the_newest_jobs_and_how_many_are_in_each_state(store: Store) -> None:
    made = [store.create(REQUEST) for _ in range(4)]
    store.set_state(made[1], JobState.RUNNING)
    assert [row.job for row in store.jobs()] == made[::-1]
    assert [row.job for row in store.jobs(2)] == [made[3], made[2]]
    assert [row.job for row in store.jobs(2, state=JobState.QUEUED)] == [made[3], made[2]]
    assert [row.job for row in store.jobs(1, before=made[2])] == [made[1]]
    assert [row.job for row in store.jobs(state=JobState.QUEUED, before=made[2])] == [made[0]]
    assert dict(store.tally()) == {JobState.QUEUED: 3, JobState.RUNNING: 1}


def test_thousands_of_keys_can_be_asked_for(store: Store) -> None:
    store.remember_build(Build(key="k2999", outcome=Outcome.OK))
    assert set(store.known_builds(f"k{i}" for i in range(3000))) == {"k2999"}


def test_the_journal_is_safe_with_this_library() -> None:
    assert journal_mode((3, 40, 1)) == "truncate"
    assert journal_mode((3, 50, 7)) == "wal"
    assert journal_mode((3, 51, 2)) == "truncate"
    assert journal_mode((3, 51, 3)) == "wal"
    assert journal_mode((3, 53, 0)) == "wal"


def test_a_writing_transaction_holds_the_lock_from_its_start(database: Database) -> None:
    """Without it two processes that read first and then write both believe they were alone."""
    SqlStore(database, SystemClock()).create(REQUEST)
    with database.writing():
        other = sqlite3.connect(database.where, timeout=0)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        other.close()


def test_a_reading_transaction_does_not_keep_others_from_writing(database: Database) -> None:
    SqlStore(database, SystemClock()).create(REQUEST)
    with database.reading():
        other = sqlite3.connect(database.where, timeout=0)
        other.execute("BEGIN IMMEDIATE")
        other.rollback()
        other.close()


def test_a_database_of_a_newer_version_is_refused(database: Database) -> None:
    SqlStore(database, SystemClock()).create(REQUEST)
    with sqlite3.connect(database.where) as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    raw.close()
    reopened = Database(sqlite_url(Path(database.where)))
    with pytest.raises(StoreError, match=r"newer version.*9999") as raised:
        SqlStore(reopened, SystemClock()).jobs()
    assert "Upgrade bisector" in str(raised.value)
    reopened.close()


def test_a_file_that_is_no_database_is_said_so(tmp_path: Path) -> None:
    path = tmp_path / "bisector.sqlite3"
    path.write_bytes(b"not a database" * 1000)
    broken = Database(sqlite_url(path))
    with pytest.raises(StoreError, match="cannot be used"):
        SqlStore(broken, SystemClock()).jobs()
    broken.close()


def test_a_wrong_url_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="not a usable database URL"):
        Database("nonsense://")


def test_the_schema_built_by_migrations_is_the_one_in_the_code(database: Database) -> None:
    from bisector.adapters.store.migrate import differences

    SqlStore(database, SystemClock()).jobs()
    with database.reading() as connection:
        assert differences(connection) == []


def test_the_newest_migration_is_the_revision_in_the_code() -> None:
    from alembic.script import ScriptDirectory

    from bisector.adapters.store.migrate import SCRIPTS
    from bisector.adapters.store.tables import REVISION, REVISIONS

    scripts = ScriptDirectory(str(SCRIPTS))
    assert scripts.get_current_head() == REVISION
    assert {script.revision for script in scripts.walk_revisions()} == set(REVISIONS)


def test_facts_kept_together_are_all_kept_or_none(store: Store) -> None:
    job = store.create(REQUEST)
    pair = [replace(sample("k", order=order), partner=order ^ 1, lane=order) for order in (0, 1)]
    store.append_together(job, pair)
    assert store.facts(job) == pair
    unwritable = replace(sample("k", order=3), values={"wall": object()})  # type: ignore[dict-item]
    with pytest.raises(Exception, match="serialize"):
        store.append_together(job, [sample("k", order=2), unwritable])
    assert store.facts(job) == pair
