"""The bench as pictures: cost over the bound in every cell, filled where the answers are right."""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.search.summaries import Bin, Summary
from bisector.report.numbers import Gauge
from bisector.report.plots.figure import Drawing, svg
from bisector.report.plots.marks import Key, label, legend
from bisector.report.plots.scales import WIDE, ValueScale
from bisector.report.plots.style import stylesheet
from bisector.report.plots.svg import Svg, element, joined, path, title

ROW, TOP, LEFT = 22.0, 60.0, 250.0
RIGHT_ENOUGH = 0.95
FEWEST_IN_A_BIN = 20
OUTLINES = (
    "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0z",
    "M0-5L5 4H-5z",
    "M-4-4H4V4H-4z",
    "M0-5L5 0L0 5L-5 0z",
    "M0 5L5-4H-5z",
    "M-5-2H5V2H-5z",
    "M-2-5H2V5H-2z",
    "M-5-5L0-1L5-5V5L0 1L-5 5z",
)
"""One a strategy: they are told apart by shape, and by fill whether they are right often enough."""


def write_costs(found: Sequence[Summary], name: str, out: Path) -> None:
    """Write `name`.svg: a row a cell, a mark a strategy, total cost over the bound from left to right."""
    kept = [each for each in found if each.cell.bound is not None]
    if not kept:
        return
    cells = list(dict.fromkeys(each.cell.name for each in kept))
    strategies = list(dict.fromkeys(each.strategy for each in kept))
    x = ValueScale.of([_over(each) for each in kept] + [1.0, 21.0], LEFT, WIDE.width - 20)
    bottom = TOP + ROW * len(cells) + 8
    parts = [_axis(x, bottom)]
    keys = [Key(drawing=_mark(11, 6, number, filled=True), text=each) for number, each in enumerate(strategies)]
    above, _ = legend(keys, WIDE, 2)
    parts.append(above)
    for row, cell in enumerate(cells):
        y = TOP + ROW * (row + 0.7)
        parts.append(label(LEFT - 10, y + 4, cell, anchor="end"))
        for each in kept:
            if each.cell.name == cell:
                filled = each.right.value >= RIGHT_ENOUGH
                mark = _mark(x.at(_over(each)), y, strategies.index(each.strategy), filled=filled)
                told = f"{each.strategy}: {100 * each.right.value:.0f} % at {each.cost:.0f}"
                parts.append(element("g", title(told), mark))
    what = "Total cost over the bound, logarithmic; filled where at least 95 % of the answers are right"
    _write(out / f"{name}.svg", name, Drawing(body=joined(parts), height=bottom + 44), what)


def write_calibration_plot(bins: Sequence[Bin], out: Path) -> None:
    """Write calibration.svg: the share that is right, with its interval, over the probability that was stated."""
    bins = [each for each in bins if each.right.trials >= FEWEST_IN_A_BIN]
    if not bins:
        return
    values = [each.stated for each in bins] + [edge for each in bins for edge in each.right.interval] + [1.0]
    x = ValueScale.of(values, LEFT, WIDE.width - 20)
    y = ValueScale.of(values, 300, 30)
    equal = path([(x.at(x.low), y.at(x.low)), (x.at(1.0), y.at(1.0))])
    parts = [_axis(x, 310), element("path", class_="culprit", d=equal)]
    for value, written in y.ticks(Gauge.of([1.0], "")):
        parts.append(label(LEFT - 10, y.at(value) + 4, written, anchor="end"))
    for each in bins:
        low, high = each.right.interval
        at = x.at(each.stated)
        parts.append(element("path", class_="median", d=path([(at, y.at(low)), (at, y.at(high))])))
        told = f"stated {each.stated:.3f}, right {each.right.value:.3f} of {each.right.trials}"
        parts.append(element("g", title(told), _mark(at, y.at(each.right.value), 0, filled=True)))
    what = "Share of right answers over stated probability, with exact 95 % intervals; on the dashed line they agree"
    _write(out / "calibration.svg", "calibration", Drawing(body=joined(parts), height=350), what)


def _over(each: Summary) -> float:
    return each.cost / (each.cell.bound or 1.0)


def _axis(scale: ValueScale, bottom: float) -> Svg:
    parts = [element("path", class_="axis", d=path([(LEFT, bottom), (WIDE.width - 20, bottom)]))]
    for value, written in scale.ticks(Gauge.of([1.0], ""), 8):
        at = scale.at(value)
        parts.append(element("path", class_="rule", d=path([(at, 30), (at, bottom)])))
        parts.append(label(at, bottom + 17, written, anchor="middle"))
    return joined(parts)


def _mark(x: float, y: float, strategy: int, *, filled: bool) -> Svg:
    outline = OUTLINES[strategy % len(OUTLINES)]
    side = "new" if strategy == 0 else "old"
    return element("path", class_=side if filled else "unsure", d=outline, transform=f"translate({x:.1f} {y:.1f})")


def _write(file: Path, name: str, drawing: Drawing, what: str) -> None:
    picture = svg(name, WIDE, drawing, what, what)
    opening, _, rest = picture.partition(">")
    file.write_text(f"{opening}><style>{stylesheet()}</style>{rest}\n")
