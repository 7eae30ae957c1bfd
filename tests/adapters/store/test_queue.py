"""One contract for the queue: in memory, SQLite and PostgreSQL."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bisector.core.model.builds import Build
from bisector.core.model.samples import Outcome
from bisector.engine.job import JobState
from bisector.engine.queue import Cancelling, EntryState, Limits, Order, Priority, WorkerKind, dedup_key
from bisector.errors import JobError, LeaseLost, QueueFull
from tests.adapters.store.conftest import POSTGRESQL
from tests.adapters.store.queues import ALERT, FACT, OTHER, PERSON, SWEEP, Rig, rig_on
from tests.helpers.asking import REQUEST
from tests.helpers.lines import name


@pytest.fixture(params=["in_memory", "sqlite", POSTGRESQL])
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    with rig_on(request.param, request, tmp_path) as made:
        yield made


def test_a_job_is_made_and_queued(rig: Rig) -> None:
    made = rig.queue.enqueue(REQUEST, replace(ALERT, asked_by="alertmanager"))
    assert made.new
    entry = rig.queue.entry(made.job)
    assert entry is not None
    assert (entry.state, entry.order.asked_by, rig.state(made.job)) == (
        EntryState.WAITING,
        "alertmanager",
        JobState.QUEUED,
    )
    assert [(depth.priority, depth.waiting, depth.leased) for depth in rig.queue.depth()] == [(Priority.ALERT, 1, 0)]


def test_equal_questions_are_one_job_until_it_has_ended(rig: Rig) -> None:
    keyed = replace(PERSON, dedup=dedup_key(REQUEST))
    first = rig.queue.enqueue(REQUEST, keyed)
    again = rig.queue.enqueue(replace(REQUEST, good_text="v1.0"), replace(keyed, dedup=dedup_key(REQUEST)))
    assert (again.job, again.new) == (first.job, False)
    rig.queue.cancel(first.job)
    assert rig.queue.enqueue(REQUEST, keyed).new


def test_the_key_is_of_what_is_asked() -> None:
    assert dedup_key(REQUEST) == dedup_key(replace(REQUEST, good_text="v1.0", bad_text="main"))
    assert dedup_key(REQUEST) != dedup_key(replace(REQUEST, bad=name(3)))
    assert dedup_key(REQUEST) != dedup_key(OTHER)


def test_people_go_before_alerts_before_sweeps_and_the_older_first(rig: Rig) -> None:
    jobs = [rig.job(order) for order in (SWEEP, ALERT, PERSON, ALERT, PERSON)]
    worker = rig.worker()
    taken = [lease.job for lease in iter(lambda: rig.queue.claim(worker), None)]
    assert taken == [jobs[2], jobs[4], jobs[1], jobs[3], jobs[0]]


def test_a_job_is_taken_once(rig: Rig) -> None:
    job, first, second = rig.job(), rig.worker(), rig.worker(host="b")
    lease = rig.queue.claim(first)
    assert lease is not None
    assert (lease.job, lease.fence, lease.attempt) == (job, 1, 1)
    assert rig.queue.claim(second) is None
    assert rig.queue.claim(second, job) is None
    assert [row.jobs for row in rig.queue.workers()] == [(job,), ()]


def test_a_worker_takes_only_what_its_host_may_measure(rig: Rig) -> None:
    job, worker = rig.job(Order(host_class="big")), rig.worker()
    assert not rig.queue.wanted(worker)
    assert rig.queue.claim(worker) is None
    lease = rig.queue.claim(rig.worker(host_class="big"))
    assert lease is not None
    assert lease.job == job


def test_a_job_stays_with_its_host_while_a_worker_of_it_lives(rig: Rig) -> None:
    rig.job()
    here, there = rig.worker("p1"), rig.worker("p2", host="b")
    lease = rig.queue.claim(here)
    assert lease is not None
    store = rig.queue.store_of(lease)
    store.set_state(lease.job, JobState.RUNNING)
    store.set_state(lease.job, JobState.QUEUED)
    assert rig.queue.claim(there) is None
    rig.queue.leave(here)
    taken = rig.queue.claim(there)
    assert taken is not None
    assert (taken.job, taken.fence) == (lease.job, 2)


def test_what_comes_next_can_be_seen_without_taking_it(rig: Rig) -> None:
    jobs = [rig.job(order) for order in (SWEEP, PERSON, ALERT, Order(host_class="big"))]
    worker = rig.worker()
    assert rig.queue.upcoming(worker, 9) == [jobs[1], jobs[2], jobs[0]]
    assert rig.queue.upcoming(worker, 2) == [jobs[1], jobs[2]]
    assert [rig.queue.entry(job).attempt for job in jobs] == [0] * 4  # type: ignore[union-attr]
    assert rig.queue.claim(worker) is not None
    assert rig.queue.upcoming(worker, 9) == [jobs[2], jobs[0]]
    rig.fates.said["p"] = False
    rig.reap()
    assert rig.queue.upcoming(worker, 9) == []


def test_build_slots_write_builds_as_long_as_their_worker_is_there_and_never_to_a_job(rig: Rig) -> None:
    job, worker = rig.job(), rig.worker("p1")
    slots, build = rig.queue.builds_of(worker), Build(key="k", outcome=Outcome.OK, handle="h")
    slots.remember_build(build)
    assert rig.store.known_builds(["k"]) == {"k": build}
    attempts: list[Callable[[], None]] = [
        lambda: slots.append(job, FACT),
        lambda: slots.append_together(job, (FACT,)),
        lambda: slots.set_state(job, JobState.RUNNING),
    ]
    for attempt in attempts:
        with pytest.raises(LeaseLost):
            attempt()
    assert (rig.store.facts(job), rig.state(job)) == ([], JobState.QUEUED)
    rig.fates.said["p1"] = False
    rig.reap()
    rig.worker("p2")
    with pytest.raises(LeaseLost):
        slots.remember_build(replace(build, key="late"))
    with pytest.raises(LeaseLost):
        slots.forget_build("k")
    assert set(rig.store.known_builds(["k", "late"])) == {"k"}


def test_of_one_repository_no_more_at_once_than_may(rig: Rig) -> None:
    rig.limits = Limits(per_repository=1)
    rig.job()
    rig.job()
    other = rig.job(SWEEP, OTHER)
    worker = rig.worker()
    first, second = rig.queue.claim(worker), rig.queue.claim(worker)
    assert first is not None
    assert second is not None
    assert second.job == other
    assert rig.queue.claim(worker) is None
    # The cap counts the job in hand; making room for another of its repository must not fail for that.
    rig.job(PERSON, OTHER)
    assert rig.queue.wanted(worker, second)


def test_a_person_takes_a_job_by_its_number_unless_somebody_has_it(rig: Rig) -> None:
    job, person = rig.job(), rig.worker(kind=WorkerKind.PERSON)
    rig.queue.take(person, job)
    with pytest.raises(JobError, match="being worked on by process 1 on b"):
        rig.queue.take(person, _taken_on_b(rig))
    with pytest.raises(JobError):
        rig.queue.take(person, "99")


def _taken_on_b(rig: Rig) -> str:
    job = rig.job()
    assert rig.queue.claim(rig.worker(host="b"), job) is not None
    return job


def test_a_fault_lets_a_job_rest(rig: Rig) -> None:
    job, worker = rig.job(), rig.worker()
    rig.fault(worker)
    assert rig.queue.claim(worker) is None
    entry = rig.queue.entry(job)
    assert entry is not None
    assert (entry.state, entry.failures) == (EntryState.WAITING, 1)


@pytest.mark.parametrize("days", [-1, 1, 400])
def test_a_clock_that_is_set_loses_no_lease_and_makes_none_immortal(rig: Rig, days: int) -> None:
    jobs = [rig.job(), rig.job()]
    first, second = rig.worker("p1"), rig.worker("p2", host="b")
    leases = [rig.queue.claim(worker) for worker in (first, second)]
    rig.clock.set_by = timedelta(days=days)
    assert rig.reap() == ()
    assert rig.queue.beat(first)
    assert [row.late for row in rig.queue.workers()] == [False, False]
    for lease in leases:
        assert lease is not None
        rig.queue.store_of(lease).append(lease.job, FACT)
    rig.limits = Limits(lease=0.05)
    rig.queue.beat(second)
    time.sleep(0.1)
    assert rig.reap() == (jobs[1],), "the one that said nothing for longer than a lease, and nobody else"


def test_a_rest_does_not_outlast_a_clock_that_is_set_back(rig: Rig) -> None:
    rig.job()
    worker = rig.worker()
    rig.fault(worker)
    assert not rig.queue.wanted(worker)
    rig.clock.set_by = timedelta(days=-1)
    assert rig.queue.wanted(worker)
    assert rig.queue.claim(worker) is not None


@pytest.mark.parametrize("end", [JobState.DONE, JobState.PAUSED, JobState.CANCELLED])
def test_the_state_that_ends_the_work_ends_the_lease(rig: Rig, end: JobState) -> None:
    job, worker = rig.job(), rig.worker()
    lease = rig.queue.claim(worker)
    assert lease is not None
    store = rig.queue.store_of(lease)
    store.set_state(job, JobState.RUNNING)
    store.set_state(job, end)
    assert rig.queue.entries() == []
    assert rig.queue.workers()[0].jobs == ()
    with pytest.raises(LeaseLost):
        store.append(job, FACT)


def test_cancelling_ends_what_waits_and_asks_whoever_works(rig: Rig) -> None:
    waiting, leased = rig.job(SWEEP), rig.job()
    lease = rig.queue.claim(rig.worker())
    assert lease is not None
    assert lease.job == leased
    assert rig.queue.cancel(waiting) is Cancelling.AT_ONCE
    assert not rig.queue.cancel_wanted(lease)
    assert rig.queue.cancel(leased) is Cancelling.ASKED
    assert rig.queue.cancel_wanted(lease)
    rig.queue.store_of(lease).set_state(leased, JobState.RUNNING)
    assert rig.queue.cancel_wanted(lease), "beginning does not take the wish back"
    assert rig.state(waiting) is JobState.CANCELLED


def test_a_stopped_job_is_queued_again_and_a_waiting_one_is_not(rig: Rig) -> None:
    job = rig.job()
    with pytest.raises(JobError, match="waits"):
        rig.queue.put_back(job, PERSON)
    rig.queue.cancel(job)
    rig.queue.put_back(job, SWEEP)
    entry = rig.queue.entry(job)
    assert entry is not None
    assert (entry.state, entry.order.priority, rig.state(job)) == (
        EntryState.WAITING,
        Priority.SWEEP,
        JobState.QUEUED,
    )
    assert not rig.store.cancel_requested(job)


def test_only_a_higher_priority_is_made_room_for(rig: Rig) -> None:
    rig.job(ALERT)
    worker = rig.worker()
    lease = rig.queue.claim(worker)
    rig.job(ALERT)
    rig.job(SWEEP)
    assert not rig.queue.wanted(worker, lease)
    assert rig.queue.wanted(worker)
    rig.job(Order(host_class="big"))
    assert not rig.queue.wanted(worker, lease)
    rig.job(PERSON)
    assert rig.queue.wanted(worker, lease)


def test_a_machine_has_one_measuring_slot(rig: Rig) -> None:
    first, second, elsewhere = rig.worker("p1"), rig.worker("p2"), rig.worker("p3", host="b")
    assert rig.queue.hold_host(first)
    assert rig.queue.hold_host(first)
    assert not rig.queue.hold_host(second)
    assert rig.queue.hold_host(elsewhere)
    rig.queue.let_go_of_host(first)
    assert rig.queue.hold_host(second)
    rig.fates.said["p2"] = False
    rig.reap()
    assert rig.queue.hold_host(first)
    rig.queue.leave(first)
    assert not rig.queue.hold_host(first), "a worker that has left"


def test_a_full_queue_says_so(rig: Rig) -> None:
    rig.limits = Limits(waiting=2)
    rig.job()
    rig.job()
    with pytest.raises(QueueFull):
        rig.job()
    assert len(rig.store.jobs()) == 2
