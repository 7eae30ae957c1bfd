"""The two Dockerfile modes: an image built by the engine's classic builder, on which the recipe's steps then run."""

import contextlib
import io
import tarfile
import tempfile
import threading
import time
from collections.abc import Generator, Mapping
from pathlib import Path, PurePosixPath
from queue import Empty, SimpleQueue
from typing import IO, Any

import requests

from bisector.adapters import durable
from bisector.adapters.docker.engine import PATIENT_LIMIT, Engine, faults
from bisector.adapters.docker.layout import build_memory, other_cpus
from bisector.adapters.docker.leftovers import Leftovers
from bisector.adapters.measure.log import BuildLog
from bisector.adapters.measure.outcome import last_line
from bisector.adapters.measure.places import LAYOUT
from bisector.adapters.measure.steps import Failure
from bisector.core.model.samples import Outcome
from bisector.core.model.units import Seconds
from bisector.engine.ports import BuildOrder
from bisector.engine.stop import StopSignal
from bisector.errors import ScenarioError

OUR_NAME = ".bisector.Dockerfile"
POLL_SECONDS: Seconds = 0.2
_JOIN_LIMIT: Seconds = 10.0

Event = dict[str, Any]


def build_dockerfile(
    order: BuildOrder, labels: dict[str, str], log: BuildLog, stop: StopSignal, leftovers: Leftovers
) -> str | Failure:
    """The id of the image that the scenario's or the candidate's own Dockerfile makes of the checkout."""
    with Engine() as engine, tempfile.TemporaryFile() as context:
        name = _write_context(order, context)
        log.say(f"+ docker build --file {order.recipe.dockerfile or order.recipe.candidate_dockerfile}")
        options = _options(order, labels, context, name, engine.info())
        image, problem = "", ""
        made = _events(engine, options, order.recipe.timeout_seconds, stop)
        with durable.step("build a Dockerfile"), contextlib.closing(made) as events:
            for event in events:
                if event is None:
                    reason = f"not done when the build's {order.recipe.timeout_seconds:g} s were over"
                    return Failure(outcome=Outcome.TIMEOUT, reason=f"the Dockerfile was {reason}")
                said = str(event.get("stream", ""))
                log.write(said.encode())
                leftovers.note(said)
                problem = str(event.get("error", problem))
                image = str((event.get("aux") or {}).get("ID", image))
    if problem or not image:
        log.say(problem)
        cause = last_line(problem.encode()) or "no image came of it"
        return Failure(outcome=Outcome.BUILD_FAILED, reason=f"the Dockerfile failed: {cause}")
    return image


def _write_context(order: BuildOrder, context: IO[bytes]) -> str:
    """Write the checkout as a tar, with our own Dockerfile added where it is ours; the Dockerfile's name in it."""
    with order.source() as stream:
        while block := stream.read(1 << 20):
            context.write(block)
    context.seek(0)
    if not order.recipe.dockerfile:
        return str(order.recipe.candidate_dockerfile)
    text = _own_dockerfile(order)
    with tarfile.open(fileobj=context, mode="a") as archive:
        member = tarfile.TarInfo(OUR_NAME)
        member.size = len(text)
        archive.addfile(member, io.BytesIO(text))
    context.seek(0)
    return OUR_NAME


def _own_dockerfile(order: BuildOrder) -> bytes:
    name = PurePosixPath(str(order.recipe.dockerfile))
    path = None if order.files is None else order.files / Path(name)
    if path is None or name.is_absolute() or ".." in name.parts or not path.is_file():
        raise ScenarioError(f"there is no {name} beside the scenario", where="[build] dockerfile")
    return path.read_bytes()


def _options(
    order: BuildOrder, labels: dict[str, str], context: IO[bytes], name: str, info: Mapping[str, Any]
) -> dict[str, Any]:
    memory, cpus = build_memory(info), other_cpus(info, order.leave_cpus)
    aside = {"cpusetcpus": cpus["cpuset_cpus"], "cpushares": cpus["cpu_shares"]} if cpus else {}
    return {
        "fileobj": context,
        "custom_context": True,
        "dockerfile": name,
        "nocache": order.clean,
        "buildargs": {LAYOUT: str(order.layout)} if order.layout else None,
        "rm": True,
        "forcerm": True,
        "labels": labels,
        "network_mode": "none" if order.recipe.network == "none" else None,
        "container_limits": {"memory": memory, "memswap": memory, **aside},
        "timeout": int(PATIENT_LIMIT),
        "decode": True,
    }


def _events(engine: Engine, options: dict[str, Any], timeout: Seconds, stop: StopSignal) -> Generator[Event | None]:
    """What the builder says, as it says it; None when `timeout` is over.

    The SDK waits for the next word for as long as the builder is silent. So a thread listens, and is freed by
    shutting its connection, which also makes the engine give the build up.
    """
    limit = time.monotonic() + timeout
    said: SimpleQueue[Event | BaseException | None] = SimpleQueue()
    responses: list[requests.Response] = []

    def keep(response: requests.Response, *_: object, **__: object) -> None:
        responses.append(response)

    def listen() -> None:
        try:
            for event in engine.api.build(**options):
                said.put(event)
            said.put(None)
        except BaseException as error:  # noqa: BLE001  handed to the thread that asked
            said.put(error)

    engine.api.hooks["response"].append(keep)
    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    try:
        while True:
            stop.check()
            if time.monotonic() > limit:
                yield None
                return
            try:
                event = said.get(timeout=POLL_SECONDS)
            except Empty:
                continue
            if event is None:
                return
            if isinstance(event, BaseException):
                with faults("build a Dockerfile"):
                    raise event
            yield event
    finally:
        for response in responses:
            with contextlib.suppress(ValueError, RuntimeError, OSError):
                response.raw.shutdown()
        listener.join(_JOIN_LIMIT)
        for response in responses:
            response.close()
