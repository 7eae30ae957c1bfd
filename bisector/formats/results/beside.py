"""Metrics of which more than one number goes into a run's value, by rules of their own."""

from collections.abc import Callable, Mapping

from bisector.core.model.scenario import Better, Metric
from bisector.formats.results import prometheus, sizes, slopes
from bisector.formats.results.figures import Figure

BESIDE: Mapping[str, Callable[[Metric, bytes, Mapping[str, bytes]], Figure]] = {
    "prometheus": lambda metric, _, files: prometheus.read(metric, files),
    "growth": sizes.read_exponent,
    "at_size": sizes.read_at_size,
    "slope": slopes.read,
}


def usual(source: str, select: str, quantity: str) -> tuple[str, Better]:
    """Unit and better direction of a metric that says neither."""
    match source:
        case "prometheus":
            return prometheus.usual_unit(select, quantity), Better.LOWER
        case "at_size":
            return sizes.QUANTITIES.get(quantity or "wall", (None, ""))[1], Better.LOWER
        case "slope":
            return ("B/s" if not select else ""), Better.LOWER
        case _:
            return "", Better.LOWER


def files_of(metric: Metric) -> tuple[str, ...]:
    """The files below {out} that it is read from."""
    if metric.source == "prometheus":
        return metric.file + prometheus.BEFORE, metric.file + prometheus.AFTER
    return (metric.file,) if metric.file else ()
