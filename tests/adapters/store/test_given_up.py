"""Workers that are given up, by one contract in memory, on SQLite and PostgreSQL: nothing they had is lost."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bisector.engine.job import JobState
from bisector.engine.queue import MOST_FAILURES, EntryState, Limits, WorkerKind
from bisector.errors import LeaseLost
from tests.adapters.store.conftest import POSTGRESQL
from tests.adapters.store.queues import FACT, PERSON, Rig, rig_on
from tests.helpers.asking import REQUEST


@pytest.fixture(params=["in_memory", "sqlite", POSTGRESQL])
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    with rig_on(request.param, request, tmp_path) as made:
        yield made


def test_what_is_written_with_a_lost_lease_changes_nothing(rig: Rig) -> None:
    job, first = rig.job(), rig.worker("p1")
    lease = rig.queue.claim(first)
    assert lease is not None
    old = rig.queue.store_of(lease)
    old.set_state(job, JobState.RUNNING)
    old.append(job, FACT)
    rig.fates.said["p1"] = False
    assert rig.reap() == (job,)
    attempts: list[Callable[[], None]] = [
        lambda: old.append(job, FACT),
        lambda: old.append_together(job, (FACT, FACT)),
        lambda: old.set_state(job, JobState.DONE, "late"),
    ]
    taken = None
    for moment in ("it waits", "another has it"):
        for attempt in attempts:
            with pytest.raises(LeaseLost):
                attempt()
        if moment == "it waits":
            taken = rig.queue.claim(rig.worker("p2"))
    assert taken is not None
    assert rig.store.facts(job) == [FACT]
    assert rig.state(job) is JobState.QUEUED
    rig.queue.store_of(taken).append(job, FACT)
    assert len(rig.store.facts(job)) == 2


def test_a_dead_process_of_this_machine_is_given_up_at_once_and_others_only_when_late(rig: Rig) -> None:
    rig.worker("dead", host="a")
    rig.worker("dead", host="b")
    rig.fates.said["dead"] = False
    rig.reap("a")
    assert [row.info.host for row in rig.queue.workers()] == ["b"]
    assert rig.fates.killed == ["dead"]


def test_a_late_worker_is_given_up_and_killed_and_never_comes_back(rig: Rig) -> None:
    rig.limits = Limits(lease=0.05)
    job, worker = rig.job(), rig.worker("stopped")
    assert rig.queue.claim(worker) is not None
    assert rig.queue.beat(worker)
    time.sleep(0.1)
    assert [row.late for row in rig.queue.workers()] == [True]
    assert rig.queue.beat(worker), "late, but nobody gave it up"
    time.sleep(0.1)
    assert rig.reap("b") == (job,)
    assert rig.fates.killed == [], "another machine's"
    assert rig.reap("a") == ()
    assert rig.fates.killed == ["stopped"]
    assert not rig.queue.beat(worker)
    assert rig.queue.claim(worker) is None


def test_a_worker_that_finds_itself_given_up_does_not_kill_itself(rig: Rig) -> None:
    rig.limits = Limits(lease=0.05)
    rig.worker("here")
    time.sleep(0.1)
    rig.reap("b")
    rig.reap("a")
    assert rig.fates.killed == []


def test_a_command_that_a_person_stopped_for_a_while_is_left_alone(rig: Rig) -> None:
    rig.limits = Limits(lease=0.05)
    job, person = rig.store.create(REQUEST), rig.worker("ctrl-z", kind=WorkerKind.PERSON)
    rig.queue.take(person, job)
    time.sleep(0.1)
    rig.fates.said["ctrl-z"] = True
    assert rig.reap() == ()
    assert rig.queue.beat(person)
    rig.queue.store_of(rig.queue.take(person, rig.store.create(REQUEST))).set_state("2", JobState.RUNNING)
    rig.fates.said["ctrl-z"] = False
    assert rig.reap() == ()
    assert rig.fates.killed == []
    assert rig.state("2") is JobState.PAUSED, "nobody goes on with what a person ended"
    assert rig.state(job) is JobState.QUEUED, "which was not begun"


def test_what_kills_worker_after_worker_is_left_to_a_person(rig: Rig) -> None:
    job = rig.job()
    for number in range(MOST_FAILURES + 1):
        assert rig.state(job) is JobState.QUEUED
        assert rig.queue.claim(rig.worker(f"p{number}")) is not None
        rig.fates.said[f"p{number}"] = False
        rig.reap()
    assert rig.state(job) is JobState.PAUSED
    entry = rig.queue.entry(job)
    assert entry is not None
    assert entry.state is EntryState.ENDED
    rig.queue.put_back(job, PERSON)
    assert rig.queue.claim(rig.worker()) is not None
