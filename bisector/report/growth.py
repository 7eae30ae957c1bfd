"""How time grows with size on both sides, in the words of the field: O(n) → O(n²), and from which size on."""

from collections.abc import Iterator, Sequence

import numpy as np

from bisector.core.explain.growth import growth_of, parting
from bisector.core.model.history import Place
from bisector.core.search.outlook import Outlook
from bisector.core.search.view import View
from bisector.formats.scenario_sources import at_size_name
from bisector.report import numbers

CLASSES = {0: "O(1)", 1: "O(n)", 2: "O(n²)", 3: "O(n³)"}
NEAR = 0.15
"""How far an exponent may lie from a whole one to be called by its name; n log n lies as near to n."""
FEWEST_BEYOND = 4
"""Sizes beyond the parting from which what is there has an exponent of its own."""


def notes_of_growth(found: Outlook) -> Iterator[str]:
    """What the exponents mean, where the metric is one and both ends were measured."""
    view = found.view
    if view.metric.source != "growth":
        return
    sizes = view.investigation.request.scenario.run.sizes
    sides = [_medians(view, view.place_at(index), sizes) for index in (view.low, view.high)]
    fixed = [_medians(view, view.place_at(index), (0,)) for index in (view.low, view.high)]
    if not sizes or not all(sides):
        return
    old, new = (growth_of(sizes, side, zero[0] if zero else None) for side, zero in zip(sides, fixed, strict=True))
    slower = parting(sizes, *sides)
    start = slower if slower is not None else parting(sizes, sides[1], sides[0])
    beyond = [at for at, size in enumerate(sizes) if start is not None and size >= start]
    if FEWEST_BEYOND <= len(beyond) < len(sizes):
        there = [sizes[at] for at in beyond]
        new = growth_of(there, [sides[1][at] for at in beyond], fixed[1][0] if fixed[1] else None)
    where = "" if start is None else f" from n ≈ {numbers.whole(_rounded(start))}"
    if start is not None and start <= sizes[0]:
        where = f" from n = {numbers.whole(sizes[0])} at the latest, the smallest size"
    classes = [_named(each.exponent) for each in (old, new)]
    alike = start is None and classes[0] == classes[1]
    change = f"{classes[0]} at both ends" if alike else f"{classes[0]} → {classes[1]}{where}"
    yield (
        f"{change}: time above the fixed cost grows as n^{old.exponent:.2f} at good and as n^{new.exponent:.2f} at bad"
        f"{' from there on' if FEWEST_BEYOND <= len(beyond) < len(sizes) else ''}."
    )


def _named(exponent: float) -> str:
    nearest = round(exponent)
    return CLASSES[nearest] if nearest in CLASSES and abs(exponent - nearest) <= NEAR else f"O(n^{exponent:.1f})"


def _rounded(size: float) -> int:
    """To two digits: that is as much as it is known."""
    digits = max(0, len(str(int(size))) - 2)
    return int(round(size, -digits))


def _medians(view: View, place: Place, sizes: Sequence[int]) -> list[float]:
    """The median time of the place's runs at each size; nothing where one of them has none."""
    middle = []
    for size in sizes:
        name = at_size_name(view.metric.name, size)
        values = [sample.values[name] for sample in view.samples if sample.place == place and name in sample.values]
        if not values:
            return []
        middle.append(float(np.median(values)))
    return middle
