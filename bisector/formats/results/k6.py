"""k6: the summary that `--summary-export` writes, what `handleSummary` is given, the summary of version 2, or the
points of `--out json`. A metric of k6 is a benchmark here, what is made of it a quantity."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from bisector.formats.results.figures import Figure
from bisector.formats.results.k6_points import read_points
from bisector.formats.results.k6_words import FAILED_REQUESTS, TOOL, figure_of, usual_content, with_failures
from bisector.formats.results.tree import document, is_number, number, objects, table, text_of, wrong

NAMES = {"avg": "mean", "med": "median", "min": "min", "max": "max"}
PERCENTILE = re.compile(r"p\((\d+(?:\.\d+)?)\)\Z")
VERSION = "1.0.0"


def read(text: bytes) -> list[Figure]:
    """Every metric of the run. Failed requests and checks make the figures of the run unsound."""
    if _is_points(text):
        return read_points(text)
    found = table(document(text, TOOL), TOOL, "the file")
    if "results" in found:
        return _machine_readable(found)
    metrics = table(found.get("metrics"), TOOL, "'metrics'")
    read_so = [(name, table(each, TOOL, name)) for name, each in metrics.items()]
    figures = [figure for name, each in read_so for figure in _summarised(name, each)]
    return with_failures(figures, *_failures({name: each.get("values", each) for name, each in read_so}))


def _is_points(text: bytes) -> bool:
    first = text.lstrip().split(b"\n", 1)[0][:400].replace(b" ", b"")
    return b'"type":"Metric"' in first or b'"type":"Point"' in first


def _machine_readable(found: dict[str, Any]) -> list[Figure]:
    if found.get("version") != VERSION:
        raise wrong(TOOL, f"its summary is of version {str(found.get('version'))[:20]!r}, {VERSION!r} can be read")
    results = table(found["results"], TOOL, "'results'")
    entries = [
        (text_of(each.get("name"), TOOL, "a name"), each) for each in objects(results.get("metrics"), TOOL, "metrics")
    ]
    figures = [figure for name, each in entries for figure in _summarised(name, each)]
    checks = table(table(results.get("checks", {}), TOOL, "checks").get("metrics", {}), TOOL, "'metrics' of checks")
    passed = table(checks.get("checksSucceeded", {}), TOOL, "checksSucceeded").get("values")
    return with_failures(figures, *_failures({name: each.get("values", {}) for name, each in entries}, passed))


def _summarised(name: str, each: dict[str, Any]) -> Iterator[Figure]:
    values = table(each.get("values", each), TOOL, f"'values' of {name}")
    contains = str(each.get("contains") or usual_content(name))
    trend = {
        told: number(values[key], TOOL, f"{key} of {name}")
        for key in values
        if (told := _statistic(key)) and is_number(values[key])
    }
    if "avg" in values or "med" in values:
        yield figure_of(name, "trend", contains, stated=trend)
        return
    for key in ("rate", "count", "value"):
        if is_number(values.get(key)):
            single = number(values[key], TOOL, f"{key} of {name}")
            yield figure_of(name, _kind(key, values), contains, value=single)


def _kind(key: str, values: Mapping[str, Any]) -> str:
    """What a lone number is: a share where passes and fails were counted, else a rate, a count or a value."""
    return "share" if "passes" in values and key in ("rate", "value") else key


def _statistic(key: str) -> str:
    found = PERCENTILE.match(key)
    return NAMES.get(key, "median" if found and found[1] == "50" else f"p{found[1]}" if found else "")


def _failures(values: Mapping[str, Any], checks: Any = None) -> tuple[str, float]:
    """What failed by the run's own count, and how large a share it is of what was tried."""
    requests, passed = values.get(FAILED_REQUESTS), values.get("checks", checks)
    for counted, share_of_failed, what in ((requests, 1.0, "requests"), (passed, -1.0, "checks")):
        part = _share(counted)
        if part is not None:
            part = part if share_of_failed > 0 else 1 - part
            if part > 0:
                total = _count(counted, "passes") + _count(counted, "fails")
                return f"{part * total:.0f} of {total:.0f} {what} failed", part
    return "", 0.0


def _share(values: Any) -> float | None:
    """The share that a metric of kind rate came to, by whichever name."""
    found = [values[key] for key in ("rate", "value") if isinstance(values, dict) and is_number(values.get(key))]
    return float(found[0]) if found else None


def _count(values: Any, name: str) -> float:
    return float(values[name]) if isinstance(values, dict) and is_number(values.get(name)) else 0.0
