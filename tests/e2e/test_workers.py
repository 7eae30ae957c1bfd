"""Workers that are killed, stopped and asked to end: the same answer, no sample lost or doubled, on both databases."""

import os
import re
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bisector.core.model.facts import EnvironmentSeen
from bisector.engine.job import JobState
from bisector.engine.queue import Order, Priority, WorkerInfo, WorkerKind
from bisector.formats.facts import fact_to_text
from tests.e2e.test_killed import BENCH, Victim
from tests.helpers.postgres import server, wait_until
from tests.helpers.workers import TAKEOVER, Service, assert_answered

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("postgres")]


ONE_OF_BOTH = pytest.mark.parametrize(
    "service", [pytest.param("sqlite", marks=pytest.mark.long), "postgresql"], indirect=True
)
"""The queues themselves have a contract: what workers make of them takes long to see, and is seen on one in CI."""


@pytest.fixture(params=["sqlite", "postgresql"])
def service(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Service]:
    url = "" if request.param == "sqlite" else request.getfixturevalue("postgres").fresh()
    made = Service(tmp_path, url)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("service", "how"),
    [
        pytest.param("sqlite", signal.SIGKILL, marks=pytest.mark.long),
        ("postgresql", signal.SIGKILL),
        pytest.param("postgresql", signal.SIGSTOP, marks=pytest.mark.long),
        pytest.param("sqlite", signal.SIGSTOP, marks=pytest.mark.long),
    ],
    indirect=["service"],
)
def test_another_worker_goes_on_where_one_was_killed_or_stopped(service: Service, how: signal.Signals) -> None:
    first = service.worker()
    job = service.bisect()
    service.wait_for_samples(job, 10)
    second = service.worker()
    first.send_signal(how)
    wait_until(lambda: service.owner(job) == second.pid, TAKEOVER, f"a takeover: {service.log()}")
    kept = [fact_to_text(fact) for fact in service.facts(job)]
    service.wait_for(job, JobState.DONE)
    facts = service.facts(job)
    assert [fact_to_text(fact) for fact in facts][: len(kept)] == kept
    assert_answered(facts)
    # A stopped process would keep the host's measuring slot: whoever gave it up ended it.
    assert first.wait(timeout=20) == -signal.SIGKILL


@ONE_OF_BOTH
def test_a_worker_that_wakes_up_after_its_job_was_taken_writes_nothing_any_more(service: Service) -> None:
    stopped = service.worker()
    job = service.bisect()
    service.wait_for_samples(job, 10)
    service.stop_between_transactions(stopped)
    queue = service.wiring.queue
    info = service.wiring.about_this_worker(WorkerKind.WORKER)
    # Another host cannot end the process; only the fence keeps it from writing.
    wait_until(lambda: queue.reap(service.wiring.processes, "elsewhere") == (job,), TAKEOVER, "the lease to run out")
    lease = queue.claim(queue.register(_elsewhere(info)), job)
    assert lease is not None
    mine = EnvironmentSeen(host="elsewhere", toolchain="t", details={})
    queue.store_of(lease).append(job, mine)
    before = service.facts(job)
    stopped.send_signal(signal.SIGCONT)
    wait_until(lambda: "nothing of it was written" in service.log(), 60, f"the worker to notice: {service.log()}")
    assert service.facts(job) == before
    assert before[-1] == mine
    wait_until(lambda: service.owner(job) is not None, 10, "the lease")
    assert stopped.poll() is None, "it goes on as a new worker"


@ONE_OF_BOTH
def test_asked_to_end_a_worker_gives_its_job_back_and_the_next_one_ends_it(service: Service) -> None:
    first = service.worker()
    job = service.bisect()
    service.wait_for_samples(job, 6)
    first.terminate()
    assert first.wait(timeout=60) == 0, service.log()
    assert service.state(job) is JobState.QUEUED
    entry = service.wiring.queue.entry(job)
    assert entry is not None
    assert entry.failures == 0
    service.worker()
    service.wait_for(job, JobState.DONE)
    assert_answered(service.facts(job))


@pytest.mark.long
@ONE_OF_BOTH
def test_a_sweep_makes_room_for_a_person_and_is_gone_on_with(service: Service) -> None:
    sweep = _queue(service, Priority.SWEEP)
    service.worker()
    service.wait_for_samples(sweep, 6)
    person = service.bisect("candidates=16,culprit=9,effect=0.2,seed=1")
    service.wait_for(person, JobState.DONE)
    assert service.state(sweep) in {JobState.QUEUED, JobState.RUNNING}
    service.wait_for(sweep, JobState.DONE)
    assert_answered(service.facts(sweep))


@pytest.mark.long
@ONE_OF_BOTH
def test_a_job_that_waits_or_is_worked_on_can_be_stopped_and_gone_on_with(service: Service) -> None:
    waiting, leased = service.bisect(), service.bisect()
    assert "cancelled" in service.cli("jobs", "cancel", waiting)
    worker = service.worker()
    service.wait_for_samples(leased, 4)
    assert "being stopped" in service.cli("jobs", "cancel", leased)
    service.wait_for(leased, JobState.CANCELLED)
    service.cli("jobs", "resume", leased, "--detach")
    service.wait_for(leased, JobState.DONE)
    assert service.state(waiting) is JobState.CANCELLED
    assert worker.poll() is None, "the worker went on"
    assert_answered(service.facts(leased))


