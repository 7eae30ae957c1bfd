"""What a run printed or wrote, read into the value of each metric. One file a format."""

from collections.abc import Callable, Mapping

from bisector.core.model.samples import Usage
from bisector.core.model.scenario import Metric
from bisector.formats.results import json_object, pattern, plain, printed
from bisector.formats.results.problem import ResultProblem
from bisector.formats.results.statistic import statistic_of

MEASURED: Mapping[str, Callable[[Usage], float]] = {
    "wall": lambda usage: usage.wall,
    "cpu": lambda usage: usage.cpu,
    "peak_memory": lambda usage: float(usage.peak_memory),
}
"""Metrics that we measure ourselves."""

READERS: Mapping[str, Callable[[bytes, Metric], list[float]]] = {
    "json": json_object.read,
    "number": plain.read,
    "printed": printed.read,
}
"""Metrics that are read from what the run printed or wrote."""

SOURCES = (*MEASURED, *READERS)
LARGEST = 1e100
"""Beyond it sums of squares leave the range of floating point."""
NEVER_NEGATIVE = frozenset({"s", "ms", "us", "µs", "ns", "B"})
"""Units of quantities that cannot be below zero."""


def is_known_source(source: str) -> bool:
    """Whether a metric can be read from `source`."""
    return source in SOURCES or pattern.matches(source)


def wanted_files(metrics: tuple[Metric, ...]) -> tuple[str, ...]:
    """The files under {out} that have to be brought back to read `metrics`."""
    return tuple(sorted({metric.file for metric in metrics if metric.file}))


def read_value(metric: Metric, usage: Usage, stdout: bytes, files: Mapping[str, bytes]) -> float:
    """The value of `metric` in one run. ResultProblem says what is wrong with what the run printed or wrote."""
    if metric.source in MEASURED:
        return MEASURED[metric.source](usage)
    if metric.file and metric.file not in files:
        raise ResultProblem(f"the run did not write {{out}}/{metric.file} as a regular file")
    text = files[metric.file] if metric.file else stdout
    reader = pattern.read if pattern.matches(metric.source) else READERS[metric.source]
    values = reader(text, metric)
    if not values:
        raise ResultProblem(f"no value of {metric.name} in the output")
    condense = statistic_of(metric.statistic)
    if condense is None:  # a scenario of a later version, taken from its job
        raise ResultProblem(f"no such statistic: {metric.statistic!r}")
    return _checked(condense(values), metric)


def _checked(value: float, metric: Metric) -> float:
    if value != value or value in (float("inf"), float("-inf")):
        raise ResultProblem(f"{metric.name} is {value}, not a finite number")
    if abs(value) > LARGEST:
        raise ResultProblem(f"{metric.name} is {value:g}: no quantity is that large")
    if value < 0 and metric.unit in NEVER_NEGATIVE:
        raise ResultProblem(f"{metric.name} is {value:g} {metric.unit}: below zero")
    return value
