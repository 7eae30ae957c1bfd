"""One contract for alerts that join jobs on every database."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from bisector.adapters.clock import SystemClock
from bisector.adapters.store.database import Database
from bisector.adapters.store.sql_joins import SqlJoins
from bisector.adapters.store.sql_queue import SqlQueue
from bisector.adapters.store.sql_store import SqlStore
from bisector.engine.job import JobState
from bisector.engine.joins import JoinFate
from bisector.engine.queue import Limits, Order, Priority
from tests.helpers.asking import REQUEST

ALERT = Order(priority=Priority.ALERT, asked_by="grafana ✓", dedup="question")


class Rig:
    """Jobs, and who joined them."""

    def __init__(self, url: str) -> None:
        self.database = Database(url)
        self.joins = SqlJoins(self.database, SystemClock())
        self.store = SqlStore(self.database, SystemClock())
        self.queue = SqlQueue(self.database, SystemClock(), Limits())

    def job(self, **changed: object) -> str:
        return self.queue.enqueue(REQUEST, replace(Order(priority=Priority.ALERT), **changed)).job  # type: ignore[arg-type]


@pytest.fixture
def rig(url: str) -> Iterator[Rig]:
    made = Rig(url)
    yield made
    made.database.close()


def test_an_alert_joins_once_and_comes_back_as_it_was(rig: Rig) -> None:
    job = rig.job()
    assert rig.joins.join(job, REQUEST, ALERT)
    assert rig.joins.join(job, REQUEST, replace(ALERT, asked_by="another"))
    (joined,) = rig.joins.of(job)
    assert (joined.job, joined.request, joined.order, joined.fate) == (job, REQUEST, ALERT, JoinFate.WAITING)


def test_only_a_job_that_waits_is_joined_and_none_beside_one_that_asks_the_same(rig: Rig) -> None:
    cancelled, other = rig.job(), rig.job()
    rig.queue.cancel(cancelled)
    assert not rig.joins.join(cancelled, REQUEST, ALERT)
    rig.job(dedup="question")
    assert rig.joins.waiting_like(REQUEST, ALERT) == []
    assert not rig.joins.join(other, REQUEST, ALERT)
    assert rig.joins.of(cancelled) == rig.joins.of(other) == ()


def test_which_jobs_may_be_joined(rig: Rig) -> None:
    alert, person = rig.job(), rig.job(priority=Priority.PERSON)
    rig.job(priority=Priority.SWEEP)
    rig.job(host_class="other")
    rig.queue.enqueue(replace(REQUEST, repository="/elsewhere"), Order())
    assert [job for job, _ in rig.joins.waiting_like(REQUEST, ALERT)] == [person, alert]
    assert [request for _, request in rig.joins.waiting_like(REQUEST, ALERT)] == [REQUEST, REQUEST]


def test_what_is_to_be_settled_and_is_settled_once(rig: Rig) -> None:
    job = rig.job()
    rig.joins.join(job, REQUEST, ALERT)
    assert rig.joins.to_settle() == ()
    rig.store.set_state(job, JobState.RUNNING)
    assert rig.joins.to_settle() == ()
    rig.store.set_state(job, JobState.DONE)
    assert rig.joins.to_settle() == (job,)
    (joined,) = rig.joins.of(job)
    own = rig.job()
    rig.joins.settle(joined, JoinFate.OWN, own=own)
    rig.joins.settle(joined, JoinFate.ANSWERED, said="late")
    (joined,) = rig.joins.of(job)
    assert (joined.fate, joined.own, joined.said) == (JoinFate.OWN, own, "")
    assert rig.joins.to_settle() == ()