@pytest.mark.long
def test_a_database_that_goes_away_for_a_while_costs_no_sample(tmp_path: Path) -> None:
    with server() as running:
        service = Service(tmp_path, running.fresh())
        try:
            worker = service.worker()
            job = service.bisect()
            service.wait_for_samples(job, 6)
            kept = service.facts(job)
            running.stop()
            time.sleep(10)
            running.start()
            wait_until(running.listeners, 120, "word of jobs to be listened for again")
            wait_until(lambda: service.state_if_known(job) is JobState.DONE, 180, f"the answer: {service.log()}")
            facts = service.facts(job)
            assert [fact_to_text(fact) for fact in facts[: len(kept)]] == [fact_to_text(fact) for fact in kept]
            assert_answered(facts)
            assert worker.poll() is None, service.log()
            assert "Traceback" not in service.log()
        finally:
            service.close()


@pytest.mark.long
def test_a_worker_that_is_killed_in_a_real_run_is_followed_by_one_that_finds_the_same(tmp_path: Path) -> None:
    """Builds and runs on this machine: nothing that the killed worker had started is left running either."""
    service, victim = Service(tmp_path, ""), Victim(tmp_path)
    try:
        first = service.worker()
        asked = victim.bisect("--detach")
        _, complaint = asked.communicate(timeout=120)
        assert asked.returncode == 0, complaint
        service.wait_for_samples("1", 6)
        service.worker()
        first.kill()
        service.wait_for("1", JobState.DONE)
        assert_answered(service.facts("1"), culprit=8)
        assert victim.left_running() == []
    finally:
        service.close()


@pytest.mark.long
@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="builds beside runs take a processor of their own")
def test_what_is_built_for_a_waiting_job_ends_with_its_worker_and_is_there_when_the_next_one_has_made_it(
    tmp_path: Path,
) -> None:
    service, measured = Service(tmp_path, ""), Victim(tmp_path)
    # Its runs last long enough for a build beside them.
    (tmp_path / "scenario" / "bench.py").write_text(BENCH.replace("0.15", "1.5"))
    (tmp_path / "waiting").mkdir()
    waiting = Victim(tmp_path / "waiting")
    waiting.environment = service.environment
    waiting.slow_down_builds()
    try:
        for victim in (measured, waiting):
            _, complaint = victim.bisect("--detach").communicate(timeout=120)
            assert service.state("1") is JobState.QUEUED, complaint
        first = service.worker(BISECTOR_BUILD_SLOTS="1")
        wait_until(waiting.left_running, 90, f"a build for the job that waits: {service.log()}")
        assert (service.state("1"), service.state("2")) == (JobState.RUNNING, JobState.QUEUED)
        first.kill()
        wait_until(lambda: not waiting.left_running() + measured.left_running(), 10, "its processes to end")
        assert service.built_with("sleep 2.5") == 0
        second = service.worker(BISECTOR_BUILD_SLOTS="1")
        wait_until(lambda: service.built_with("sleep 2.5") > 0, 90, f"a build for the job that waits: {service.log()}")
        assert (service.facts("2"), service.state("2")) == ([], JobState.QUEUED)
        second.terminate()
        assert second.wait(timeout=60) == 0, service.log()
        assert waiting.left_running() + measured.left_running() == []
    finally:
        service.close()


@pytest.mark.long
@pytest.mark.soak
def test_sixteen_hosts_do_ten_thousand_jobs_once_each(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """BISECTOR_TEST_JOBS and BISECTOR_TEST_HOSTS make it smaller. Prints how far it is once a minute."""
    jobs, hosts = (int(os.environ.get(f"BISECTOR_TEST_{n}", d)) for n, d in (("JOBS", "10000"), ("HOSTS", "16")))
    service = Service(tmp_path, request.getfixturevalue("postgres").fresh(), lease=60.0)
    try:
        first = service.bisect("candidates=2,culprit=1,effect=0.5,noise=0,seed=1")
        asked = replace(service.wiring.store.job(first).request, reuse_samples=False)
        for number in range(hosts):
            own = {"STATE_DIR": str(tmp_path / f"state-{number}"), "HOST_NAME": f"host-{number}"}
            service.worker(**{f"BISECTOR_{name}": value for name, value in own.items()})
        made = [first, *(service.wiring.queue.enqueue(asked, Order()).job for _ in range(jobs - 1))]
        _wait_for_all(service, jobs)
        for job in made:
            assert_answered(service.facts(job), culprit=1)
        assert [service.wiring.queue.entry(job).attempt for job in made] == [1] * jobs  # type: ignore[union-attr]
        taken = Counter(re.findall(r"job (\d+): taken", service.log()))
        assert taken == dict.fromkeys(made, 1), "claimed twice, or lost"
        assert "Traceback" not in service.log()
        shares = sorted(path.read_text().count(": taken") for path in tmp_path.glob("worker-*.log"))
        shared = f"a worker had {shares[0]} to {shares[-1]}"
        sys.stderr.write(f"{jobs} jobs, {hosts} workers: each claimed once and answered; {shared}\n")
    finally:
        service.close()


def _wait_for_all(service: Service, jobs: int) -> None:
    began = told = time.monotonic()
    while open_ones := sum(depth.waiting + depth.leased for depth in service.wiring.queue.depth()):
        assert time.monotonic() - began < 6 * 3600, f"{open_ones} of {jobs} jobs are not done"
        if time.monotonic() - told >= 60:
            told = time.monotonic()
            sys.stderr.write(f"{jobs - open_ones} of {jobs} jobs after {told - began:.0f} s\n")
        time.sleep(1.0)


def _elsewhere(info: WorkerInfo) -> WorkerInfo:
    return replace(info, host="elsewhere", name="elsewhere", process="boot pid:[1] 1 1")


def _queue(service: Service, priority: Priority) -> str:
    """The same job as `Service.bisect` makes, for somebody else."""
    made = service.bisect()
    service.wiring.queue.cancel(made)
    request = replace(service.wiring.store.job(made).request, reuse_samples=False)
    return service.wiring.queue.enqueue(request, Order(priority=priority)).job
