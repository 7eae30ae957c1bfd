"""A regular expression with one group: every match is a value of the run."""

import re

from bisector.core.model.scenario import Metric
from bisector.formats.results.problem import ResultProblem

PREFIX = "regex:"


def matches(source: str) -> bool:
    """Whether `source` is a usable pattern: it compiles and has exactly one group."""
    if not source.startswith(PREFIX):
        return False
    try:
        return re.compile(source.removeprefix(PREFIX)).groups == 1
    except re.error:
        return False


def read(text: bytes, metric: Metric) -> list[float]:
    """Every number the pattern finds, line by line."""
    found = re.findall(metric.source.removeprefix(PREFIX), text.decode("utf-8", "replace"), re.MULTILINE)
    if not found:
        raise ResultProblem(f"nothing in the output matches {metric.source.removeprefix(PREFIX)!r}")
    try:
        return [float(value.replace(",", "")) for value in found]
    except ValueError as error:
        raise ResultProblem(f"{metric.name}: {error}") from None
