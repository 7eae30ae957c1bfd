"""A JSON object on the last line of standard output, or a JSON file: a key or a dotted path chooses the value."""

from typing import Any

from bisector.core.model.scenario import Metric
from bisector.formats.results import strict_json
from bisector.formats.results.problem import ResultProblem


def read(text: bytes, metric: Metric) -> list[float]:
    """The number, or the numbers of a list, at `metric.select` (its name by default)."""
    content = text.decode("utf-8", "replace").strip()
    if not content:
        raise ResultProblem("the run printed nothing; a JSON object is wanted as the last line of its output")
    document = strict_json.loads(content if metric.file else content.rsplit("\n", 1)[-1])
    return numbers(at_path(document, metric.select or metric.name), metric)


def at_path(document: Any, path: str) -> Any:
    """What lies at `path` in `document`: a key as it is, else a dotted path in which numbers index lists."""
    if isinstance(document, dict) and path in document:
        return document[path]
    found = document
    for part in path.split("."):
        if isinstance(found, dict) and part in found:
            found = found[part]
        elif isinstance(found, list) and part.lstrip("-").isdigit() and -len(found) <= int(part) < len(found):
            found = found[int(part)]
        else:
            keys = ", ".join(sorted(map(str, document))[:12]) if isinstance(document, dict) else type(document).__name__
            raise ResultProblem(f"there is no {path!r} in the JSON (there is: {keys})")
    return found


def numbers(found: Any, metric: Metric) -> list[float]:
    """`found` as a list of numbers."""
    values = found if isinstance(found, list) else [found]
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ResultProblem(f"{metric.name} is {str(value)[:60]!r}, not a number")
    try:
        return [float(value) for value in values]
    except OverflowError:
        raise ResultProblem(f"{metric.name} is too large a number") from None
