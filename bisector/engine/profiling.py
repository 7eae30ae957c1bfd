"""One or two commits profiled outside any search: the same captures as a job's, without its measured runs."""

from collections.abc import Callable

from bisector.core.model.history import Place, main
from bisector.core.model.investigation import Investigation
from bisector.core.model.request import Request
from bisector.core.model.steps import BuildPlace, ListHistory, ProfileSides, Step
from bisector.core.search.planner import Plan
from bisector.core.search.profiling import FEWEST_SAMPLES, slots_of
from bisector.engine.perform import perform
from bisector.engine.ports import Ports
from bisector.engine.stop import StopSignal
from bisector.engine.work import Work
from bisector.errors import MeasurementFailed

SAMPLES = 2 * FEWEST_SAMPLES
"""Of a capture: how large the difference is that they are to show is not known."""


def profile_commits(
    request: Request, ports: Ports, stop: StopSignal, waiting: Callable[[int | None], None]
) -> Investigation:
    """What the captures of the request's two commits (or the one it names twice) come to; nothing is concluded.

    The store of `ports` need not outlive this. MeasurementFailed where a commit does not build.
    """
    with ports.locks.measuring(stop, waiting):
        work = Work(ports.store.create(request), ports, stop)
        work.record(ports.runner.environment(request))
        commits = {request.good, request.bad} if request.worktree is None else {request.good, request.worktree}
        ports.repository.pin(work.job, sorted(commits))
        try:
            _carry_out(ListHistory(reason="to know what is profiled"), work)
            alike = work.investigation.line.trees[0] == work.investigation.line.trees[-1]
            sides = (main(0),) if alike else (main(0), main(1))
            for place in sides:
                _build(place, work)
            _carry_out(_captures(sides, request), work)
        finally:
            ports.repository.unpin(work.job)
        return work.investigation


def _captures(sides: tuple[Place, ...], request: Request) -> Step:
    return ProfileSides(
        pairs=((sides[0], sides[-1]),),
        slots=slots_of(sides, request.scenario, request.metric),
        samples=SAMPLES,
        reason="as asked",
    )


def _build(place: Place, work: Work) -> None:
    _carry_out(BuildPlace(place=place, reason="as asked"), work)
    build = work.investigation.builds[place, 0]
    if not build.usable:
        name = work.investigation.commit(place).sha[:10]
        raise MeasurementFailed(f"{name} does not build: {build.reason}", where=build.log)


def _carry_out(step: Step, work: Work) -> None:
    work.stop.check()
    work.plan(Plan(step=step), work.elapsed)
    perform(step, work)
