"""What a tool around a command counted: lines of each process of the run, which are added up."""

import re
from collections.abc import Mapping

from bisector.core.model.scenario import Metric
from bisector.formats.results.problem import ResultProblem

_VALGRINDS: Mapping[str, re.Pattern[bytes]] = {
    "instructions": re.compile(rb"^==\d+== I\s+refs:\s+([\d,]+)\s*$", re.MULTILINE),
    "allocations": re.compile(rb"^==\d+== Total:\s+[\d,]+ bytes? in ([\d,]+) blocks?\s*$", re.MULTILINE),
    "allocated_bytes": re.compile(rb"^==\d+== Total:\s+([\d,]+) bytes?\b", re.MULTILINE),
    "peak_allocated": re.compile(rb"^==\d+== At t-gmax:\s+([\d,]+) bytes?\b", re.MULTILINE),
    "syscalls": re.compile(rb"^counted (\d+)$", re.MULTILINE),
}
_BY_PERF = re.compile(rb"^([^,\n]*),[^,\n]*,(?:cpu_\w+/)?instructions[^,\n]*,[^,\n]*,([\d.]*)", re.MULTILINE)
_ALL_THE_TIME = 99.995
"""Per cent of the time; less means that the processor's counters were shared, and the number is an estimate."""
_BY_MALLOC = frozenset({"allocations", "allocated_bytes", "peak_allocated"})


def read(text: bytes, metric: Metric) -> list[float]:
    """The count, of all processes together. A ResultProblem where it is not one of the whole run."""
    lines = _BY_PERF.findall(text) if metric.source == "instructions" else []
    if lines:
        return [sum(_of_perf(number, share, metric) for number, share in lines)]
    found = _VALGRINDS[metric.source].findall(text)
    total = float(sum(int(number.replace(b",", b"")) for number in found))
    if found and not total and metric.source in _BY_MALLOC:
        raise ResultProblem("nothing was allocated by malloc: a program that is linked statically does it unseen")
    return [total] if found else []


def _of_perf(number: bytes, share: bytes, metric: Metric) -> float:
    """One line of `perf stat -x,`. Of two kinds of processors one may not have been used at all."""
    if number == b"<not counted>":
        return 0.0
    if not number.isdigit():
        raise ResultProblem(f"the processor does not count {metric.name} here: perf says {number.decode()!r}")
    if share and float(share) < _ALL_THE_TIME:
        raise ResultProblem(f"{metric.name} were counted {float(share):g} % of the time only: others use the counter")
    return float(number)
