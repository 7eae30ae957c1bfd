"""pyperf, as `-o FILE` writes it. Its own worker processes count as inner values: one run of ours started them all."""

from typing import Any

from bisector.core.model.scenario import Better
from bisector.formats.results.figures import Figure
from bisector.formats.results.tree import document, numbers, objects, table, wrong

TOOL = "pyperf"
VERSION = "1.0"
UNITS = {"second": "s", "byte": "B", "integer": ""}


def read(text: bytes) -> list[Figure]:
    """Each benchmark's values, those of calibration and warm-ups left out."""
    found = table(document(text, TOOL), TOOL, "the file")
    version = found.get("version")
    if "benchmarks" not in found or version is None:
        raise wrong(TOOL, "it has no 'benchmarks' and 'version'")
    if version != VERSION:
        raise wrong(TOOL, f"its format is {str(version)[:20]!r}, {VERSION!r} can be read")
    common = table(found.get("metadata", {}), TOOL, "'metadata'")
    return [_figure(each, common) for each in objects(found["benchmarks"], TOOL, "benchmarks")]


def _figure(each: dict[str, Any], common: dict[str, Any]) -> Figure:
    own = {**common, **table(each.get("metadata", {}), TOOL, "a benchmark's 'metadata'")}
    name, unit = str(own.get("name", "")), str(own.get("unit", "second"))
    if unit not in UNITS:
        raise wrong(TOOL, f"the unit of {name} is {unit[:20]!r}")
    runs = objects(each.get("runs"), TOOL, f"'runs' of {name}")
    values = tuple(value for run in runs for value in numbers(run.get("values", []), TOOL, f"'values' of {name}"))
    return Figure(
        benchmark=name,
        quantity="time" if unit == "second" else unit,
        unit=UNITS[unit],
        better=None if unit == "integer" else Better.LOWER,
        values=values,
    )
