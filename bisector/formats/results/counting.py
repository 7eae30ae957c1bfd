"""How often a regular expression matches: statements in a log, requests, warnings. None at all is a number, too."""

import re

from bisector.core.model.scenario import Metric
from bisector.formats.results.problem import ResultProblem

PREFIX = "count:"
CUT = b"[bisector: what stood before is gone]\n"
"""What stands at the beginning of a service's log that grew too large and was cut."""


def matches(source: str) -> bool:
    """Whether `source` counts by a usable pattern."""
    if not source.startswith(PREFIX) or source == PREFIX:
        return False
    try:
        re.compile(source.removeprefix(PREFIX))
    except re.error:
        return False
    return True


def read(text: bytes, metric: Metric) -> list[float]:
    """How often the pattern matches, line by line."""
    if text.startswith(CUT):
        raise ResultProblem(f"{metric.file} grew too large and was cut: what matched before is not known any more")
    found = re.finditer(metric.source.removeprefix(PREFIX), text.decode("utf-8", "replace"), re.MULTILINE)
    return [float(sum(1 for _ in found))]
