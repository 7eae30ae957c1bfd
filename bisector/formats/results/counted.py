"""What a tool around a command counted: a line for each process of the run, which are added up."""

import re

from bisector.core.model.scenario import Metric
from bisector.formats.results.problem import ResultProblem

_BY_VALGRIND = re.compile(rb"^==\d+== I\s+refs:\s+([\d,]+)\s*$", re.MULTILINE)
_BY_PERF = re.compile(rb"^([^,\n]*),[^,\n]*,(?:cpu_\w+/)?instructions[^,\n]*,[^,\n]*,([\d.]*)", re.MULTILINE)
_ALL_THE_TIME = 99.995
"""Per cent of the time; less means that the processor's counters were shared, and the number is an estimate."""


def read(text: bytes, metric: Metric) -> list[float]:
    """The count, of all processes together. A ResultProblem where a counter was not there, or not all the time."""
    lines = _BY_PERF.findall(text)
    if lines:
        return [sum(_of_perf(number, share, metric) for number, share in lines)]
    found = _BY_VALGRIND.findall(text)
    return [float(sum(int(number.replace(b",", b"")) for number in found))] if found else []


def _of_perf(number: bytes, share: bytes, metric: Metric) -> float:
    """One line of `perf stat -x,`. Of two kinds of processors one may not have been used at all."""
    if number == b"<not counted>":
        return 0.0
    if not number.isdigit():
        raise ResultProblem(f"the processor does not count {metric.name} here: perf says {number.decode()!r}")
    if share and float(share) < _ALL_THE_TIME:
        raise ResultProblem(f"{metric.name} were counted {float(share):g} % of the time only: others use the counter")
    return float(number)
