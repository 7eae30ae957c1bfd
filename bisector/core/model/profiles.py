"""Profilers as values: how a command is wrapped, which files come back, what reads them. A runner executes them.

A profiled run is never compared for time. Every profiler writes below {out}; {tools} is where what bisector brings
along lies, in a container as on this machine, so that nothing is installed in an image.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from bisector.core.model.history import Place
from bisector.core.model.scenario import ProfileRecipe, RunRecipe, Scenario
from bisector.core.model.units import Bytes, Seconds

CAPTURE_VERSION = 1
"""Raised when captures are taken or kept in another way."""
MOST_PROCESSES = 16
"""Processes of one run of which an in-process profiler brings files back."""
ROOM: Bytes = 512 << 20
"""Memory that a profiler may use beside the command."""
TRACING_ROOM: Bytes = 2 << 30
"""The same for one that remembers where each block was allocated."""
PERF_RATE_LIMIT = 999
"""perf keeps whole stacks (8 KiB each) of every sample: more a second than this and it drops some."""
PERF_STACK_BYTES = 8192
CALLGRIND_SLOWDOWN = 50.0
"""Times as long as by itself that a program takes under callgrind, about."""
WRITING: Seconds = 60.0
"""What a profiler may take to write, once the service that it is around has ended."""
VALGRIND = "{tools}/valgrind/launch"
"""Valgrind as it is brought along."""
_PYTHONS = ("python", "pytest", "py.test", "pypy")


class ProfilerName(StrEnum):
    """What can take samples."""

    PY_SPY = "py-spy"
    PYINSTRUMENT = "pyinstrument"
    PERF = "perf"
    TRACEMALLOC = "tracemalloc"
    """For a metric that is a size."""


class CaptureKind(StrEnum):
    """What a capture is: stacks with their weights, every call counted, or all that was allocated added up."""

    SAMPLED = "sampled"
    COUNTED = "counted"
    ALLOCATED = "allocated"


class Format(StrEnum):
    """What reads the files of a profiler."""

    SPEEDSCOPE = "speedscope"
    PYINSTRUMENT = "pyinstrument"
    PERF_SCRIPT = "perf script"
    CALLS = "calls"
    MEMORY = "memory"
    CALLGRIND = "callgrind"


@dataclass(frozen=True, kw_only=True, slots=True)
class Profiler:
    """How a run is profiled. `before` is put in front of its command; `files` below {out} come back, as far as they
    were written. `slowdown` is how many times as long the command may take, `room` the memory that the profiler needs
    beside it. With `beside_hz` it records the run from outside the container, so many times a second."""

    tool: str
    format: Format
    before: tuple[str, ...]
    files: tuple[str, ...]
    slowdown: float
    rate_hz: int = 0
    beside_hz: int = 0
    room: Bytes = ROOM

    def wrapped(self, recipe: RunRecipe) -> RunRecipe:
        """The run with the profiler around it: the same command and limits, with room for the profiler itself.

        Where a command puts load on services the profiler is around the one that is looked at, and has time to write
        when that has ended.
        """
        return surrounded(recipe, self.before, slowdown=self.slowdown, room=self.room)


def surrounded(recipe: RunRecipe, before: tuple[str, ...], *, slowdown: float, room: Bytes) -> RunRecipe:
    """The run with `before` around what is looked at: so many times as long a limit, and so much more memory."""
    roomy = replace(
        recipe,
        timeout_seconds=slowdown * recipe.timeout_seconds,
        memory_bytes=recipe.memory_bytes + room,
    )
    if not recipe.services:
        return replace(roomy, command=(*before, *recipe.command))
    *others, last = recipe.services
    wrapped = replace(
        last,
        around=before,
        ready_seconds=slowdown * last.ready_seconds,
        stop_seconds=slowdown * last.stop_seconds + WRITING,
    )
    return replace(roomy, services=(*others, wrapped))


def sampler(name: ProfilerName, recipe: ProfileRecipe, *, contained: bool = False) -> Profiler:
    """The profiler called `name`, set as the scenario says. What runs in a container is `contained`."""
    match name:
        case ProfilerName.PY_SPY:
            options = ("--native",) if recipe.native else ()
            return Profiler(
                tool=name,
                format=Format.SPEEDSCOPE,
                before=(
                    *("{tools}/py-spy", "record", "--format", "speedscope", "--output", "{out}/profile"),
                    *("--rate", str(recipe.rate_hz), "--subprocesses", "--full-filenames", *options, "--"),
                ),
                files=("profile",),
                slowdown=3.0,
                rate_hz=recipe.rate_hz,
            )
        case ProfilerName.PYINSTRUMENT:
            return _inside("sampling", str(name), Format.PYINSTRUMENT, interval=1.0 / recipe.rate_hz, slowdown=3.0)
        case ProfilerName.PERF:
            rate = min(recipe.rate_hz, PERF_RATE_LIMIT)
            return _perf_beside(rate) if contained else _perf(rate)
        case ProfilerName.TRACEMALLOC:
            return _inside("memory", str(name), Format.MEMORY, slowdown=30.0, room=TRACING_ROOM)


def counter() -> Profiler:
    """What counts the calls of Python functions."""
    return _inside("counting", "counts", Format.CALLS, slowdown=10.0)


def allocations() -> Profiler:
    """What adds up what Python functions allocate."""
    return _inside("allocating", "allocations", Format.CALLS, slowdown=30.0, room=TRACING_ROOM)


def native_counter() -> Profiler:
    """What counts calls and instructions of compiled functions: callgrind, brought along where it is installed beside
    bisector, else the image's own."""
    chosen = 'count=$1; shift; [ -x "$count" ] || count=valgrind; '
    missing = "command -v \"$count\" >/dev/null || { echo 'Error: valgrind is not installed there' >&2; exit 127; }; "
    count = '"$count" -q --tool=callgrind --trace-children=yes --callgrind-out-file="$0/callgrind.%p" -- "$@"; '
    number = f'status=$?; n=0; for f in "$0"/callgrind.*; do [ $n -lt {MOST_PROCESSES} ] || break; '
    return Profiler(
        tool="callgrind",
        format=Format.CALLGRIND,
        before=(
            "/bin/sh",
            "-c",
            f'{chosen}{missing}{count}{number}mv "$f" "$0/calls.$n"; n=$((n+1)); done; exit $status',
            "{out}",
            VALGRIND,
        ),
        files=tuple(f"calls.{number}" for number in range(MOST_PROCESSES)),
        slowdown=100.0,
    )


