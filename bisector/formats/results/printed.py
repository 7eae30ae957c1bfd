"""Whatever a command prints: a number, or a JSON object with one number in it, on the last line of its output."""

from bisector.core.model.scenario import Metric
from bisector.formats.results import json_object, plain, strict_json
from bisector.formats.results.problem import ResultProblem

USUAL = ("seconds", "value", "result", "time")
"""Keys that are taken when a JSON object holds several numbers."""


def read(text: bytes, metric: Metric) -> list[float]:
    """The number on the last line, or the one number of the JSON object there."""
    last = text.decode("utf-8", "replace").strip().rsplit("\n", 1)[-1]
    if not last.startswith("{"):
        return plain.read(text, metric)
    document = strict_json.loads(last)
    names = [name for name, value in document.items() if isinstance(value, int | float) and not isinstance(value, bool)]
    chosen = names if len(names) == 1 else [name for name in USUAL if name in names][:1]
    if not chosen:
        raise ResultProblem(f"the JSON object holds {len(names)} numbers; name one with --metric")
    return json_object.numbers(document[chosen[0]], metric)
