"""The database's server is lost and its standby takes over: the same worker goes on, by the same URL."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from bisector.adapters.store.database import Database
from bisector.adapters.store.tables import REVISION
from bisector.engine.job import JobState
from bisector.errors import StoreError
from bisector.formats.facts import fact_to_text
from tests.helpers.postgres import Server, pair, wait_until
from tests.helpers.workers import Service, assert_answered, samples

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("postgres")]


@pytest.fixture
def servers() -> Iterator[tuple[Server, Server]]:
    with pair() as both:
        yield both


@pytest.fixture
def service(servers: tuple[Server, Server], tmp_path: Path) -> Iterator[Service]:
    first, standby = servers
    database = first.fresh().rsplit("/", 1)[1]
    made = Service(tmp_path, first.url_with(standby, database))
    yield made
    made.close()


def texts(service: Service, job: str) -> list[str]:
    return [fact_to_text(fact) for fact in service.facts(job)]


def test_what_a_standby_has_as_well_is_there_when_it_takes_over(
    servers: tuple[Server, Server], service: Service
) -> None:
    first, standby = servers
    first.wait_for_standby()
    worker = service.worker()
    job = service.bisect()
    service.wait_for_samples(job, 10)
    kept = texts(service, job)
    first.kill()
    standby.promote()
    wait_until(standby.listeners, 120, "word of jobs to be listened for where it is sent from now on")
    wait_until(lambda: service.state_if_known(job) is JobState.DONE, 180, f"the answer: {service.log()}")
    assert texts(service, job)[: len(kept)] == kept, "no run was lost"
    assert_answered(service.facts(job))
    assert worker.poll() is None, service.log()
    assert "Traceback" not in service.log()


@pytest.mark.long
def test_a_standby_that_was_behind_gives_no_job_an_answer_from_runs_that_are_lost(
    servers: tuple[Server, Server], service: Service
) -> None:
    first, standby = servers
    worker = service.worker()
    job = service.bisect()
    service.wait_for_samples(job, 10)
    first.leave_standby_behind()
    behind = len(samples(service.facts(job)))
    service.wait_for_samples(job, behind + 5)
    lost = texts(service, job)
    first.kill()
    standby.promote()
    wait_until(lambda: service.state_if_known(job) is JobState.DONE, 180, f"the answer: {service.log()}")
    assert texts(service, job)[: len(lost)] != lost, "the standby was not behind: this shows nothing"
    # The job went on from what was there: each run that its answer rests on is, once.
    assert_answered(service.facts(job))
    assert worker.poll() is None, service.log()
    assert "Traceback" not in service.log()


def test_a_standby_is_told_from_a_damaged_database(servers: tuple[Server, Server]) -> None:
    first, standby = servers
    database = Database(standby.url(first.fresh().rsplit("/", 1)[1]))

    def followed() -> bool:
        with contextlib.suppress(StoreError):
            return database.revision() == REVISION
        return False

    wait_until(followed, 30, "the standby to have the schema")
    wanted = "can only be read .*target_session_attrs=read-write"
    with pytest.raises(StoreError, match=wanted), database.writing() as connection:
        connection.execute(text("UPDATE jobs SET sentence = 'x'"))
    database.close()
