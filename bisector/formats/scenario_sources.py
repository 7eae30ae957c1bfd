"""Metrics in a scenario file that go together with what is run: sizes, what services tell, slopes."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bisector.core.model.scenario import Metric
from bisector.formats.results import pattern, prometheus, sizes, slopes
from bisector.formats.results.exposition import selector

if TYPE_CHECKING:
    from bisector.formats.scenario import RunTable
    from bisector.formats.scenario_metrics import MetricTable

MOST_SIZES = 24
FEWEST_SIZES = 4
LEAST_SPAN = 4
"""Times as large as the smallest the largest size has to be: over less than that noise is most of an exponent."""


def check_sizes(found: Sequence[int], words: Iterable[str], *, zero: bool) -> None:
    """ValueError where sizes cannot tell a growth, or are put nowhere."""
    if not found:
        if zero:
            raise ValueError("size_zero goes together with sizes: name some")
        return
    if sorted(set(found)) != list(found) or found[0] < 1 or found[-1] > sizes.LARGEST:
        raise ValueError(f"sizes are whole numbers from 1 on that ascend, not {list(found)}")
    if len(found) < FEWEST_SIZES or found[-1] < LEAST_SPAN * found[0]:
        raise ValueError(
            f"name at least {FEWEST_SIZES} sizes, the largest at least {LEAST_SPAN} times the smallest, "
            "like sizes = [1000, 2000, 4000, 8000]"
        )
    if not any("{size}" in word for word in words):
        raise ValueError("sizes are named, and {size} stands nowhere in command or env")


def check_source(metric: "MetricTable", run: "RunTable") -> None:
    """ValueError where a metric's source wants something of [run] that is not there, or keys that it does not have."""
    match metric.source:
        case "growth" | "at_size":
            _check_growth(metric, run)
        case "prometheus":
            _check_prometheus(metric, run)
        case "slope" if metric.quantity or (metric.file and not metric.select and metric.file != slopes.MEMORY):
            raise ValueError(f"{metric.name}: a slope is of memory, or of a list that `select` names; no quantity")
        case _:
            pass


def _check_growth(metric: "MetricTable", run: "RunTable") -> None:
    if not run.sizes:
        raise ValueError(f"{metric.name}: {metric.source} wants sizes in [run], like sizes = [1000, 2000, 4000, 8000]")
    if metric.quantity not in ("", *sizes.QUANTITIES):
        raise ValueError(
            f"{metric.name}: no such quantity: {metric.quantity!r}; known are {', '.join(sizes.QUANTITIES)}"
        )
    size, _, printed = metric.select.partition(" ") if metric.source == "at_size" else ("", "", metric.select)
    if metric.source == "at_size" and size not in map(str, [0, *run.sizes]):
        raise ValueError(f"{metric.name}: select one of the sizes: {', '.join(map(str, run.sizes))}")
    if printed and not pattern.matches(printed):
        raise ValueError(f"{metric.name}: select is regex:PATTERN with one group, for a value printed at each size")


def _check_prometheus(metric: "MetricTable", run: "RunTable") -> None:
    told = [service for service in ([run.service] if run.service else run.services) if service.metrics]
    if len(told) != 1:
        what = "a service with a key metrics" if not told else "one service alone with a key metrics"
        raise ValueError(f"{metric.name}: prometheus wants {what}, like metrics = 'http://127.0.0.1:{{port}}/metrics'")
    known = ", ".join(prometheus.QUANTITIES)
    if metric.quantity not in ("", *prometheus.QUANTITIES):
        raise ValueError(f"{metric.name}: no such quantity: {metric.quantity!r}; known are {known}")
    if selector(metric.select or metric.name) is None:
        raise ValueError(f'{metric.name}: select a metric by its name, like http_requests_total{{code="500"}}')


def settled(metric: "MetricTable", run: "RunTable") -> dict[str, Any]:
    """What of a metric follows from its source: the file that it is read from, and what change is worth naming."""
    match metric.source:
        case "growth" | "at_size":
            usual = metric.source == "growth" and "min_effect" not in metric.model_fields_set
            return {"file": sizes.FILE, **({"min_effect": sizes.MIN_EFFECT} if usual else {})}
        case "prometheus":
            services = [run.service] if run.service else run.services
            name = next(service.name for service in services if service.metrics)
            return {"file": f"services/{name}"}
        case "slope" if not metric.select:
            return {"file": slopes.MEMORY, "unit": metric.unit or "B/s"}
        case _:
            return {}


def with_sizes(metrics: Sequence[Metric], found: Sequence[int], *, zero: bool) -> tuple[Metric, ...]:
    """The metrics, and for each exponent one for every size: what an exponent was made of is kept like any value."""
    names, added = {metric.name for metric in metrics}, []
    for metric in metrics:
        for size in ((0, *found) if zero else found) if metric.source == "growth" else ():
            name = at_size_name(metric.name, size)
            if name not in names:
                unit = "" if metric.select else sizes.QUANTITIES[metric.quantity or "wall"][1]
                select = f"{size} {metric.select}".strip()
                added.append(replace(metric, name=name, source="at_size", select=select, unit=unit, min_effect=0.03))
    return (*metrics, *added)


def at_size_name(metric: str, size: int) -> str:
    """What the metric is called that tells what one size of an exponent took."""
    return f"{metric} at {size}"
