"""What a service's own metrics say of a run: how far a counter went on, a gauge, quantiles of a histogram."""

import math
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from itertools import pairwise

from bisector.core.model.scenario import Metric
from bisector.formats.results.exposition import Exposition, answered, parse, selector
from bisector.formats.results.figures import Figure, listed
from bisector.formats.results.problem import ResultProblem
from bisector.formats.results.statistic import as_quantile, as_share

QUANTITIES = ("delta", "last", "histogram")
BEFORE, AFTER = ".before", ".after"
"""What the two answers are called, behind the service's name."""
_COUNTER_ENDS = ("_total", "_count", "_sum", "_bucket")
_START = "process_start_time_seconds"
_UNITS = {"_seconds": "s", "_bytes": "B"}

Labels = tuple[tuple[str, str], ...]


def usual_unit(select: str, quantity: str) -> str:
    """The unit that a metric's name tells, as Prometheus' conventions have it."""
    found = selector(select)
    name = found[0] if found else ""
    if quantity != "histogram":
        name = name.removesuffix("_total").removesuffix("_sum")
    return next((unit for end, unit in _UNITS.items() if name.endswith(end)), "")


def read(metric: Metric, files: Mapping[str, bytes]) -> Figure:
    """The value of `metric` by what the service told before and after the load."""
    name, wanted = _asked(metric)
    before, after = (_told(metric, files, when) for when in (BEFORE, AFTER))
    _check_process(before, after)
    if metric.quantity == "histogram":
        value = _histogram(metric, (before, after), name, wanted)
    elif metric.quantity == "last":
        value = _sum(metric, _matching(after, name, wanted).values())
    else:
        value = _delta((before, after), name, wanted, metric)
    return Figure(benchmark="", quantity=metric.name, unit=metric.unit, stated={_key(metric.statistic): value})


def series_there(metric: Metric, files: Mapping[str, bytes]) -> list[Figure]:
    """Every name that the service told after the load, for somebody who looks for one."""
    names = dict.fromkeys(series.name for series in _told(metric, files, AFTER).series)
    return [Figure(benchmark=name, quantity="delta") for name in names]


def _key(statistic: str) -> str:
    return {"p50": "median"}.get(statistic, statistic)


def _asked(metric: Metric) -> tuple[str, Mapping[str, str]]:
    found = selector(metric.select or metric.name)
    if found is None:  # a scenario of a later version, taken from its job
        raise ResultProblem(f'{metric.select!r} is not like http_requests_total{{code="500"}}')
    return found


def _told(metric: Metric, files: Mapping[str, bytes], when: str) -> Exposition:
    name = metric.file + when
    if name not in files:
        raise ResultProblem(f"what the service told of itself {when[1:]} the load is gone")
    return parse(answered(files[name], when[1:]))


def _check_process(before: Exposition, after: Exposition) -> None:
    starts = [{series.value for series in each.named(_START)} for each in (before, after)]
    if all(starts) and starts[0] != starts[1]:
        raise ResultProblem(
            "another process answered after the load than before: it was started anew, or is one of several"
        )


def _matching(told: Exposition, name: str, wanted: Mapping[str, str]) -> dict[Labels, float]:
    """The values of the series with this name and these labels, by all their labels."""
    return {each.labels: each.value for each in told.named(name) if wanted.items() <= each.label_map.items()}


def _sum(metric: Metric, values: Iterable[float]) -> float:
    there = list(values)
    if not there:
        raise ResultProblem(f"the service tells no {metric.select or metric.name}")
    return _added(there)


def _added(values: Iterable[float]) -> float:
    """Their sum; no number where some are infinite, or all of it is."""
    try:
        return math.fsum(values)
    except (ValueError, OverflowError):
        return math.nan


