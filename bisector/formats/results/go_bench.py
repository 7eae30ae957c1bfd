"""The text of `go test -bench`: one line a benchmark, or several with `-count`, which are its inner values."""

import re

from bisector.core.model.scenario import Better
from bisector.formats.results.figures import Figure
from bisector.formats.results.problem import ResultProblem
from bisector.formats.results.tree import scaled

TOOL = "go-bench"
LINE = re.compile(r"(Benchmark\S*)\s+\d+\s+(\S.*)")
PROCESSORS = re.compile(r"-\d+\Z")
UNIT_LINE = re.compile(r"Unit\s+(\S+)\s+.*better=(higher|lower)")
KNOWN: dict[str, tuple[str, float, Better]] = {
    "ns/op": ("s", 1e-9, Better.LOWER),
    "B/op": ("B", 1.0, Better.LOWER),
    "allocs/op": ("allocs", 1.0, Better.LOWER),
    "MB/s": ("B/s", 1e6, Better.HIGHER),
}
"""What a unit of Go is to us: our unit, how many of ours it is, and which way is better."""


def read(text: bytes) -> list[Figure]:
    """Each benchmark's figures; the quantity is Go's unit, time first."""
    directions: dict[str, Better] = {}
    values: dict[tuple[str, str], list[float]] = {}
    for line in text.decode("utf-8", "replace").split("\n"):
        if said := UNIT_LINE.match(line):
            directions[said[1]] = Better(said[2])
        if found := LINE.match(line):
            for unit, value in _pairs(found[2].split(), found[1]):
                values.setdefault((found[1], unit), []).append(value)
    if not values:
        raise ResultProblem("there is no line of a Go benchmark in the output (is -bench given, and does it match?)")
    first = sorted(values, key=lambda key: key[1] != "ns/op")
    return [_figure(*key, values[key], directions) for key in first]


def _pairs(words: list[str], name: str) -> list[tuple[str, float]]:
    """The figures of a line, each with its unit."""
    if len(words) % 2:
        raise ResultProblem(f"the line of {name} has a figure without its unit")
    try:
        return [(unit, float(value)) for value, unit in zip(words[::2], words[1::2], strict=True)]
    except ValueError:
        raise ResultProblem(f"the line of {name} has something else where a number should be") from None


def _figure(name: str, quantity: str, values: list[float], directions: dict[str, Better]) -> Figure:
    unit, factor, better = KNOWN.get(quantity, ("", 1.0, None))
    # The number of processors is part of a name and changes with the machine: it may be left out where one asks.
    plain = PROCESSORS.sub("", name)
    return Figure(
        benchmark=name,
        quantity=quantity,
        unit=unit,
        better=better or directions.get(quantity),
        values=tuple(scaled(value, factor, TOOL, quantity) for value in values),
        also=(plain,) if plain != name else (),
    )
