"""The load of a run made in a container of its own image, which shares the network of its services' container."""

import threading
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from bisector.adapters.docker import images, layout
from bisector.adapters.docker.container import Container, Plan, remove, start
from bisector.adapters.docker.engine import Engine
from bisector.adapters.docker.exec import Call, call_program
from bisector.adapters.docker.fate import outcome_of_silence
from bisector.adapters.docker.workshop import Workshop
from bisector.adapters.measure.answer import Answer, as_run
from bisector.adapters.measure.client import HELD, put_together, standing_in, with_ports
from bisector.adapters.measure.order import HelperOrder
from bisector.adapters.measure.places import Places
from bisector.adapters.measure.services import as_attended, longest
from bisector.core.model.samples import Outcome
from bisector.core.model.units import Seconds
from bisector.engine.ports import RunOrder, RunRecord
from bisector.engine.stop import StopSignal
from bisector.errors import Cancelled, InfraFault

PIPE = f"{layout.OUT}/held"
_MARGIN: Seconds = 90.0
_POLL: Seconds = 0.02
_RELEASE_LIMIT: Seconds = 30.0


Told = tuple[HelperOrder, Mapping[str, str]]
"""An order, and what is set for it."""


class _Unserved(Cancelled):
    """The services are gone: nothing is left to put load on."""


class _WhileServed(StopSignal):
    """Asks to stop where the process is asked to, and once the services have ended."""

    def __init__(self, outer: StopSignal, services: "Future[Answer | None]") -> None:
        super().__init__()
        self._outer, self._services = outer, services

    def check(self) -> None:
        """Raise `Cancelled`, or `_Unserved`."""
        self._outer.check()
        if self._services.done():
            raise _Unserved("the services ended")


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadSide:
    """How load is made for the runs of one session: from which image, fenced in how, and by which order."""

    engine: Engine
    workshop: Workshop
    image: Mapping[str, Any]
    host_config: Mapping[str, Any]
    places: Places
    order: RunOrder
    stop: StopSignal

    def join(self, services: Container) -> Container:
        """A container of the load's image in the network of the services' one; the caller removes it."""
        plan = Plan(
            image=self.image,
            user=layout.RUN_USER,
            role="client",
            host_config={**self.host_config, "network_mode": f"container:{services.id}"},
            env=layout.base_env(self.image),
            places=self.places,
        )
        return start(self.engine, self.workshop, plan)

    def run(self, services: Container, client: Container, served: HelperOrder) -> tuple[RunRecord, bool]:
        """One run: services in the one container, load in the other; what it came to, and whether both ended clean.

        `served` is the order for the services' side, of which the command is made here.
        """
        recipe = with_ports(self.order.recipe)
        order = replace(self.order, recipe=recipe)
        program = self.workshop.tools.inside("attend", layout.TOOLS, compiled=services.compiled)
        argv = self.places.fill_all(standing_in(order, program, PIPE))
        # Without streams what is said comes at once, and so when they are ready.
        attended = replace(served, argv=argv, timeout=longest(order) + _MARGIN, streams="")
        load_order = HelperOrder(
            argv=self.places.fill_all(recipe.command),
            cwd=layout.OUT,
            timeout=recipe.timeout_seconds,
            streams=layout.STREAMS,
            out=layout.OUT,
            collect=tuple(name for name in served.collect if name in self.order.collect),
            fresh=served.fresh,
            container=True,
        )
        held = threading.Event()
        with ThreadPoolExecutor(1) as pool:
            # What all of them see has ports in it that the container's own environment does not know.
            env = self.places.fill_env(recipe.env)
            going = pool.submit(_attend, services, (attended, env), self.stop, held)
            try:
                load, clean = self._load(client, (load_order, env), going, held)
                self._release(services, load)
                record, ended = self._served(services, going.result(), attended)
            except BaseException:
                remove(self.engine, self.workshop, services.id)  # ends what the other thread waits for
                raise
        return put_together(load, record), clean and ended

    def _load(
        self,
        client: Container,
        told: Told,
        services: "Future[Answer | None]",
        held: threading.Event,
    ) -> tuple[RunRecord | None, bool]:
        """What the load came to, once the services are ready; None where they never were, or it was given up."""
        order, env = told
        while not held.wait(_POLL):
            self.stop.check()
            if services.done():
                return None, True
        try:
            stop = _WhileServed(self.stop, services)
            answer = client.call(order, layout.RUN_USER, stop, env)
        except _Unserved:
            return None, False
        outcome = outcome_of_silence(self.engine, client.id, answer)
        if answer is None or outcome is not None:
            reason = (
                "the load was out of memory" if outcome is Outcome.OOM else "the load did not end when it was told to"
            )
            return RunRecord(outcome=outcome or Outcome.TIMEOUT, reason=reason), False
        return as_run(answer, replace(self.order, collect=order.collect), order.argv[0])

    def _release(self, services: Container, load: RunRecord | None) -> None:
        """Tell the services' side that the load has ended, and how, where it waits for that."""
        if load is None:
            return
        program = self.workshop.tools.inside("attend", layout.TOOLS, compiled=services.compiled)
        status = "0" if load.outcome is Outcome.OK else "1"
        call = Call(
            container=services.id,
            argv=(*program, "release", PIPE, status),
            user=layout.RUN_USER,
            limit=_RELEASE_LIMIT,
            env={},
        )
        call_program(self.engine, call, self.stop)

    def _served(self, services: Container, answer: Answer | None, order: HelperOrder) -> tuple[RunRecord, bool]:
        outcome = outcome_of_silence(self.engine, services.id, answer)
        if answer is None or outcome is not None:
            told = (
                "over the memory limit" if outcome is Outcome.OOM else "the services did not end when they were told to"
            )
            return RunRecord(outcome=outcome or Outcome.TIMEOUT, reason=told), False
        record, ended = as_run(answer, replace(self.order, collect=order.collect), order.argv[0])
        return as_attended(record, self.order), ended


def _attend(services: Container, told: Told, stop: StopSignal, held: threading.Event) -> Answer | None:
    """The answer of the services' side, on a connection of this thread's own."""
    heard = bytearray()

    def listen(chunk: bytes) -> None:
        heard.extend(chunk[-64:])
        if HELD in heard:
            held.set()

    with Engine() as engine:
        return replace(services, engine=engine).call(told[0], layout.RUN_USER, stop, told[1], listen)


def client_image(engine: Engine, name: str) -> dict[str, Any]:
    """The load's image, pulled if need be."""
    found = images.find(engine, images.resolve(engine, name))
    if found is None:
        raise InfraFault(f"the image {name} is gone")
    return found
