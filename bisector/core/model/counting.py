"""Counters: what a run did, counted instead of timed, and what has to be around its command to count it.

A count does not depend on what else the machine does, so one run of a commit tells it. It is a proxy: of two programs
with equally many instructions one can be slower. Where valgrind is around the command, its times are valgrind's.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from bisector.core.model.profiles import VALGRIND, surrounded
from bisector.core.model.scenario import Metric, RunRecipe
from bisector.core.model.units import Bytes


class CounterTool(StrEnum):
    """What can be around a command to count what it does."""

    PERF = "perf"
    """The processor's own counters: next to no cost; a few instructions more or less from run to run."""
    VALGRIND = "valgrind"
    """A simulation that carries every instruction out: many times slower, and the same number every time."""


COUNTERS: Mapping[str, tuple[CounterTool, ...]] = {
    "instructions": (CounterTool.PERF, CounterTool.VALGRIND),
    "allocations": (CounterTool.VALGRIND,),
    "allocated_bytes": (CounterTool.VALGRIND,),
    "peak_allocated": (CounterTool.VALGRIND,),
    "syscalls": (CounterTool.VALGRIND,),
    "page_faults": (),
    "size": (),
}
"""Sources of metrics that are counters, with the tools that can count them, the cheapest first; none where nothing has
to be around the command."""
NEGLIGIBLE = 0.01
"""A counter may vary by so much of the smallest change worth naming and still be taken as free of noise."""
COUNTED_BY = "counter"
"""Under this name a host tells what counts there: the tool's name, then its version."""
ROOM: Bytes = 1 << 30
"""Memory that valgrind may use beside the command."""
SIZE_OF = "size:"
"""Before the name of a file or directory of the checkout among the files that come back: its bytes are wanted, as a
number, and not what is in it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Way:
    """How valgrind counts something: its options, which of its lines tell (a pattern of the shell), and how many times
    as long as by itself a program may take. `each` is whether the lines themselves are counted."""

    options: str
    lines: str
    slowdown: float
    each: bool = False


_HEAP = _Way(options="--tool=dhat --dhat-out-file=/dev/null", lines='*"== Total: "*|*"== At t-gmax: "*', slowdown=300.0)
_WAYS: Mapping[str, _Way] = {
    "instructions": _Way(
        options="--tool=cachegrind --cache-sim=no --cachegrind-out-file=/dev/null", lines='*"refs:"*', slowdown=50.0
    ),
    "allocations": _HEAP,
    "allocated_bytes": _HEAP,
    "peak_allocated": _HEAP,
    "syscalls": _Way(
        options="--tool=none --trace-syscalls=yes", lines='"SYSCALL["*") sys_"*', slowdown=50.0, each=True
    ),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Counter:
    """A tool around a command, and the source of the metric that it counts."""

    tool: CounterTool
    source: str

    @property
    def distorts(self) -> bool:
        """Whether a run with it takes another time and other memory than by itself."""
        return self.tool is not CounterTool.PERF

    def tells(self, metric: Metric) -> bool:
        """Whether a run with it tells `metric`: a file of the checkout is as large, whoever measures."""
        if metric.source == "size" or _WAYS.get(metric.source) is _WAYS.get(self.source) is not None:
            return True
        return metric.source == self.source or not (self.distorts or COUNTERS.get(metric.source))

    def around(self, recipe: RunRecipe) -> RunRecipe:
        """The run with it, which leaves the count in its file below {out}."""
        file = count_file(self.source)
        if self.tool is CounterTool.PERF:
            perf = ("perf", "stat", "-x,", "-e", "instructions:u", "-o", f"{{out}}/{file}", "--")
            return surrounded(recipe, perf, slowdown=1.0, room=0)
        way = _WAYS[self.source]
        before = ("/bin/sh", "-c", _script(way, file), "{out}", VALGRIND)
        return surrounded(recipe, before, slowdown=way.slowdown, room=ROOM)


def count_file(source: str, select: str = "") -> str:
    """What comes back from below {out} to read a counter of; "" for a source that needs no file."""
    if source == "size":
        return f"{SIZE_OF}{select or '.'}"
    way = _WAYS.get(source)
    return "" if way is None else f"bisector.{'heap' if way is _HEAP else source}"


def is_counter(metric: Metric) -> bool:
    """Whether it is one that we count ourselves."""
    return metric.source in COUNTERS


def tells_itself(metric: Metric) -> bool:
    """Whether a run with nothing around it tells `metric`."""
    return not COUNTERS.get(metric.source)


def first_counted(metrics: Iterable[Metric]) -> Metric | None:
    """The first of `metrics` that wants a tool around the command; None where none does."""
    return next((metric for metric in metrics if COUNTERS.get(metric.source)), None)


def tools_for(metric: Metric) -> tuple[CounterTool, ...]:
    """The tools that may count it, by what its scenario says; none where it needs none."""
    tools = COUNTERS.get(metric.source, ())
    return tools if metric.tool == "auto" or not tools else (CounterTool(metric.tool),)


def counter_of(asked: Iterable[Metric], details: Mapping[str, str]) -> Counter | None:
    """What is around the runs of a job that asks for these metrics, on a host that told `details`; None for nothing."""
    metric, name = first_counted(asked), details.get(COUNTED_BY, "").partition(" ")[0]
    if metric is None or name not in set(CounterTool):
        return None
    return Counter(tool=CounterTool(name), source=metric.source)


def _script(way: _Way, file: str) -> str:
    """A line of shell: the command under valgrind, then what was counted of each of its processes, in one file."""
    found = "n=$((n+1))" if way.each else 'echo "$line"'
    told = f"; {'echo counted $n' if way.each else ':'}"
    return (
        f'count=$1; shift; "$count" --command-line-only=yes {way.options} --trace-children=yes '
        '--log-file="$0/counted.%p" -- "$@"; status=$?; for f in "$0"/counted.*; do [ -f "$f" ] || continue; n=0; '
        f'while read -r line; do case $line in {way.lines}) {found};; esac; done < "$f"{told}; '
        f'done > "$0/{file}"; exit $status'
    )
