"""JMH, as `-rf json` writes it."""

import re
from collections.abc import Iterator
from typing import Any

from bisector.core.model.scenario import Better
from bisector.formats.results.figures import Figure
from bisector.formats.results.tree import (
    SCALES,
    document,
    is_number,
    number,
    objects,
    rows,
    scaled,
    table,
    text_of,
    wrong,
)

TOOL = "jmh"
MODES = {"thrpt": Better.HIGHER, "avgt": Better.LOWER, "sample": Better.LOWER, "ss": Better.LOWER}
A_TIME = re.compile(r"(ns|us|ms|s|min|h)/op\Z")
A_RATE = re.compile(r"ops/(ns|us|ms|s|min|h)\Z")
STATED = {"0.0": "min", "50.0": "median", "90.0": "p90", "95.0": "p95", "99.0": "p99", "99.9": "p99.9", "100.0": "max"}


def read(text: bytes) -> list[Figure]:
    """Each benchmark with its parameters, by mode; the iterations of all forks are inner values."""
    return [figure for each in objects(document(text, TOOL), TOOL, "the file") for figure in _figures(each)]


def _figures(each: dict[str, Any]) -> Iterator[Figure]:
    plain, mode = text_of(each.get("benchmark"), TOOL, "a benchmark"), text_of(each.get("mode"), TOOL, "a mode")
    if mode not in MODES:
        raise wrong(TOOL, f"the mode {mode[:20]!r}")
    parameters = table(each.get("params", {}), TOOL, "'params'")
    name = f"{plain} ({', '.join(f'{key}={value}' for key, value in parameters.items())})" if parameters else plain
    short = ".".join(plain.split(".")[-2:])
    also = tuple(alias for alias in (plain, short, short.rsplit(".", 1)[-1]) if alias != name)
    metric = table(each.get("primaryMetric"), TOOL, f"'primaryMetric' of {name}")
    yield _figure(metric, Figure(benchmark=name, quantity=mode, better=MODES[mode], also=also))
    for key, second in table(each.get("secondaryMetrics", {}), TOOL, "'secondaryMetrics'").items():
        yield _figure(table(second, TOOL, key), Figure(benchmark=name, quantity=key.lstrip("·"), also=also))


def _figure(metric: dict[str, Any], known: Figure) -> Figure:
    told = text_of(metric.get("scoreUnit"), TOOL, "a scoreUnit")
    unit, factor = told, 1.0
    if found := A_TIME.match(told):
        unit, factor = "s", SCALES[found[1]]
    elif found := A_RATE.match(told):
        unit, factor = "1/s", 1 / SCALES[found[1]]
    raw = metric.get("rawData")
    inner = [value for fork in rows(raw, TOOL, "rawData") for value in rows(fork, TOOL, "a fork")] if raw else []
    values = tuple(scaled(value, factor, TOOL, "rawData") for value in inner if value != "NaN")
    percentiles = table(metric.get("scorePercentiles", {}), TOOL, "'scorePercentiles'")
    stated = {
        STATED[key]: scaled(value, factor, TOOL, key)
        for key, value in percentiles.items()
        if key in STATED and is_number(value)
    }
    if is_number(metric.get("score")):
        stated["mean"] = number(metric["score"], TOOL, "score") * factor
    return Figure(
        benchmark=known.benchmark,
        quantity=known.quantity,
        unit=unit,
        better=known.better,
        values=values,
        stated=stated,
        also=known.also,
    )
