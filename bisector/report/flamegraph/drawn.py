"""What a flame graph draws: the nodes that can be seen, the cost of those that cannot counted to their callers."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from bisector.core.explain.difference import Basis, Difference
from bisector.core.explain.stacks import ROOT, BoolArray, FloatArray, IntArray, Origin
from bisector.report.text import one_line

MOST_NODES = 100_000
LONGEST_NAME = 160
STEPS = 1e7
"""Costs are written as whole parts of the larger total, so many of them: far finer than a pixel."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Drawn:
    """The drawn nodes of a difference, callers first, with indexes of their own; `place` are their nodes in the tree.

    `before` and `after` are self costs with those of the nodes that are left out below.
    """

    place: IntArray
    parent: IntArray
    frame: IntArray
    before: FloatArray
    after: FloatArray
    left_out: int


def drawn(found: Difference, most: int = MOST_NODES) -> Drawn:
    """The largest nodes of a difference; those on both sides are as large as on the larger one."""
    size = np.maximum(found.nodes.before, found.nodes.after)
    kept = _largest(size, most)
    place = np.flatnonzero(kept)
    number = np.full(found.tree.size + 1, ROOT, dtype=np.int64)
    number[place] = np.arange(place.size)
    parent = number[found.tree.parent[place]]
    own = []
    for totals in (found.nodes.before, found.nodes.after):
        below = np.bincount(parent[parent >= 0], weights=totals[place][parent >= 0], minlength=place.size)
        # Differences of sums: what is left of nothing must not fall below it.
        own.append(np.maximum(totals[place] - below, 0.0))
    return Drawn(
        place=place,
        parent=parent,
        frame=found.tree.frame[place],
        before=own[0],
        after=own[1],
        left_out=int((~kept & (size > 0)).sum()),
    )


def _largest(size: FloatArray, most: int) -> BoolArray:
    """Which nodes to keep. A caller is at least as large as what it calls, so whole branches go."""
    if size.size <= most:
        return np.asarray(size > 0, dtype=bool)
    threshold = np.partition(size, -most)[-most]
    above = np.asarray(size > threshold, dtype=bool)
    # Those that are just as large as the threshold: callers come first in a tree, so the first of them are whole.
    level = np.flatnonzero((size == threshold) & (size > 0))
    above[level[: most - int(above.sum())]] = True
    return above


def data_of(found: Difference, shares: Difference | None) -> dict[str, Any]:
    """What the script draws. `shares` is the same pair compared by shares, None where there is no switch."""
    graph = drawn(found)
    shared = found if found.basis is Basis.SHARE else shares
    scale = max(found.total.before, found.total.after) / STEPS or 1.0
    used, frame = np.unique(graph.frame, return_inverse=True)
    frames = [found.frames[index] for index in used.tolist()]
    modules = sorted({each.module for each in frames})
    module = {name: number for number, name in enumerate(modules)}
    origins = list(Origin)
    return {
        "before": one_line(found.before, 80),
        "after": one_line(found.after, 80),
        "basis": found.basis.value,
        "unit": found.unit.value,
        "scale": scale,
        "names": [one_line(each.name, LONGEST_NAME) for each in frames],
        "modules": [one_line(name, LONGEST_NAME) for name in modules],
        "module_of": [module[each.module] for each in frames],
        "lines": [each.line for each in frames],
        "origins": [origin.value for origin in origins],
        "origin_of": [origins.index(each.origin) for each in frames],
        "parent": graph.parent.tolist(),
        "frame": frame.tolist(),
        "before_costs": _steps(graph.before, scale),
        "after_costs": _steps(graph.after, scale),
        "left_out": graph.left_out,
        "total_signal": not found.total.noise,
        "signal": _places(~found.nodes.noise[graph.place]),
        "own_signal": _places(~found.own.noise[used]),
        "signal_share": _places(~shared.nodes.noise[graph.place]) if shared is not None else None,
        "own_signal_share": _places(~shared.own.noise[used]) if shared is not None else [],
    }


def encoded(data: dict[str, Any]) -> str:
    """The data as it may stand inside a page: JSON in ASCII, in which nothing closes or opens an element."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _steps(costs: FloatArray, scale: float) -> list[int]:
    return [round(cost) for cost in (costs / scale).tolist()]


def _places(flags: BoolArray) -> list[int]:
    return [int(place) for place in np.flatnonzero(flags)]
