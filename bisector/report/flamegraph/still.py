"""The difference as a still picture, for places that show images and for print: an SVG without a script."""

from collections.abc import Iterator

import numpy as np

from bisector.core.explain.difference import Difference
from bisector.core.explain.stacks import FloatArray, Unit
from bisector.report import numbers
from bisector.report.flamegraph.drawn import Drawn, drawn
from bisector.report.plots.svg import Svg, element, joined, title, words
from bisector.report.text import one_line

WIDTH, ROW, LEGEND = 1200.0, 18.0, 30.0
LEAST = 0.8
"""Pixels below which a call is not drawn."""
MOST_NODES, MOST_ROWS = 6000, 80
CHARACTER = 6.7
MORE, LESS, SAME = (178, 24, 43), (33, 102, 172), (222, 224, 228)
"""The ends and the middle of a scale from blue to red that the colour-blind can tell apart (ColorBrewer, RdBu)."""


def still(found: Difference) -> Svg:
    """The difference, as wide as the after side, with what each call costs on both sides as its title."""
    graph = drawn(found, MOST_NODES)
    totals = found.nodes.after[graph.place]
    left = _placed(found, graph, totals)
    depth = _depths(graph)
    rows = min(int(depth.max(initial=0)) + 1, MOST_ROWS)
    height = LEGEND + rows * ROW
    return element(
        "svg",
        element("rect", width=WIDTH, height=height, fill="#ffffff"),
        _legend(found),
        joined(_boxes(found, graph, left, depth)),
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {WIDTH:.0f} {height:.0f}",
        role="img",
        font_family="ui-monospace, Menlo, Consolas, monospace",
        font_size=11.0,
    )


def _placed(found: Difference, graph: Drawn, totals: FloatArray) -> FloatArray:
    """Where each node begins, in costs: siblings stand as in the interactive graph, the dearest first."""
    label = [found.frames[frame].label for frame in graph.frame.tolist()]
    rank = {name: place for place, name in enumerate(sorted(set(label)))}
    larger = np.maximum(found.nodes.before, found.nodes.after)[graph.place]
    order = sorted(range(len(label)), key=lambda node: (graph.parent[node], -larger[node], rank[label[node]]))
    left = np.zeros(len(label))
    filled: dict[int, float] = {}
    # Callers have smaller numbers, and so are placed before what they call.
    for node in order:
        parent = int(graph.parent[node])
        start = filled.get(parent, left[parent] if parent >= 0 else 0.0)
        left[node] = start
        filled[parent] = start + float(totals[node])
    return left


def _depths(graph: Drawn) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    depth = np.zeros(graph.parent.size, dtype=np.int64)
    for node, parent in enumerate(graph.parent.tolist()):
        depth[node] = depth[parent] + 1 if parent >= 0 else 0
    return depth


def _boxes(
    found: Difference, graph: Drawn, left: FloatArray, depth: np.ndarray[tuple[int], np.dtype[np.int64]]
) -> Iterator[Svg]:
    scale = WIDTH / found.total.after if found.total.after > 0 else 0.0
    for node, place in enumerate(graph.place.tolist()):
        wide, row = float(found.nodes.after[place]) * scale, int(depth[node])
        if wide < LEAST or row >= MOST_ROWS:
            continue
        colour = _colour(found, place)
        x, y = float(left[node]) * scale, LEGEND + row * ROW
        label = one_line(found.frames[int(graph.frame[node])].label, 200)
        box = element("rect", x=x, y=y, width=max(wide - 0.6, 0.4), height=ROW - 1, fill=_hex(colour))
        fits = int((wide - 6) / CHARACTER)
        shown = label if len(label) <= fits else f"{label[: fits - 1]}…"
        ink = "#ffffff" if sum(colour) < 380 else "#111111"
        text = element("text", words(shown), x=x + 3, y=y + ROW * 0.68, fill=ink) if fits > 3 else Svg("")
        yield element("g", title(f"{label}: {_told(found, place)}"), box, text)


def _told(found: Difference, place: int) -> str:
    """What a call costs on both sides."""
    cost = found.nodes[place]
    unit = "" if found.basis.value == "share" else found.unit.value
    one, other = (numbers.percent(v) if not unit else numbers.quantity(v, unit) for v in (cost.before, cost.after))
    return f"{one} before, {other} after" + (", within noise" if cost.noise and cost.delta else "")


def _colour(found: Difference, place: int) -> tuple[int, int, int]:
    cost = found.nodes[place]
    if cost.noise or cost.delta == 0:
        return SAME
    strength = 0.25 + 0.75 * min(abs(cost.delta) / max(cost.after, cost.before), 1.0)
    end = MORE if cost.delta > 0 else LESS
    red, green, blue = (round(a + (b - a) * strength) for a, b in zip(SAME, end, strict=True))
    return red, green, blue


def _legend(found: Difference) -> Svg:
    verb, noun = ("holds", "memory held") if found.unit is Unit.BYTES else ("costs", "cost")
    told = (
        (MORE, f"{verb} more, or new"),
        (SAME, "no difference beyond noise"),
        (LESS, f"{verb} less"),
    )
    parts, x = [], 4.0
    for colour, text in told:
        parts.append(element("rect", x=x, y=8.0, width=18.0, height=10.0, fill=_hex(colour), stroke="#888888"))
        parts.append(element("text", words(text), x=x + 24, y=17.0, fill="#333333"))
        x += 24 + CHARACTER * len(text) + 24
    wide = f"width: {noun} in {one_line(found.after, 60)}"
    parts.append(element("text", words(wide), x=WIDTH - 4, y=17.0, fill="#333333", text_anchor="end"))
    return joined(parts)


def _hex(colour: tuple[int, int, int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)
