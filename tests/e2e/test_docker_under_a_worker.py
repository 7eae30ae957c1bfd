"""Docker under a worker: the engine gone, the job waits and no commit is blamed; a build for another job killed."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from bisector.core.model.facts import Concluded
from bisector.core.model.request import Request, RunnerName
from bisector.core.model.samples import Outcome, Purpose, Sample
from bisector.engine.job import JobState
from bisector.engine.queue import MOST_FAILURES, EntryState, Order, WorkerKind
from bisector.engine.stop import StopSignal
from bisector.engine.worker import Worker
from bisector.formats.scenario import parse_scenario
from bisector.settings import Settings
from bisector.wiring import Wiring
from tests.adapters.runner.laboratory import marker, processes
from tests.adapters.runner.proxy import Proxy
from tests.helpers.installs import BASE_IMAGE, Install
from tests.helpers.postgres import wait_until
from tests.helpers.repositories import Sandbox
from tests.helpers.workers import Service

SCENARIO = f"""\
name = "short"
[build]
image = "{BASE_IMAGE}"
[run]
command = ["python", "-c", "import time; from lib import LEVEL; time.sleep(0.2 * LEVEL)"]
env = {{PYTHONPATH = "{{source}}"}}
timeout_seconds = 20
"""


def request_at(top: Path, scenario: str) -> Request:
    """A bisect of a new repository whose third commit takes twice as long."""
    shop = Sandbox.make(top)
    for number in range(4):
        shop.commit(f"Change {number}", {"lib.py": f"LEVEL = {1 if number < 2 else 2}\n# {number}\n"})
    return Request(
        repository=str(shop.top),
        good=shop.sha("HEAD~3"),
        bad=shop.sha("HEAD"),
        scenario=parse_scenario(scenario.encode(), where="short"),
        runner=RunnerName.DOCKER,
    )


class Desk:
    """A worker that is asked for one step after the other, and a job for Docker."""

    def __init__(self, top: Path) -> None:
        settings = Settings(state_dir=top / "state", cache_dir=top / "cache")
        self.wiring = Wiring(StopSignal(), settings)
        self.queue, self.store = self.wiring.queue, self.wiring.store
        self.job = self.queue.enqueue(request_at(top / "shop", SCENARIO), Order()).job
        self.said: list[str] = []
        info = self.wiring.about_this_worker(WorkerKind.WORKER)
        self.worker = Worker(self.wiring.worker_ports(), info, lease=600.0, grace=10.0, tell=self.said.append)

    @property
    def state(self) -> JobState:
        return self.store.job(self.job).state

    def samples(self) -> list[Sample]:
        found = [fact for fact in self.store.facts(self.job) if isinstance(fact, Sample)]
        return [sample for sample in found if sample.purpose is not Purpose.WARMUP]

    def rested(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """As if the job had rested for long enough."""
        later = self.wiring.clock.now() + timedelta(minutes=20)
        monkeypatch.setattr(self.wiring.clock, "now", lambda: later)

    def assert_waits(self, failures: int) -> None:
        entry = self.queue.entry(self.job)
        assert entry is not None
        assert (self.state, entry.state, entry.failures) == (JobState.QUEUED, EntryState.WAITING, failures), self.said
        assert not any(isinstance(fact, Concluded) for fact in self.store.facts(self.job))


@contextmanager
def desk_at(top: Path) -> Iterator[Desk]:
    made = Desk(top)
    try:
        yield made
    finally:
        made.wiring.close()


# The SDK forgets to close a socket that it cannot connect.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_without_an_engine_a_job_rests_is_tried_again_and_is_left_to_a_person_in_the_end(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody.sock")
    with desk_at(tmp_path) as desk, desk.worker.registered():
        for failures in range(1, MOST_FAILURES + 1):
            assert desk.worker.once()
            desk.assert_waits(failures)
            assert not desk.worker.once(), "it rests"
            desk.rested(monkeypatch)
        assert desk.worker.once()
        assert desk.state is JobState.PAUSED
        assert desk.store.facts(desk.job) == []
        assert any("no Docker engine answers" in line for line in desk.said)
        desk.queue.put_back(desk.job, Order())
        desk.assert_waits(0)


@pytest.mark.docker
@pytest.mark.long
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_engine_that_goes_away_in_the_middle_of_a_job_costs_no_sample_and_blames_no_commit(
    docker_install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bisector.adapters.docker.engine.CALL_LIMIT", 2.0)
    monkeypatch.setattr("bisector.adapters.docker.container.PATIENCE_SECONDS", 4.0)
    with desk_at(docker_install.top) as desk, desk.worker.registered():
        _work_until_the_engine_is_gone(desk, docker_install.top, monkeypatch)
        desk.assert_waits(1)
        kept = [sample for sample in desk.samples() if sample.counts]
        assert len(kept) >= 3
        desk.rested(monkeypatch)
        assert desk.worker.once()
        assert desk.state is JobState.DONE, desk.said
        samples = desk.samples()
        (verdict,) = [fact.verdict for fact in desk.store.facts(desk.job) if isinstance(fact, Concluded)]
    assert {sample.outcome for sample in samples} <= {Outcome.OK, Outcome.INFRA}
    counted = [sample for sample in samples if sample.counts]
    assert counted[: len(kept)] == kept
    slots = [(sample.step, sample.order) for sample in counted]
    assert len(slots) == len(set(slots))
    assert verdict.culprits[0].members == (2,)


def _work_until_the_engine_is_gone(desk: Desk, top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Proxy(top / "docker.sock") as proxy, monkeypatch.context() as patched:
        patched.setenv("DOCKER_HOST", f"unix://{proxy.path}")

        def cut() -> None:
            wait_until(lambda: len(desk.samples()) >= 3, 240, "three samples")
            proxy.cut()

        cutting = threading.Thread(target=cut)
        cutting.start()
        assert desk.worker.once()
        cutting.join()


@pytest.mark.docker
@pytest.mark.long
@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="builds beside runs take a processor of their own")
def test_what_was_being_built_for_a_waiting_job_is_taken_away_by_the_next_worker(docker_install: Install) -> None:
    service, mark = Service(docker_install.top, ""), marker()
    try:
        slow = SCENARIO.replace("[run]", f'steps = ["sleep {mark}"]\n[run]')
        for name, scenario in (("measured", SCENARIO), ("waiting", slow)):
            service.wiring.queue.enqueue(request_at(docker_install.top / name, scenario), Order())
        first = service.worker(BISECTOR_BUILD_SLOTS="1")
        wait_until(lambda: processes(mark), 120, f"a build for the job that waits: {service.log()}")
        assert (service.state("1"), service.state("2")) == (JobState.RUNNING, JobState.QUEUED)
        first.kill()
        first.wait()
        assert service.facts("2") == []
        service.worker(BISECTOR_BUILD_SLOTS="0")
        wait_until(lambda: not processes(mark), 120, f"the container to be taken away: {service.log()}")
        service.wait_for("1", JobState.DONE)
    finally:
        service.close()
