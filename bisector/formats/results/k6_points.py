"""k6's `--out json`: one JSON object a line, each metric declared once, then a line for each of its values."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from bisector.formats.results import strict_json
from bisector.formats.results.figures import Figure
from bisector.formats.results.k6_words import FAILED_REQUESTS, TOOL, figure_of, with_failures
from bisector.formats.results.problem import ResultProblem
from bisector.formats.results.tree import number, share, table, text_of, wrong


def read_points(text: bytes) -> list[Figure]:
    """Every metric, the values of a trend as inner values. Rates a second need the run's length: it is not told."""
    declared: dict[str, tuple[str, str]] = {}
    points: defaultdict[str, list[float]] = defaultdict(list)
    for line in _lines(text):
        name, data = text_of(line.get("metric"), TOOL, "a metric"), table(line.get("data"), TOOL, "'data'")
        if line.get("type") == "Metric":
            declared[name] = (str(data.get("type")), str(data.get("contains")))
        elif line.get("type") == "Point":
            points[name].append(number(data.get("value"), TOOL, f"a value of {name}"))
    if undeclared := sorted(points.keys() - declared.keys()):
        raise wrong(TOOL, f"{undeclared[0]} has values and is not declared")
    figures = [_figure(name, *declared[name], values) for name, values in points.items()]
    for name, bad in ((FAILED_REQUESTS, 1.0), ("checks", 0.0)):
        failed = sum(value == bad for value in points.get(name, []))
        if failed:
            total, what = len(points[name]), "requests" if name == FAILED_REQUESTS else "checks"
            return with_failures(figures, f"{failed} of {total} {what} failed", share(failed, total))
    return figures


def _lines(text: bytes) -> Iterator[dict[str, Any]]:
    for place, line in enumerate(text.decode("utf-8", "replace").split("\n"), start=1):
        if line.strip():
            try:
                yield table(strict_json.loads(line, constants=True), TOOL, f"line {place}")
            except ResultProblem as problem:
                raise ResultProblem(f"line {place}: {problem}") from None


def _figure(name: str, kind: str, contains: str, values: list[float]) -> Figure:
    if kind == "trend":
        return figure_of(name, "trend", contains, values=values)
    if kind == "counter":
        return figure_of(name, "count", contains, value=sum(values))
    if kind == "rate":
        return figure_of(name, "share", contains, value=share(sum(values), len(values)))
    return figure_of(name, "value", contains, value=values[-1])