def _check_known(told: tuple[Exposition, Exposition], name: str, wanted: Mapping[str, str]) -> None:
    """A series that is not there has counted nothing, unless there is no such metric, or no such label."""
    after = told[1]
    found = after.named(name)
    if not found:
        family = name.removesuffix("_total").removesuffix("_count").removesuffix("_sum").removesuffix("_bucket")
        if name in after.types or family in after.types:
            return  # announced, and nothing of it has happened yet
        names = list(dict.fromkeys(each.name for each in after.series))
        near = get_close_matches(name, names, 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ResultProblem(f"the service tells no {name!r}{hint} (it tells: {listed(names)})")
    labels = {label for each in found for label, _ in each.labels}
    missing = sorted(wanted.keys() - labels)
    if missing:
        raise ResultProblem(f"{name} has no label {missing[0]!r} (it has: {listed(sorted(labels)) or 'none'})")


def _delta(told: tuple[Exposition, Exposition], name: str, wanted: Mapping[str, str], metric: Metric) -> float:
    _check_known(told, name, wanted)
    before, after = (_matching(each, name, wanted) for each in told)
    kind = told[1].types.get(name, told[1].types.get(name.removesuffix("_total"), ""))
    counts = kind == "counter" or (kind != "gauge" and name.endswith(_COUNTER_ENDS))
    if counts:
        _check_not_reset(name, before, after)
    elif not after:
        raise ResultProblem(f"the service tells no {metric.select or metric.name} after the load")
    return _added(after.values()) - _added(before.values())


def _check_not_reset(name: str, before: Mapping[Labels, float], after: Mapping[Labels, float]) -> None:
    for labels, value in before.items():
        now = after.get(labels)
        if now is None or now < value:
            told = "gone" if now is None else f"down to {now:g}"
            raise ResultProblem(
                f"{name} was at {value:g} before the load and is {told} after it: the service began to count anew"
            )


def _histogram(metric: Metric, told: tuple[Exposition, Exposition], name: str, wanted: Mapping[str, str]) -> float:
    if not told[1].named(f"{name}_bucket"):
        if told[1].named(f"{name}_sum"):
            raise ResultProblem(f"{name} is a summary: it tells no buckets to take a quantile of; read {name}_sum")
        _check_known(told, f"{name}_bucket", wanted)
    if metric.statistic == "mean":
        count = _delta(told, f"{name}_count", wanted, metric)
        if count <= 0:
            raise ResultProblem(f"nothing was observed by {name} during the load")
        return _delta(told, f"{name}_sum", wanted, metric) / count
    buckets = _buckets(told, name, wanted)
    if not buckets or buckets[-1][1] <= 0:
        raise ResultProblem(f"nothing was observed by {name} during the load")
    return statistic_of_buckets(buckets, metric.statistic)


def _buckets(told: tuple[Exposition, Exposition], name: str, wanted: Mapping[str, str]) -> list[tuple[float, float]]:
    """How many observations of the load lie at or below each bound, the bounds ascending."""
    before, after = (_matching(each, f"{name}_bucket", wanted) for each in told)
    _check_not_reset(f"{name}_bucket", before, after)
    sums: dict[float, float] = {}
    for labels, value in after.items():
        bound = _bound(dict(labels).get("le", ""), name)
        sums[bound] = sums.get(bound, 0.0) + value - before.get(labels, 0.0)
    found = sorted(sums.items())
    if found and (found[-1][0] != math.inf or any(one[1] > other[1] for one, other in pairwise(found))):
        raise ResultProblem(f"the buckets of {name} do not add up")
    return found


def _bound(text: str, name: str) -> float:
    try:
        return float(text.replace("Inf", "inf"))
    except ValueError:
        raise ResultProblem(f"a bucket of {name} has no bound") from None


def statistic_of_buckets(buckets: list[tuple[float, float]], statistic: str) -> float:
    """A quantile, or the share within a limit, of observations of which only counts per bucket are known.

    Within a bucket they are taken to lie evenly, as `histogram_quantile` has it; what lies beyond the last bound is
    not known, and a quantile there is a problem.
    """
    if found := as_share(statistic):
        below = _count_below(buckets, found[1]) / buckets[-1][1]
        return below if found[0] in ("<", "<=") else 1 - below
    share = {"median": 0.5}.get(statistic) or as_quantile(statistic)
    if share is None:
        raise ResultProblem(f"there is no {statistic} of a histogram: its values are not known, only its buckets")
    rank, lower, before = share * buckets[-1][1], 0.0, 0.0
    for bound, count in buckets:
        if count >= rank and count > before:
            if bound == math.inf:
                raise ResultProblem(f"the {statistic} lies beyond the last bucket, {lower:g}: give it wider buckets")
            return lower + (bound - lower) * (rank - before) / (count - before) if bound > 0 else bound
        lower, before = bound, count
    raise ResultProblem("the buckets do not add up")


def _count_below(buckets: list[tuple[float, float]], limit: float) -> float:
    lower, before = 0.0, 0.0
    for bound, count in buckets:
        if limit < bound:
            inside = 0.0 if bound == math.inf or bound <= lower else max(0.0, limit - lower) / (bound - lower)
            return before + (count - before) * inside
        lower, before = bound, count
    return before
