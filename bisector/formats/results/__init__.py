"""What a run printed or wrote, read into the value of each metric. One file a format."""

from collections.abc import Callable, Mapping

from bisector.core.model.counting import COUNTERS, count_file
from bisector.core.model.samples import Usage
from bisector.core.model.scenario import Better, Metric
from bisector.formats.results import counted, json_object, pattern, plain, printed
from bisector.formats.results.figures import Figure, checked, chosen
from bisector.formats.results.problem import ResultProblem
from bisector.formats.results.tools import TOOLS, usual_meaning

MEASURED: Mapping[str, Callable[[Usage], float]] = {
    "wall": lambda usage: usage.wall,
    "cpu": lambda usage: usage.cpu,
    "peak_memory": lambda usage: float(usage.peak_memory),
    "page_faults": lambda usage: float(usage.page_faults),
}
"""Metrics that we measure ourselves."""

READERS: Mapping[str, Callable[[bytes, Metric], list[float]]] = {
    "json": json_object.read,
    "number": plain.read,
    "printed": printed.read,
    **dict.fromkeys(("instructions", "allocations", "allocated_bytes", "peak_allocated", "syscalls"), counted.read),
    "size": plain.read,
}
"""Metrics that are read from what the run printed or wrote, or a tool around it."""

SOURCES = (*MEASURED, *READERS, *TOOLS)
UNITS = {
    "wall": "s",
    "cpu": "s",
    "peak_memory": "B",
    "size": "B",
    "allocated_bytes": "B",
    "peak_allocated": "B",
    "instructions": "instructions",
    "page_faults": "page faults",
    "allocations": "blocks",
    "syscalls": "calls",
}
"""Of metrics that we measure or count ourselves."""
USUAL_NAMES = {"json": "seconds", "number": "value"}
"""What a metric of the command line is called when nobody names it."""
LARGEST = 1e100
"""Beyond it sums of squares leave the range of floating point."""
NEVER_NEGATIVE = frozenset({"s", "ms", "us", "µs", "ns", "B", "1/s", "B/s"})
"""Units of quantities that cannot be below zero."""


def is_known_source(source: str) -> bool:
    """Whether a metric can be read from `source`."""
    return source in SOURCES or pattern.matches(source)


def wanted_files(metrics: tuple[Metric, ...]) -> tuple[str, ...]:
    """The files under {out} that have to be brought back to read `metrics`."""
    return tuple(sorted({metric.file for metric in metrics if metric.file}))


def meaning(source: str, select: str = "", quantity: str = "") -> tuple[str, Better]:
    """The unit of a metric and which way it improves, where nobody says either."""
    if source in TOOLS:
        return usual_meaning(source, select, quantity)
    return UNITS.get(source, ""), Better.LOWER


def metric_of_command(source: str, name: str = "") -> Metric:
    """The metric of a command on the command line that is read from `source`."""
    unit, better = meaning(source, name)
    own = source in MEASURED or source in COUNTERS
    called = source if own else name or USUAL_NAMES.get(source, "value")
    return Metric(
        name=called, source=source, file=count_file(source), unit=unit, better=better, exact=source in COUNTERS
    )


def read_value(metric: Metric, usage: Usage, stdout: bytes, files: Mapping[str, bytes]) -> float:
    """The value of `metric` in one run. ResultProblem says what is wrong with what the run printed or wrote."""
    if metric.source in MEASURED:
        return MEASURED[metric.source](usage)
    figure = read_figure(metric, stdout, files)
    return _checked(figure.value(metric.statistic), metric)


def read_figure(metric: Metric, stdout: bytes, files: Mapping[str, bytes]) -> Figure:
    """What a metric that is not measured by us was read from: its inner values, or what the tool made of them."""
    text = _text(metric, stdout, files)
    if metric.source in TOOLS:
        return checked(chosen(TOOLS[metric.source].read(text), metric), metric)
    reader = pattern.read if pattern.matches(metric.source) else READERS[metric.source]
    values = reader(text, metric)
    if not values:
        raise ResultProblem(f"no value of {metric.name} in the output")
    return Figure(benchmark="", quantity=metric.name, unit=metric.unit, values=tuple(values))


def figures_there(metric: Metric, stdout: bytes, files: Mapping[str, bytes]) -> list[Figure]:
    """Every figure in the file that a metric is read from; none where its source is no tool that lists any."""
    return TOOLS[metric.source].read(_text(metric, stdout, files)) if metric.source in TOOLS else []


def _text(metric: Metric, stdout: bytes, files: Mapping[str, bytes]) -> bytes:
    if metric.source == "size" and metric.file not in files:
        raise ResultProblem(f"there is no {metric.select or 'checkout'} to tell the size of after a run")
    if metric.file and metric.file not in files:
        raise ResultProblem(f"the run did not write {{out}}/{metric.file} as a regular file")
    return files[metric.file] if metric.file else stdout


def _checked(value: float, metric: Metric) -> float:
    if value != value or value in (float("inf"), float("-inf")):
        raise ResultProblem(f"{metric.name} is {value}, not a finite number")
    if abs(value) > LARGEST:
        raise ResultProblem(f"{metric.name} is {value:g}: no quantity is that large")
    if value < 0 and metric.unit in NEVER_NEGATIVE:
        raise ResultProblem(f"{metric.name} is {value:g} {metric.unit}: below zero")
    return value
