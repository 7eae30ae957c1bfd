"""What services wrote in runs that failed: kept with the sample, named in the report."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bisector.adapters.in_memory.runner import SimulatedRunner
from bisector.adapters.in_memory.world import World
from bisector.core.model.builds import Build
from bisector.core.model.request import Search
from bisector.core.model.samples import Outcome
from bisector.engine.ports import RunOrder, RunRecord, Session
from bisector.engine.stop import StopSignal
from bisector.engine.telling import MOST_LOGS, told
from bisector.report.json_export import render_json
from tests.helpers.simulated import Simulation

WORLD = World(candidates=24, culprit=4, effect=0.3, noise=0.002, crash="9-24", seed=3)
LOGS = {"db": b"ready\n", "web": b"Traceback: out of patience\n"}


@dataclass(frozen=True, kw_only=True)
class Talking:
    """A session whose failing runs bring the logs of their services along."""

    inner: Session
    container: str
    source: str
    scenario: str

    def prepare(self) -> None:
        self.inner.prepare()

    def run(self) -> RunRecord:
        record = self.inner.run()
        return record if record.outcome is Outcome.OK else replace(record, logs=LOGS)


class Serving(SimulatedRunner):
    """A runner of such sessions."""

    @contextmanager
    def open(self, build: Build, order: RunOrder, stop: StopSignal) -> Iterator[Session]:
        with super().open(build, order, stop) as inner:
            yield Talking(inner=inner, container=inner.container, source=inner.source, scenario=inner.scenario)


def test_the_logs_of_a_run_that_failed_are_kept_and_the_first_of_each_commit_is_named() -> None:
    simulation = Simulation(WORLD)
    simulation.ports = replace(simulation.ports, runner=Serving(WORLD))
    done = simulation.run(simulation.request(search=Search(descend=False)))
    failed = [sample for sample in done.samples if sample.outcome is Outcome.BENCH_FAILED]
    assert failed
    assert all((sample.log != "") is (sample.outcome is not Outcome.OK) for sample in done.samples)
    assert Path(failed[0].log).read_bytes() == b"==> db <==\nready\n\n==> web <==\nTraceback: out of patience\n"

    row = simulation.ports.store.job(done.job)
    report = told(done, row, lambda _: None, Path("report.html"), working=False)
    named = [artifact for artifact in report.artifacts if artifact.kind == "service_log"]
    assert len(named) == min(MOST_LOGS, len(done.failures))
    assert {artifact.path for artifact in named} == {failed[0].log}
    assert '"kind": "service_log"' in render_json(report)
