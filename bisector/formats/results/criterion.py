"""criterion: `sample.json` (with inner values) or `estimates.json` of one benchmark, in its directory `new`."""

from typing import Any

from bisector.core.model.scenario import Better
from bisector.formats.results.figures import Figure
from bisector.formats.results.tree import document, numbers, scaled, table, wrong

TOOL = "criterion"


def read(text: bytes) -> list[Figure]:
    """The one benchmark's time an iteration; its name is that of its directory and not in the file."""
    found = table(document(text, TOOL), TOOL, "the file")
    if "iters" in found and "times" in found:
        return [_time(values=_samples(found))]
    if "mean" in found and "median" in found:
        if "std_dev" not in found:
            raise wrong(TOOL, "estimates in 'change' are relative to an earlier run; read those in 'new'")
        return [_time(stated={key: _point(found[key], key) for key in ("mean", "median")})]
    raise wrong(TOOL, "it is neither a sample.json nor an estimates.json")


def _time(values: tuple[float, ...] = (), stated: dict[str, float] | None = None) -> Figure:
    return Figure(benchmark="", quantity="time", unit="s", better=Better.LOWER, values=values, stated=stated or {})


def _samples(found: dict[str, Any]) -> tuple[float, ...]:
    """Seconds an iteration in each sample."""
    iterations, times = numbers(found["iters"], TOOL, "'iters'"), numbers(found["times"], TOOL, "'times'")
    if len(iterations) != len(times) or not all(count > 0 for count in iterations):
        raise wrong(TOOL, "'iters' and 'times' do not belong together")
    return tuple(time / count / 1e9 for time, count in zip(times, iterations, strict=True))


def _point(found: Any, key: str) -> float:
    return scaled(table(found, TOOL, key).get("point_estimate"), 1e-9, TOOL, key)