def _inside(
    hook: str,
    tool: str,
    read_as: Format,
    *,
    slowdown: float,
    interval: float = 0.0,
    room: Bytes = ROOM,
) -> Profiler:
    """A profiler that Python itself loads at its start, before anything of the program."""
    stem = {"memory": "memory", "allocating": "allocated"}.get(hook, "profile")
    settings = f'BISECTOR_INSIDE={hook} BISECTOR_PROFILE="{{out}}/{stem}" BISECTOR_INTERVAL={interval:.6f}'
    path = 'PYTHONPATH="{tools}/hook${PYTHONPATH:+:$PYTHONPATH}"'
    return Profiler(
        tool=tool,
        format=read_as,
        before=("/bin/sh", "-c", f'{settings} {path} exec "$@"', "sh"),
        files=tuple(f"{stem}.{number}" for number in range(MOST_PROCESSES)),
        slowdown=slowdown,
        rate_hz=round(1 / interval) if interval else 0,
        room=room,
    )


def _perf(rate: int) -> Profiler:
    """perf as the parent of the command; its data become text at once, while what was run is still there.

    cpu-clock works without hardware counters, as in most virtual machines. Frame pointers are rare: stacks are kept
    and unwound afterwards.
    """
    record = f'perf record -q -e cpu-clock:u -F {rate} --call-graph dwarf,{PERF_STACK_BYTES} -o "$0/perf.data" -- "$@"'
    script = 'perf script --no-inline -i "$0/perf.data" -F comm,pid,tid,time,period,event,ip,sym,dso > "$0/profile"'
    return Profiler(
        tool=ProfilerName.PERF,
        format=Format.PERF_SCRIPT,
        before=("/bin/sh", "-c", f"{record}; status=$?; {script} 2>/dev/null; exit $status", "{out}"),
        files=("profile",),
        slowdown=5.0,
        rate_hz=rate,
    )


