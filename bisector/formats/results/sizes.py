"""What one run took at each size of its work: time at a size, and the exponent by which time grows with size."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bisector.core.explain.growth import FEWEST, Growth, growth_of
from bisector.core.model.scenario import Metric
from bisector.formats.results import pattern
from bisector.formats.results.figures import Figure, listed
from bisector.formats.results.problem import ResultProblem

FILE = "services/sizes"
"""Below {out}, written by what attends the run: a line `SIZE NANOSECONDS MICROSECONDS KIB` for each size."""
LARGEST = 10**15
MIN_EFFECT = 0.1
"""A change of an exponent worth naming where nobody says: a tenth of it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AtSize:
    """What the command took at one size."""

    size: int
    wall: float
    cpu: float
    memory: float


QUANTITIES: Mapping[str, tuple[Callable[[AtSize], float], str]] = {
    "wall": (lambda at: at.wall, "s"),
    "cpu": (lambda at: at.cpu, "s"),
    "memory": (lambda at: at.memory, "B"),
}
"""What grows: how it is read, and its unit. Wall time when left out."""


def parse(content: bytes) -> list[AtSize]:
    """The sizes in their order; ResultProblem where the file is not what we wrote."""
    try:
        lines = [tuple(map(int, line.split())) for line in content.decode().splitlines()]
        if not all(line and 0 <= line[0] <= LARGEST for line in lines):
            raise ValueError("no size of ours")
        return [
            AtSize(size=size, wall=wall / 1e9, cpu=cpu / 1e6, memory=1024.0 * kib) for size, wall, cpu, kib in lines
        ]
    except (ValueError, OverflowError):
        raise ResultProblem("what each size took cannot be read: something else wrote into it") from None


def read_exponent(metric: Metric, stdout: bytes, files: Mapping[str, bytes]) -> Figure:
    """The exponent, with what it was made of as a note."""
    each = _values(metric, stdout, files)
    found = exponent(each)
    told = ", ".join(f"{value:.3g} at {size}" for size, value in each.items())
    note = f"{told}; fixed cost {found.fixed:.3g}" if found.sizes else f"{told}: hardly any growth above the fixed cost"
    return Figure(benchmark="", quantity=metric.name, stated={"median": found.exponent}, note=note)


def exponent(each: Mapping[int, float]) -> Growth:
    """How values by size grow; what size 0 took, where it was run, is the fixed cost."""
    grown = {size: value for size, value in each.items() if size}
    if len(grown) < FEWEST:
        raise ResultProblem(f"{len(grown)} sizes are too few to tell a growth of: it takes {FEWEST}")
    if not all(map(math.isfinite, each.values())):
        raise ResultProblem("what a size took is not a finite number")
    if min(each.values()) <= 0:
        raise ResultProblem("a size took no time at all: choose larger sizes")
    return growth_of(list(grown), list(grown.values()), each.get(0))


def read_at_size(metric: Metric, stdout: bytes, files: Mapping[str, bytes]) -> Figure:
    """What the size in `select` took."""
    wanted, _, printed = metric.select.partition(" ")
    each = _values(metric, stdout, files, printed)
    if not wanted.isdigit() or int(wanted) not in each:
        raise ResultProblem(f"there is no size {wanted!r} (there is: {listed([str(size) for size in each])})")
    return Figure(benchmark="", quantity=metric.name, stated={"median": each[int(wanted)]})


def _values(metric: Metric, stdout: bytes, files: Mapping[str, bytes], printed: str | None = None) -> dict[int, float]:
    """The values by size: as we measured them, or as the command printed one at each size."""
    if metric.file not in files:
        raise ResultProblem("what each size took is gone")
    each = parse(files[metric.file])
    source = metric.select if printed is None else printed
    if source:
        values = pattern.read(stdout, Metric(name=metric.name, source=source))
        if len(values) != len(each):
            raise ResultProblem(f"{len(each)} sizes were run, and {len(values)} values match in what they printed")
    else:
        read = QUANTITIES[metric.quantity or "wall"][0]
        values = [read(at) for at in each]
    return {at.size: value for at, value in zip(each, values, strict=True)}
