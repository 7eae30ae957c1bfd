"""oha, as `--output-format json` writes it."""

from dataclasses import replace
from typing import Any

from bisector.core.model.scenario import Better
from bisector.formats.results.figures import Figure
from bisector.formats.results.tree import document, is_number, number, share, table, wrong

TOOL = "oha"
CUT_OFF = "aborted due to deadline"
"""Requests under way when the time was up: the end of the run, not a failure."""
SUMMARY = {"average": "mean", "fastest": "min", "slowest": "max"}


def read(text: bytes) -> list[Figure]:
    """Latency and requests a second of the one address it was pointed at."""
    found = table(document(text, TOOL), TOOL, "the file")
    if "summary" not in found or "latencyPercentiles" not in found:
        raise wrong(TOOL, "it has no 'summary' and 'latencyPercentiles'")
    summary = table(found["summary"], TOOL, "'summary'")
    stated = {told: number(summary[key], TOOL, key) for key, told in SUMMARY.items() if is_number(summary.get(key))}
    for key, value in table(found["latencyPercentiles"], TOOL, "'latencyPercentiles'").items():
        if is_number(value):
            stated["median" if key == "p50" else key] = number(value, TOOL, key)
    rate = number(summary.get("requestsPerSec"), TOOL, "requestsPerSec")
    told, part = _failures(found)
    latency = Figure(benchmark="", quantity="latency", unit="s", better=Better.LOWER, stated=stated)
    throughput = Figure(benchmark="", quantity="rate", unit="1/s", better=Better.HIGHER, values=(rate,))
    return [replace(each, failed=told, failed_share=part) for each in (latency, throughput)]


def _failures(found: dict[str, Any]) -> tuple[str, float]:
    answers = table(found.get("statusCodeDistribution", {}), TOOL, "'statusCodeDistribution'")
    errors = table(found.get("errorDistribution", {}), TOOL, "'errorDistribution'")
    counted = {code: number(count, TOOL, code) for code, count in answers.items()}
    lost = sum(number(count, TOOL, why) for why, count in errors.items() if why != CUT_OFF)
    bad = lost + sum(count for code, count in counted.items() if code[:1] not in ("1", "2", "3"))
    total = lost + sum(counted.values())
    if not total:
        return "not one request was answered", 1.0
    return (f"{bad:.0f} of {total:.0f} requests failed", share(bad, total)) if bad else ("", 0.0)
