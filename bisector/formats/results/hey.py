"""hey: its text, or each request with `-o csv`. It writes seconds with four digits after the point."""

import csv
import re
from dataclasses import replace

from bisector.core.model.scenario import Better
from bisector.formats.results.figures import Figure
from bisector.formats.results.problem import ResultProblem
from bisector.formats.results.tree import NUMBER, WHOLE, share, wrong

TOOL = "hey"
ROUNDED = "hey rounds to 0.1 ms"
SUMMARY = {"Average": "mean", "Fastest": "min", "Slowest": "max"}
LINE = re.compile(rf"^  (Average|Fastest|Slowest):\s+({NUMBER}) secs", re.MULTILINE)
RATE = re.compile(rf"^  Requests/sec:\s+({NUMBER})", re.MULTILINE)
PERCENTILE = re.compile(rf"^  ({WHOLE})%+ in ({NUMBER}) secs", re.MULTILINE)
STATUS = re.compile(rf"^  \[({WHOLE})\]\s+({WHOLE}) responses", re.MULTILINE)
ERRORS = re.compile(rf"^  \[({WHOLE})\]\t(?!\d+ responses)", re.MULTILINE)


def read(text: bytes) -> list[Figure]:
    """Latency, with inner values from the CSV; requests a second from the text."""
    content = text.decode("utf-8", "replace").lstrip()
    if content.startswith("response-time,"):
        return [_from_csv(content)]
    rate = RATE.search(content)
    if rate is None:
        raise ResultProblem("the output holds no summary of hey: no 'Requests/sec'")
    stated = {SUMMARY[name]: float(value) for name, value in LINE.findall(content)}
    for percent, value in PERCENTILE.findall(content):
        # Where there are fewer requests than percentiles it fills up with "0% in 0.0000 secs".
        if percent != "0":
            stated["median" if percent == "50" else f"p{percent}"] = float(value)
    told, part = _failures(content)
    latency = Figure(benchmark="", quantity="latency", unit="s", better=Better.LOWER, stated=stated, note=ROUNDED)
    throughput = Figure(benchmark="", quantity="rate", unit="1/s", better=Better.HIGHER, values=(float(rate[1]),))
    return [replace(each, failed=told, failed_share=part) for each in (latency, throughput)]


def _failures(content: str) -> tuple[str, float]:
    answers = {int(code): int(count) for code, count in STATUS.findall(content)}
    errors = sum(map(int, ERRORS.findall(content)))
    total = sum(answers.values()) + errors
    bad = errors + sum(count for code, count in answers.items() if code >= 400)
    if not total:
        return "not one request was answered", 1.0
    return (f"{bad} of {total} requests failed", share(bad, total)) if bad else ("", 0.0)


def _from_csv(content: str) -> Figure:
    try:
        rows = list(csv.DictReader(content.split("\n"), strict=True))
        values = tuple(float(row["response-time"]) for row in rows)
        bad = sum(int(row["status-code"]) >= 400 for row in rows)
    except (KeyError, TypeError, ValueError, csv.Error):
        raise wrong(TOOL, "a line of its CSV cannot be read") from None
    if not rows:
        raise ResultProblem("not one request of hey was answered")
    return Figure(
        benchmark="",
        quantity="latency",
        unit="s",
        better=Better.LOWER,
        values=values,
        note=ROUNDED,
        failed=f"{bad} of {len(rows)} requests failed" if bad else "",
        failed_share=share(bad, len(rows)),
    )
