"""A/A: several builds of one commit, run in turns, outside any job."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

from bisector.core.model.builds import Build
from bisector.core.model.calibration import Calibration
from bisector.core.model.counting import counter_of
from bisector.core.model.history import Commit
from bisector.core.model.request import Request
from bisector.core.search.calibrated import Reading, calibration_of
from bisector.engine.orders import run_order
from bisector.engine.ports import Ports, RunRecord, Session
from bisector.engine.stop import StopSignal
from bisector.engine.tryout import try_build
from bisector.errors import MeasurementFailed
from bisector.formats.results import read_value
from bisector.formats.results.problem import ResultProblem


@dataclass(frozen=True, kw_only=True)
class Extent:
    """How many builds, and how many runs of each."""

    builds: int
    runs: int


def make_builds(request: Request, commit: Commit, extent: Extent, ports: Ports, stop: StopSignal) -> Iterator[Build]:
    """Builds of the commit, each made afresh; MeasurementFailed when one does not succeed."""
    for number in range(extent.builds):
        build = try_build(request, commit, ports, stop, number=number)
        if not build.usable:
            raise MeasurementFailed(f"it does not build: {build.reason}", where=build.log)
        yield build


def take_readings(
    request: Request, builds: list[Build], extent: Extent, ports: Ports, stop: StopSignal
) -> Iterator[Reading]:
    """A run of every build in turn, there and back, after warm-ups; MeasurementFailed when one yields no number."""
    with ExitStack() as stack:
        order = run_order(request, ports, counter=counter_of(request.asked, ports.runner.environment(request).details))
        sessions = [stack.enter_context(ports.runner.open(build, order, stop)) for build in builds]
        for session in sessions:
            for _ in range(0 if request.scenario.needs_fresh_container() else request.scenario.run.opening_runs):
                stop.check()
                session.run()
        for turn in range(extent.runs):
            numbered = list(enumerate(sessions))
            for number, session in numbered if turn % 2 == 0 else reversed(numbered):
                stop.check()
                yield Reading(build=number, value=_value(request, session))


def keep(request: Request, builds: list[Build], readings: list[Reading], ports: Ports) -> Calibration:
    """What the readings of `builds` say of the metric, kept for the jobs of this scenario on this host."""
    contents = {build.content for build in builds}
    found = calibration_of(request.metric.name, readings, same_build=len(contents) == 1 and None not in contents)
    host = ports.runner.environment(request).host
    ports.store.keep_calibration(request.sampling_identity(), host, found)
    return found


def _value(request: Request, session: Session) -> float:
    record: RunRecord = session.run()
    if record.usage is None or record.reason:
        raise MeasurementFailed(f"a run failed: {record.reason or record.outcome}")
    try:
        return read_value(request.metric, record.usage, record.stdout, record.files)
    except ResultProblem as problem:
        raise MeasurementFailed(f"{request.metric.name} cannot be read: {problem.with_cause(record.reason)}") from None
