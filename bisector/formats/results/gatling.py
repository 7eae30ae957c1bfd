"""Gatling: `js/stats.json` or `js/global_stats.json` of a report. Its log changed its form often and is not read."""

from collections.abc import Iterator
from typing import Any

from bisector.core.model.scenario import Better
from bisector.formats.results.figures import Figure
from bisector.formats.results.tree import document, share, table, wrong

TOOL = "gatling"
STATED = {"meanResponseTime": "mean", "minResponseTime": "min", "maxResponseTime": "max"}
STATED |= {"percentiles1": "median", "percentiles2": "p75", "percentiles3": "p95", "percentiles4": "p99"}
TOTAL = "All Requests"
DEFAULT = "its four percentiles are taken to be 50, 75, 95 and 99: gatling.conf can name others"


def read(text: bytes) -> list[Figure]:
    """Each request's response time and answers a second, and those of all together, first."""
    found = table(document(text, TOOL), TOOL, "the file")
    return [figure for name, stats in _groups(found) for figure in _figures(name, stats)]


def _groups(found: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    if "numberOfRequests" in found:
        yield TOTAL, found
        return
    if "stats" not in found:
        raise wrong(TOOL, "it is neither a stats.json nor a global_stats.json")
    stats = table(found["stats"], TOOL, "'stats'")
    path = str(found.get("path") or stats.get("name") or "")
    yield (TOTAL if found.get("name") in ("Global Information", TOTAL) or not path else path), stats
    for each in table(found.get("contents", {}), TOOL, "'contents'").values():
        yield from _groups(table(each, TOOL, "an entry of 'contents'"))


def _figures(name: str, stats: dict[str, Any]) -> Iterator[Figure]:
    requests, bad = _total(stats, "numberOfRequests"), _total(stats, "numberOfRequests", "ko") or 0.0
    if requests is None:
        raise wrong(TOOL, f"the number of requests of {name} is missing")
    failed = f"{bad:.0f} of {requests:.0f} requests failed" if bad else "" if requests else "no request was made"
    part = share(bad, requests)
    stated = {told: value / 1000 for key, told in STATED.items() if (value := _total(stats, key)) is not None}
    yield Figure(
        benchmark=name,
        quantity="time",
        unit="s",
        better=Better.LOWER,
        stated=stated,
        failed=failed,
        failed_share=part,
        note=DEFAULT,
    )
    rate = _total(stats, "meanNumberOfRequestsPerSecond")
    if rate is not None:
        yield Figure(
            benchmark=name,
            quantity="rate",
            unit="1/s",
            better=Better.HIGHER,
            values=(rate,),
            failed=failed,
            failed_share=part,
        )


def _total(stats: dict[str, Any], key: str, part: str = "total") -> float | None:
    """A figure of all requests: numbers may be written as text, "-" where there is none."""
    value = table(stats.get(key, {}), TOOL, key).get(part)
    if value is None or value == "-":
        return None
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        raise wrong(TOOL, f"{key} is {str(value)[:20]!r} and no number") from None
