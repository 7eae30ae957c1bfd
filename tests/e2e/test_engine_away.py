"""The Docker engine gone under a worker: the job waits and is gone on with, no commit is blamed, the worker lives."""

import threading
from collections.abc import Iterator
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
from tests.adapters.runner.proxy import Proxy
from tests.helpers.installs import BASE_IMAGE, need_engine
from tests.helpers.postgres import wait_until
from tests.helpers.repositories import Sandbox

SCENARIO = f"""\
name = "short"
[build]
image = "{BASE_IMAGE}"
[run]
command = ["python", "-c", "import time; from lib import LEVEL; time.sleep(0.2 * LEVEL)"]
env = {{PYTHONPATH = "{{source}}"}}
timeout_seconds = 20
"""


class Desk:
    """A worker that is asked for one step after the other, and a job for Docker."""

    def __init__(self, top: Path) -> None:
        shop = Sandbox.make(top / "shop")
        for number in range(4):
            shop.commit(f"Change {number}", {"lib.py": f"LEVEL = {1 if number < 2 else 2}\n# {number}\n"})
        settings = Settings(state_dir=top / "state", cache_dir=top / "cache")
        self.wiring = Wiring(StopSignal(), settings)
        request = Request(
            repository=str(shop.top),
            good=shop.sha("HEAD~3"),
            bad=shop.sha("HEAD"),
            scenario=parse_scenario(SCENARIO.encode(), where="short"),
            runner=RunnerName.DOCKER,
        )
        self.queue, self.store = self.wiring.queue, self.wiring.store
        self.job = self.queue.enqueue(request, Order()).job
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


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.wiring.close()


# The SDK forgets to close a socket that it cannot connect.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_without_an_engine_a_job_rests_is_tried_again_and_is_left_to_a_person_in_the_end(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody.sock")
    with desk.worker.registered():
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
    desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    need_engine()
    monkeypatch.setattr("bisector.adapters.docker.engine.CALL_LIMIT", 2.0)
    monkeypatch.setattr("bisector.adapters.docker.container.PATIENCE_SECONDS", 4.0)
    with desk.worker.registered():
        with Proxy(tmp_path / "docker.sock") as proxy, monkeypatch.context() as patched:
            patched.setenv("DOCKER_HOST", f"unix://{proxy.path}")

            def cut() -> None:
                wait_until(lambda: len(desk.samples()) >= 3, 240, "three samples")
                proxy.cut()

            cutting = threading.Thread(target=cut)
            cutting.start()
            assert desk.worker.once()
            cutting.join()
        desk.assert_waits(1)
        kept = [sample for sample in desk.samples() if sample.counts]
        assert len(kept) >= 3
        desk.rested(monkeypatch)
        assert desk.worker.once()
        assert desk.state is JobState.DONE, desk.said
    samples = desk.samples()
    assert {sample.outcome for sample in samples} <= {Outcome.OK, Outcome.INFRA}
    counted = [sample for sample in samples if sample.counts]
    assert counted[: len(kept)] == kept
    slots = [(sample.step, sample.order) for sample in counted]
    assert len(slots) == len(set(slots))
    (verdict,) = [fact.verdict for fact in desk.store.facts(desk.job) if isinstance(fact, Concluded)]
    assert verdict.culprits[0].members == (2,)
