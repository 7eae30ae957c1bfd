"""What can count instructions in a container: valgrind, brought along with the other tools; the image needs nothing."""

from functools import cache

from bisector.adapters.docker import images
from bisector.adapters.docker.engine import Engine
from bisector.adapters.docker.workshop import Workshop
from bisector.adapters.measure.counting import Found, Trials, valgrind_found
from bisector.adapters.measure.tools import Tools
from bisector.core.model.counting import CounterTool

_NO_PERF = "a container may not use the processor's counters (perf stat); the local runner may, where there are any"


def counters_inside(engine: Engine, workshop: Workshop, image: str | None) -> Trials:
    """What there is to try for containers of `image`, an id, where one is known."""
    return {
        CounterTool.PERF: lambda: Found(problem=_NO_PERF),
        CounterTool.VALGRIND: lambda: _valgrind(engine, workshop, image),
    }


def _valgrind(engine: Engine, workshop: Workshop, image: str | None) -> Found:
    found = images.find(engine, image or "")
    machine = workshop.tools.machine
    if found is not None and not images.runs_code_for(found, machine):
        return Found(problem=f"the image is for another processor than the valgrind that is brought along ({machine})")
    return _tried(workshop.tools)


@cache
def _tried(tools: Tools) -> Found:
    """Tried where bisector is: it needs nothing of the system in a container, which may be any."""
    return valgrind_found(tools)
