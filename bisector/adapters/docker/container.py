"""A container under our own process 1, in which the helper carries out one order after the other."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import docker.errors

from bisector.adapters import durable
from bisector.adapters.docker import images
from bisector.adapters.docker.engine import Engine, faults
from bisector.adapters.docker.exec import Call, Sink, call_helper
from bisector.adapters.docker.layout import NO_HEALTHCHECK, PLACES, ROLE, TOOLS
from bisector.adapters.docker.workshop import Workshop
from bisector.adapters.measure.answer import Answer
from bisector.adapters.measure.order import PATIENCE_SECONDS, HelperOrder
from bisector.adapters.measure.places import Places
from bisector.engine.stop import StopSignal
from bisector.errors import EnvironmentFault, InfraFault

HOSTNAME = "bisector"  # the same length of environment for everyone


@dataclass(frozen=True, kw_only=True, slots=True)
class Container:
    """A running container. `compiled` says which version of our programs its image can run."""

    engine: Engine
    id: str
    workshop: Workshop
    compiled: bool

    def call(
        self, order: HelperOrder, user: str, stop: StopSignal, env: Mapping[str, str], log: Sink | None = None
    ) -> Answer | None:
        """Have the helper carry out `order`; None when no answer came in time."""
        program = self.workshop.tools.inside("measure", TOOLS, compiled=self.compiled)
        call = Call(
            container=self.id,
            argv=(*program, *order.arguments()),
            user=user,
            limit=order.timeout + PATIENCE_SECONDS,
            env=env,
        )
        return call_helper(self.engine, call, stop, log)


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """A container to be: from which image, as whom, fenced in how, and what is put into it before it starts."""

    image: Mapping[str, Any]
    user: str
    role: str
    host_config: Mapping[str, Any]
    env: Mapping[str, str] = field(default_factory=dict)
    """Set for everything in it; an image made of it keeps it."""
    furnish: Callable[[str], None] = lambda _: None
    places: Places = PLACES
    """Where the words of what is run in it find things."""


@contextlib.contextmanager
def running(engine: Engine, workshop: Workshop, plan: Plan) -> Iterator[Container]:
    """A container as planned, removed with all it holds however this is left."""
    container = start(engine, workshop, plan)
    try:
        yield container
    finally:
        remove(engine, workshop, container.id)


def start(engine: Engine, workshop: Workshop, plan: Plan) -> Container:
    """Make and start a container as planned; the caller removes it."""
    for container in tuple(workshop.abandoned):  # one that still runs would disturb what is measured now
        remove(engine, workshop, container)
    compiled = runs_compiled(workshop, plan.image)
    with faults("start a container"):
        try:
            durable.passing("before make a container")
            made = engine.api.create_container(
                plan.image["Id"],
                entrypoint=list(workshop.tools.inside("measure", TOOLS, compiled=compiled)),
                command=["init"],
                user=plan.user,
                environment=dict(plan.env),
                hostname=None if _joins(plan) else HOSTNAME,
                working_dir="/",
                healthcheck=NO_HEALTHCHECK,
                labels={**workshop.labels, ROLE: plan.role},
                host_config=engine.api.create_host_config(**plan.host_config),
            )
        except docker.errors.ImageNotFound as error:
            raise InfraFault(f"the image {plan.image['Id']} is gone") from error
        durable.passing("after make a container")
        try:
            plan.furnish(made["Id"])
            with durable.step("start a container"):
                engine.api.start(made["Id"])
        except BaseException as error:
            remove(engine, workshop, made["Id"])
            workshop.volumes.full.clear()  # should one have been removed by hand, the next attempt fills it again
            if not compiled and "executable file not found" in str(error):
                raise _no_python() from error
            raise
    return Container(engine=engine, id=made["Id"], workshop=workshop, compiled=compiled)


def _joins(plan: Plan) -> bool:
    """Whether it is to share another container's network, and with it the name."""
    return str(plan.host_config.get("network_mode", "")).startswith("container:")


def runs_compiled(workshop: Workshop, image: Mapping[str, Any]) -> bool:
    """Whether the compiled versions of our programs run in a container of `image`."""
    return workshop.tools.compiled and images.runs_code_for(dict(image), workshop.tools.machine)


def remove(engine: Engine, workshop: Workshop, container: str) -> None:
    """Remove a container with all it holds, now or, when the engine does not answer, later."""
    if engine.remove_container(container):
        workshop.abandoned.discard(container)
    else:
        workshop.abandoned.add(container)


def _no_python() -> EnvironmentFault:
    return EnvironmentFault(
        "runs cannot be measured: the image has no python3, and no static helper could be compiled for it here",
        then="Install a C compiler with a static C library (Debian: gcc libc6-dev) on this machine",
    )
