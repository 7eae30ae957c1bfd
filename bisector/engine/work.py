"""One job in hand: its facts so far, and the one way to add to them."""

from collections.abc import Sequence
from typing import Protocol

from bisector.core.model.builds import Build, build_key
from bisector.core.model.facts import EnvironmentSeen, Fact, Planned
from bisector.core.model.investigation import BuildId, Investigation
from bisector.core.model.request import Request
from bisector.core.model.steps import Step
from bisector.core.model.units import Seconds
from bisector.core.search.planner import PLANNER, Plan
from bisector.engine.ports import Ports
from bisector.engine.stop import StopSignal


class Beside(Protocol):
    """What goes on beside the step in hand."""

    @property
    def building(self) -> bool:
        """Whether something is being built at this moment."""
        ...

    def tend(self, step: Step) -> None:
        """Between two runs of `step`: record what has been built, begin what is wanted."""
        ...

    def claim(self, unit: BuildId) -> Build | None:
        """What came of a build that is being made; None where there is none to wait for."""
        ...


class Nothing:
    """Nothing goes on beside the step in hand."""

    building = False

    def tend(self, step: Step) -> None:
        """There is nothing to tend."""

    def claim(self, unit: BuildId) -> Build | None:
        """There is nothing to wait for."""
        del unit
        return None


class Work:
    """The investigation as it grows. Every fact is durable before anything follows from it."""

    def __init__(self, job: str, ports: Ports, stop: StopSignal) -> None:
        """Read the job's facts back; nothing else happens yet."""
        row = ports.store.job(job)
        self.job = job
        self.ports = ports
        self.stop = stop
        self.beside: Beside = Nothing()
        self.investigation = Investigation.replay(job, row.request, ports.store.facts(job))
        self._began = ports.clock.monotonic()
        self._before = self.investigation.plans[-1].elapsed if self.investigation.plans else 0.0
        self._since_created = (ports.clock.now() - row.created).total_seconds()

    @property
    def request(self) -> Request:
        """What is asked, the base image settled once the host was looked at."""
        return self.investigation.request

    @property
    def elapsed(self) -> Seconds:
        """Seconds of work on this job, earlier sessions included."""
        return self._before + self.ports.clock.monotonic() - self._began

    @property
    def since_created(self) -> Seconds:
        """Seconds since the job was made: the time axis of its samples, monotonic within a session."""
        return self._since_created + self.ports.clock.monotonic() - self._began

    @property
    def environment(self) -> EnvironmentSeen:
        """The host the job is measured on."""
        host = self.investigation.host
        if host is None:
            raise ValueError("the host was not looked at yet")
        return host

    def look_at_host(self) -> EnvironmentSeen:
        """The host as it is now, with the base image looked up where whoever made the job could not: a service that
        takes orders has no engine."""
        request, runner = self.request, self.ports.runner
        if request.leaves_image_open:
            request = request.on_image(runner.resolve_image(request.scenario.build.image) or "")
        return runner.environment(request)

    def key(self, tree: str, number: int = 0, request: Request | None = None) -> str:
        """The key of the build of `tree` in this job, by a `request` of its own where it has one."""
        return build_key(request or self.request, tree, self.environment.toolchain, number)

    def record(self, fact: Fact) -> None:
        """Add a fact, durably, and tell whoever watches."""
        self.ports.store.append(self.job, fact)
        self._learn(fact)

    def record_together(self, facts: Sequence[Fact]) -> None:
        """Add facts of which none is to be without the others."""
        self.ports.store.append_together(self.job, facts)
        for fact in facts:
            self._learn(fact)

    def _learn(self, fact: Fact) -> None:
        self.investigation = self.investigation.with_fact(fact)
        for observer in self.ports.observers:
            observer.learned(self.investigation, fact)

    def plan(self, plan: Plan, elapsed: Seconds) -> None:
        """Record the next step of `plan`, which was decided on `elapsed` seconds into the job."""
        if plan.step is None:
            raise ValueError("there is no step to record")
        number = self.investigation.next_number
        for observer in self.ports.observers:
            observer.planned(self.investigation, plan, elapsed)
        self.record(Planned(number=number, step=plan.step, planner=PLANNER, elapsed=elapsed))
