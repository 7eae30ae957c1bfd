"""How fast something grows over a run: resident memory, as it was looked at, or a list of values the run wrote."""

import math
from collections.abc import Mapping
from typing import Any

from bisector.core.explain.slope import FEWEST, theil_sen
from bisector.core.model.scenario import Metric
from bisector.formats.results import json_object, strict_json
from bisector.formats.results.figures import Figure
from bisector.formats.results.problem import ResultProblem

MEMORY = "services/memory"
"""Below {out}, written by what attends the run: a line `NANOSECONDS BYTES` each time memory was looked at."""


def read(metric: Metric, stdout: bytes, files: Mapping[str, bytes]) -> Figure:
    """The slope: bytes a second of memory, else what values grow by in a unit of their time."""
    times, values = _memory(files) if metric.file == MEMORY else _written(metric, stdout, files)
    if len(values) < FEWEST:
        raise ResultProblem(
            f"{len(values)} values are too few for a slope: {FEWEST} are the least, and many are better"
        )
    if not all(map(math.isfinite, (*times, *values))):
        raise ResultProblem(f"a value of {metric.name} is not a finite number")
    note = f"{len(values)} values, from {values[0]:g} to {values[-1]:g}"
    return Figure(benchmark="", quantity=metric.name, stated={"median": theil_sen(times, values)}, note=note)


def _memory(files: Mapping[str, bytes]) -> tuple[list[float], list[float]]:
    if MEMORY not in files:
        raise ResultProblem("what memory the run had is gone")
    try:
        pairs = [line.split() for line in files[MEMORY].decode().splitlines()]
        found = [(int(at) / 1e9, float(size)) for at, size in pairs]
    except (ValueError, OverflowError):
        raise ResultProblem("what memory the run had cannot be read: something else wrote into it") from None
    while found and found[-1][1] == 0:  # it ended before the last look
        found.pop()
    return [at for at, _ in found], [size for _, size in found]


def _written(metric: Metric, stdout: bytes, files: Mapping[str, bytes]) -> tuple[list[float], list[float]]:
    if metric.file and metric.file not in files:
        raise ResultProblem(f"the run did not write {{out}}/{metric.file} as a regular file")
    content = (files[metric.file] if metric.file else stdout).decode("utf-8", "replace").strip()
    document = strict_json.loads(content if metric.file else content.rsplit("\n", 1)[-1])
    found: Any = json_object.at_path(document, metric.select or metric.name)
    if not isinstance(found, list):
        raise ResultProblem(f"{metric.select or metric.name} is no list of values to tell a slope of")
    if found and all(isinstance(each, list) and len(each) == 2 for each in found):
        pairs = sorted(tuple(json_object.numbers(each, metric)) for each in found)
        return [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    values = json_object.numbers(found, metric)
    return [number / max(1, len(values) - 1) for number in range(len(values))], values
