"""Artillery 2, as `artillery run --output FILE` writes it: the summaries of the whole run."""

from dataclasses import replace
from typing import Any

from bisector.core.model.scenario import Better
from bisector.formats.results.figures import Figure
from bisector.formats.results.tree import document, is_number, number, scaled, share, table, wrong

TOOL = "artillery"
STATED = {"mean": "mean", "median": "median", "min": "min", "max": "max"}
STATED |= {"p75": "p75", "p90": "p90", "p95": "p95", "p99": "p99", "p999": "p99.9"}
USUAL = "http.response_time"
TIMES = ("response_time", "session_length")
"""What is in the name of a summary of times."""


def read(text: bytes) -> list[Figure]:
    """Every summary. A summary of Artillery is a benchmark here; those that are times are known by their names."""
    found = table(document(text, TOOL), TOOL, "the file")
    whole = table(found.get("aggregate"), TOOL, "'aggregate'")
    if "summaries" not in whole or "counters" not in whole:
        raise wrong(TOOL, "'aggregate' has no 'summaries' and 'counters': it is of a version before 2")
    told, part = _failures(table(whole["counters"], TOOL, "'counters'"))
    summaries = table(whole["summaries"], TOOL, "'summaries'")
    usual = sorted(summaries, key=lambda name: name != USUAL)
    figures = [_summary(name, table(summaries[name], TOOL, name)) for name in usual]
    if not figures:
        told, part = told or "not one request was answered", 1.0
        figures = [Figure(benchmark=USUAL, quantity="time", unit="s", better=Better.LOWER)]
    return [replace(each, failed=told, failed_share=part) for each in figures]


def _summary(name: str, each: dict[str, Any]) -> Figure:
    time = any(word in name for word in TIMES)
    stated = {
        told: scaled(each[key], 1e-3, TOOL, key) if time else number(each[key], TOOL, key)
        for key, told in STATED.items()
        if is_number(each.get(key))
    }
    return Figure(
        benchmark=name,
        quantity="time" if time else "value",
        unit="s" if time else "",
        better=Better.LOWER if time else None,
        stated=stated,
    )


def _failures(counters: dict[str, Any]) -> tuple[str, float]:
    """Errors, and answers that say that something is wrong, as a share of the requests."""
    counted = {name: number(count, TOOL, name) for name, count in counters.items() if is_number(count)}
    errors = sum(count for name, count in counted.items() if name.startswith("errors."))
    refused = sum(count for name, count in counted.items() if name.startswith(("http.codes.4", "http.codes.5")))
    bad, total = errors + refused, max(counted.get("http.requests", 0.0), errors + refused)
    return (f"{bad:.0f} of {total:.0f} requests failed", share(bad, total)) if bad else ("", 0.0)
