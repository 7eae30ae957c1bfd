"""vegeta, as `vegeta report -type=json` writes it."""

from dataclasses import replace

from bisector.core.model.scenario import Better
from bisector.formats.results.figures import Figure
from bisector.formats.results.tree import document, is_number, number, scaled, table, wrong

TOOL = "vegeta"
LATENCIES = {"mean": "mean", "50th": "median", "90th": "p90", "95th": "p95", "99th": "p99", "min": "min", "max": "max"}


def read(text: bytes) -> list[Figure]:
    """Latency, answers a second (`rate`, which is its throughput: the rate it was told to send at is no figure)."""
    found = table(document(text, TOOL), TOOL, "the file")
    if "latencies" not in found or "success" not in found:
        raise wrong(TOOL, "it has no 'latencies' and 'success'")
    latencies = table(found["latencies"], TOOL, "'latencies'")
    stated = {
        told: scaled(latencies[key], 1e-9, TOOL, key)
        for key, told in LATENCIES.items()
        if is_number(latencies.get(key))
    }
    figures = [Figure(benchmark="", quantity="latency", unit="s", better=Better.LOWER, stated=stated)]
    if is_number(found.get("throughput")):
        rate = number(found["throughput"], TOOL, "throughput")
        figures.append(Figure(benchmark="", quantity="rate", unit="1/s", better=Better.HIGHER, values=(rate,)))
    part = 1 - number(found["success"], TOOL, "success")
    requests = number(found.get("requests"), TOOL, "requests")
    told = f"{part * requests:.0f} of {requests:.0f} requests failed" if part > 0 or not requests else ""
    return [replace(each, failed=told, failed_share=part if requests else 1.0) for each in figures]