def _perf_beside(rate: int) -> Profiler:
    """perf outside the container, which records the command from its first instruction on: it waits to be found.

    Nobody's child wakes it when it is not, so that it does not wait for its time limit.
    """
    waking = "( (sleep 30; kill -CONT $$) >/dev/null 2>&1 & ); "
    return Profiler(
        tool=ProfilerName.PERF,
        format=Format.PERF_SCRIPT,
        before=("/bin/sh", "-c", waking + 'kill -STOP $$; exec "$@"', "sh"),
        files=("profile",),
        slowdown=5.0,
        rate_hz=rate,
        beside_hz=rate,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """The profilers to try, the likeliest first, and why; `refused` are those this host or image cannot have."""

    able: tuple[ProfilerName, ...]
    refused: Mapping[str, str]
    why: str


def choose(scenario: Scenario, unusable: Mapping[ProfilerName, str], *, memory: bool = False) -> Choice:
    """What to profile the scenario with. `unusable` says of each profiler that the runner cannot have why not; with
    `memory` it is a size that wants to be explained."""
    if memory:
        return _choose_for_memory(scenario, unusable)
    wanted = scenario.profile.profiler
    order, why = _order(scenario) if wanted == "auto" else ((ProfilerName(wanted),), "the scenario asks for it")
    able = tuple(name for name in order if name not in unusable)
    refused = {str(name): unusable[name] for name in order if name in unusable}
    return Choice(able=able, refused=refused, why=why)


def _choose_for_memory(scenario: Scenario, unusable: Mapping[ProfilerName, str]) -> Choice:
    name = ProfilerName.TRACEMALLOC
    if not looks_like_python(scenario):
        reason = "it traces memory from within Python, and the command is not Python"
        return Choice(able=(), refused={str(name): reason}, why="the metric is a size")
    if name in unusable:
        return Choice(able=(), refused={str(name): unusable[name]}, why="the metric is a size")
    return Choice(able=(name,), refused={}, why="the metric is a size")


def looks_like_python(scenario: Scenario) -> bool:
    """Whether the command is Python by its name, or the build uses it."""
    return scenario.uses_python() or starts_python(scenario.run.looked_at)


def _order(scenario: Scenario) -> tuple[tuple[ProfilerName, ...], str]:
    spy, inside, perf = ProfilerName.PY_SPY, ProfilerName.PYINSTRUMENT, ProfilerName.PERF
    if starts_python(scenario.run.looked_at):
        return (spy, inside, perf), "the command is Python"
    if scenario.uses_python():
        return (perf, spy, inside), "the command is not Python by its name, though its build is"
    return (perf, spy, inside), "the command is not Python"


def starts_python(command: Sequence[str]) -> bool:
    """Whether the first word of a command names Python or one of its tools."""
    name = command[0].rpartition("/")[2] if command else ""
    return name.startswith(_PYTHONS)


@dataclass(frozen=True, kw_only=True, slots=True)
class CaptureSlot:
    """One capture: where, and of what kind."""

    place: Place
    kind: CaptureKind


def interleaved(
    places: Iterable[Place], captures: int, *, counted: bool, allocated: bool = False
) -> tuple[CaptureSlot, ...]:
    """So many captures of every place, in turns, each round beginning with another; then a count of each."""
    each = tuple(places)
    rounds = [each[turn % len(each) :] + each[: turn % len(each)] for turn in range(captures)] if each else []
    sampled = [CaptureSlot(place=place, kind=CaptureKind.SAMPLED) for turn in rounds for place in turn]
    kinds = [kind for kind, wanted in ((CaptureKind.COUNTED, counted), (CaptureKind.ALLOCATED, allocated)) if wanted]
    counts = [CaptureSlot(place=place, kind=kind) for kind in kinds for place in each]
    return (*sampled, *counts)
