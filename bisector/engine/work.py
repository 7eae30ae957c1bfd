"""One job in hand: its facts so far, and the one way to add to them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from bisector.core.model.builds import Build, build_key
from bisector.core.model.facts import EnvironmentSeen, Fact, Planned
from bisector.core.model.investigation import BuildId, Investigation
from bisector.core.model.request import Request, RunnerName
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
        self.request: Request = row.request
        self.investigation = Investigation.replay(job, row.request, ports.store.facts(job))
        self._began = ports.clock.monotonic()
        self._before = self.investigation.plans[-1].elapsed if self.investigation.plans else 0.0
        self._since_created = (ports.clock.now() - row.created).total_seconds()

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

    def settle_image(self) -> None:
        """Look up the base image where whoever made the job could not: once for all of its builds.

        A service that takes orders has no engine. What the image was is kept as the toolchain of the host seen first.
        """
        image = self.request.scenario.build.image
        if self.request.runner is not RunnerName.DOCKER or self.request.image_id is not None or image is None:
            return
        host = self.investigation.host
        known = host.toolchain if host is not None else ""
        self.request = replace(self.request, image_id=known or self.ports.runner.resolve_image(image))

    def key(self, tree: str, number: int = 0) -> str:
        """The key of the build of `tree` in this job."""
        return build_key(self.request, tree, self.environment.toolchain, number)

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
