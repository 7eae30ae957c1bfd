"""wrk's text. Percentiles are there with --latency only."""

import re
from dataclasses import replace

from bisector.core.model.scenario import Better
from bisector.formats.results.figures import Figure
from bisector.formats.results.problem import ResultProblem
from bisector.formats.results.tree import NUMBER, SCALES, WHOLE, scaled, share

TOOL = "wrk"
TIME = rf"({NUMBER})(us|ms|s|m|h)"
LATENCY = re.compile(rf"^\s+Latency\s+{TIME}\s+{TIME}\s+{TIME}\s", re.MULTILINE)
PERCENTILE = re.compile(rf"^\s+({NUMBER})%\s+{TIME}\s*$", re.MULTILINE)
REQUESTS = re.compile(rf"^\s+({WHOLE}) requests in ", re.MULTILINE)
RATE = re.compile(rf"^Requests/sec:\s+({NUMBER})", re.MULTILINE)
TRANSFER = re.compile(rf"^Transfer/sec:\s+({NUMBER})(B|KB|MB|GB|TB)", re.MULTILINE)
ERRORS = ", ".join(f"{kind} ({WHOLE})" for kind in ("connect", "read", "write", "timeout"))
SOCKETS = re.compile(rf"^\s+Socket errors: {ERRORS}", re.MULTILINE)
REFUSED = re.compile(rf"^\s+Non-2xx or 3xx responses: ({WHOLE})", re.MULTILINE)
SIZES = {"B": 0, "KB": 1, "MB": 2, "GB": 3, "TB": 4}


def read(text: bytes) -> list[Figure]:
    """Latency, requests a second and bytes a second of the one address it was pointed at."""
    content = text.decode("utf-8", "replace")
    rate, requests = RATE.search(content), REQUESTS.search(content)
    if rate is None or requests is None:
        raise ResultProblem("the output holds no summary of wrk: no 'Requests/sec'")
    told, part = _failures(content, int(requests[1]))
    figures = [
        Figure(benchmark="", quantity="latency", unit="s", better=Better.LOWER, stated=_latency(content)),
        Figure(benchmark="", quantity="rate", unit="1/s", better=Better.HIGHER, values=(float(rate[1]),)),
    ]
    if transfer := TRANSFER.search(content):
        bytes_a_second = float(transfer[1]) * 1024 ** SIZES[transfer[2]]
        figures.append(
            Figure(benchmark="", quantity="transfer", unit="B/s", better=Better.HIGHER, values=(bytes_a_second,))
        )
    return [replace(each, failed=told, failed_share=part) for each in figures]


def _latency(content: str) -> dict[str, float]:
    found = LATENCY.search(content)
    stated = {} if found is None else {"mean": _seconds(found[1], found[2]), "max": _seconds(found[5], found[6])}
    for percent, value, unit in PERCENTILE.findall(content):
        short = f"{float(percent):g}"
        stated["median" if short == "50" else f"p{short}"] = _seconds(value, unit)
    return stated


def _seconds(value: str, unit: str) -> float:
    return scaled(float(value), SCALES[unit], TOOL, "a latency")


def _failures(content: str, requests: int) -> tuple[str, float]:
    if requests == 0:
        return "not one request was answered", 1.0
    sockets, refused = SOCKETS.search(content), REFUSED.search(content)
    errors = sum(map(int, sockets.groups())) if sockets else 0
    bad = errors + (int(refused[1]) if refused else 0)
    return (f"{bad} of {requests + errors} requests failed", share(bad, requests + errors)) if bad else ("", 0.0)
