"""pytest-benchmark, as `--benchmark-json` and `--benchmark-save` write it."""

from collections.abc import Iterator
from typing import Any

from bisector.core.model.scenario import Better
from bisector.formats.results.figures import Figure
from bisector.formats.results.tree import document, is_number, number, numbers, objects, table, text_of, wrong

TOOL = "pytest-benchmark"
STATED = ("min", "max", "mean", "median")


def read(text: bytes) -> list[Figure]:
    """Each test's time a call, its calls a second, and the numbers it left in `extra_info`."""
    found = table(document(text, TOOL), TOOL, "the file")
    if "benchmarks" not in found or "machine_info" not in found:
        raise wrong(TOOL, "it has no 'benchmarks' and 'machine_info'")
    benchmarks = list(objects(found["benchmarks"], TOOL, "benchmarks"))
    names = [text_of(each.get("name"), TOOL, "a benchmark's name") for each in benchmarks]
    return [
        figure
        for each, name in zip(benchmarks, names, strict=True)
        for figure in _figures(each, name, alone=names.count(name) == 1)
    ]


def _figures(each: dict[str, Any], name: str, *, alone: bool) -> Iterator[Figure]:
    full = each.get("fullname")
    also: tuple[str, ...] = (full,) if isinstance(full, str) else ()
    if also and not alone:
        # Tests of one name in several modules: the full name tells them apart.
        name, also = also[0], (name,)
    stats = table(each.get("stats"), TOOL, f"'stats' of {name}")
    yield Figure(
        benchmark=name,
        quantity="time",
        unit="s",
        better=Better.LOWER,
        # A round's time is already divided by its iterations; saved files hold the rounds only if that was asked for.
        values=numbers(stats["data"], TOOL, f"'data' of {name}") if "data" in stats else (),
        stated={key: number(stats[key], TOOL, f"{key} of {name}") for key in STATED if key in stats},
        also=also,
    )
    if "ops" in stats:
        ops = number(stats["ops"], TOOL, f"ops of {name}")
        yield Figure(benchmark=name, quantity="ops", unit="1/s", better=Better.HIGHER, values=(ops,), also=also)
    for key, value in table(each.get("extra_info", {}), TOOL, f"'extra_info' of {name}").items():
        if is_number(value):
            yield Figure(benchmark=name, quantity=f"extra_info.{key}", values=(number(value, TOOL, key),), also=also)
