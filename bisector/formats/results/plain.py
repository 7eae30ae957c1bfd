"""A plain number on the last line of the output."""

from bisector.core.model.scenario import Metric
from bisector.formats.results.problem import ResultProblem


def read(text: bytes, metric: Metric) -> list[float]:
    """The number on the last line that is not empty."""
    lines = text.decode("utf-8", "replace").split("\n")
    last = next((line.strip() for line in reversed(lines) if line.strip()), None)
    if last is None:
        raise ResultProblem("the run printed nothing; a number is wanted as the last line of its output")
    try:
        return [float(last)]
    except ValueError:
        raise ResultProblem(f"the last line of the output is {last[:60]!r}, not a number for {metric.name}") from None
