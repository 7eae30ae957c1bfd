"""A database that is replaced, between two writes, by an older state of itself."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from bisector.adapters import durable
from bisector.adapters.clock import SystemClock
from bisector.adapters.store.database import Database, sqlite_url
from bisector.adapters.store.sql_queue import SqlQueue
from bisector.adapters.store.sql_store import SqlStore
from bisector.engine.job import JobState
from bisector.engine.queue import LeasedStore, Limits
from bisector.errors import StoreError
from tests.adapters.store.conftest import POSTGRESQL
from tests.adapters.store.queues import FACT, PERSON
from tests.helpers.asking import REQUEST, about_worker


@pytest.fixture(params=["sqlite", POSTGRESQL])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    here = request.param == "sqlite"
    url = sqlite_url(tmp_path / "b.sqlite3") if here else request.getfixturevalue("postgres").fresh()
    with closing(Database(url)) as made:
        yield made


def leased(database: Database) -> tuple[str, LeasedStore]:
    """A job under way, and the store of who has it."""
    queue = SqlQueue(database, SystemClock(), Limits())
    job = queue.enqueue(REQUEST, PERSON).job
    lease = queue.claim(queue.register(about_worker("p")))
    assert lease is not None
    store = queue.store_of(lease)
    store.set_state(job, JobState.RUNNING)
    return job, store


def test_a_fact_that_could_not_be_written_is_not_missed(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    job, store = leased(database)
    store.append(job, FACT)

    def full(place: str) -> None:
        if place == "before commit":
            raise StoreError("there is no space left")

    with monkeypatch.context() as patched:
        patched.setattr(durable, "passing", full)
        with pytest.raises(StoreError, match="no space"):
            store.append(job, FACT)
    store.append(job, FACT)
    store.set_state(job, JobState.DONE)
    assert store.facts(job) == [FACT, FACT]


def test_of_a_job_whose_facts_are_lost_nothing_more_is_written_by_who_knew_them(database: Database) -> None:
    job, store = leased(database)
    store.append_together(job, (FACT, FACT))
    store.append(job, FACT)
    with database.writing() as connection:
        connection.execute(text("DELETE FROM facts WHERE seq = 3"))
    attempts: list[Callable[[], None]] = [
        lambda: store.append(job, FACT),
        lambda: store.append_together(job, (FACT, FACT)),
        lambda: store.set_state(job, JobState.DONE, "from runs that are lost"),
    ]
    for attempt in attempts:
        with pytest.raises(StoreError, match="2 facts, and had more"):
            attempt()
    # It can be given back, and whoever takes it next goes on from what is there.
    store.set_state(job, JobState.QUEUED)
    queue = SqlQueue(database, SystemClock(), Limits())
    again = queue.claim(queue.register(about_worker("q")))
    assert again is not None
    queue.store_of(again).append(job, FACT)
    assert SqlStore(database, SystemClock()).facts(job) == [FACT, FACT, FACT]
