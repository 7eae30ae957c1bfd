"""Google Benchmark, as `--benchmark_format=json` and `--benchmark_out` write it."""

from typing import Any

from bisector.core.model.scenario import Better
from bisector.formats.results.figures import Figure
from bisector.formats.results.tree import SCALES, document, is_number, number, objects, scaled, table, text_of, wrong

TOOL = "google-benchmark"
TIMES = ("real_time", "cpu_time")
RATES = {"items_per_second": "1/s", "bytes_per_second": "B/s"}
OWN = frozenset(
    {
        *("family_index", "per_family_instance_index", "repetitions", "repetition_index", "threads", "iterations"),
        *("big_o", "rms", "cpu_coefficient", "real_coefficient"),
    }
)
"""Numbers of an entry that are no counters of the benchmark."""


def read(text: bytes) -> list[Figure]:
    """Each benchmark's real and processor time an iteration, rates and counters; repetitions are inner values."""
    found = table(document(text, TOOL), TOOL, "the file")
    if "benchmarks" not in found or "context" not in found:
        raise wrong(TOOL, "it has no 'benchmarks' and 'context'")
    version = table(found["context"], TOOL, "'context'").get("json_schema_version", 1)
    if version != 1:
        raise wrong(TOOL, f"its format is version {version}, 1 can be read")
    entries: dict[str, list[dict[str, Any]]] = {}
    for each in objects(found["benchmarks"], TOOL, "benchmarks"):
        name = text_of(each.get("run_name", each.get("name")), TOOL, "a benchmark's name")
        entries.setdefault(name, []).append(each)
    return [figure for name, each in entries.items() for figure in _figures(name, each)]


def _figures(name: str, entries: list[dict[str, Any]]) -> list[Figure]:
    single = [each for each in entries if each.get("run_type", "iteration") == "iteration"]
    errors = [each for each in single if each.get("error_occurred") or each.get("skipped")]
    if errors:
        told = str(errors[0].get("error_message") or errors[0].get("skip_message") or "no reason given")[:200]
        return [Figure(benchmark=name, quantity=TIMES[0], unit="s", better=Better.LOWER, failed=f"skipped: {told}")]
    kept = single or [each for each in entries if each.get("aggregate_name") in ("mean", "median")]
    quantities = dict.fromkeys(
        key for key in (*TIMES, *(key for each in kept for key in each)) if any(is_number(e.get(key)) for e in kept)
    )
    return [_figure(name, key, kept, inner=bool(single)) for key in quantities if key in TIMES or key not in OWN]


def _figure(name: str, key: str, entries: list[dict[str, Any]], *, inner: bool) -> Figure:
    values = {
        str(each.get("aggregate_name", place)): _value(each, key)
        for place, each in enumerate(entries)
        if is_number(each.get(key))
    }
    better = Better.LOWER if key in TIMES else Better.HIGHER if key in RATES else None
    return Figure(
        benchmark=name,
        quantity=key,
        unit="s" if key in TIMES else RATES.get(key, ""),
        better=better,
        values=tuple(values.values()) if inner else (),
        stated={} if inner else values,
    )


def _value(each: dict[str, Any], key: str) -> float:
    if key not in TIMES:
        return number(each[key], TOOL, key)
    unit = str(each.get("time_unit", "ns"))
    if unit not in SCALES:
        raise wrong(TOOL, f"the time unit {unit[:20]!r}")
    return scaled(each[key], SCALES[unit], TOOL, key)
