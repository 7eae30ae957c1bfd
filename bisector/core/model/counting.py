"""Counters: what a run did, counted instead of timed, and what has to be around its command to count it.

A count does not depend on what else the machine does, so one run of a commit tells it. It is a proxy: of two programs
with equally many instructions one can be slower. Where a tool is around the command, its times are the tool's.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum

from bisector.core.model.profiles import CALLGRIND_SLOWDOWN, VALGRIND, surrounded
from bisector.core.model.scenario import Metric, RunRecipe
from bisector.core.model.units import Bytes


class CounterTool(StrEnum):
    """What can be around a command to count what it does."""

    PERF = "perf"
    """The processor's own counters: next to no cost; a few instructions more or less from run to run."""
    VALGRIND = "valgrind"
    """Every instruction carried out by a simulation: ten to fifty times slower, and the same number every time."""


COUNTERS: Mapping[str, tuple[CounterTool, ...]] = {"instructions": (CounterTool.PERF, CounterTool.VALGRIND)}
"""Sources of metrics that are counters, with the tools that can count them, the cheapest first; none where the kernel
does it unasked."""
NEGLIGIBLE = 0.01
"""A counter may vary by so much of the smallest change worth naming and still be taken as free of noise."""
COUNTED_BY = "counter"
"""Under this name a host tells what counts there: the tool's name, then its version."""
ROOM: Bytes = 1 << 30
"""Memory that valgrind may use beside the command."""

_VALGRIND = (
    'count=$1; shift; "$count" --command-line-only=yes --tool=cachegrind --cache-sim=no --cachegrind-out-file=/dev/null'
    ' --trace-children=yes --log-file="$0/counted.%p" -- "$@"; '
)
_GATHER = (
    'status=$?; for f in "$0"/counted.*; do while read -r line; do case $line in *"refs:"*) echo "$line";; esac; '
    'done < "$f"; done > "$0/{file}"; exit $status'
)


def count_file(source: str) -> str:
    """The file below {out} that holds what was counted; "" where no tool writes any."""
    return f"bisector.{source}" if COUNTERS.get(source) else ""


def is_counter(metric: Metric) -> bool:
    """Whether it is one that we count ourselves."""
    return metric.source in COUNTERS


def tools_for(metrics: Iterable[Metric]) -> tuple[CounterTool, ...]:
    """The tools that can count the first of `metrics` that wants one; none where none of them does."""
    for metric in metrics:
        tools = COUNTERS.get(metric.source, ())
        if tools:
            return tools if metric.tool == "auto" else (CounterTool(metric.tool),)
    return ()


def distorted(metrics: Iterable[Metric], tool: CounterTool) -> tuple[Metric, ...]:
    """Those of `metrics` that a run with `tool` around it does not tell."""
    return tuple(metric for metric in metrics if not is_told(metric, tool))


def is_told(metric: Metric, tool: CounterTool | None) -> bool:
    """Whether a run with `tool` around it, or none, tells `metric`: a program that is simulated is no faster or
    slower than it is, whoever measures it."""
    if tool is None:
        return not COUNTERS.get(metric.source)
    return tool in COUNTERS.get(metric.source, ()) or not distorts(tool)


def distorts(tool: CounterTool | None) -> bool:
    """Whether a run with `tool` around it takes another time and other memory than by itself."""
    return tool not in {None, CounterTool.PERF}


def tool_in(details: Mapping[str, str]) -> CounterTool | None:
    """What counts on a host that told `details`; None where nothing has to."""
    name = details.get(COUNTED_BY, "").partition(" ")[0]
    return CounterTool(name) if name in set(CounterTool) else None


def counting(recipe: RunRecipe, tool: CounterTool, source: str) -> RunRecipe:
    """The run with `tool` around it, which leaves the count of `source` in its file below {out}."""
    file = count_file(source)
    before: tuple[str, ...]
    if tool is CounterTool.PERF:
        before = ("perf", "stat", "-x,", "-e", "instructions:u", "-o", f"{{out}}/{file}", "--")
        return surrounded(recipe, before, slowdown=1.0, room=0)
    script = _VALGRIND + _GATHER.replace("{file}", file)
    before = ("/bin/sh", "-c", script, "{out}", VALGRIND)
    return surrounded(recipe, before, slowdown=CALLGRIND_SLOWDOWN, room=ROOM)
