"""Plots as inline SVG: no script, legible in print, told apart by shape and dash as well as by colour."""

from collections.abc import Callable

from bisector.core.model.history import LineName
from bisector.core.model.request import JobKind
from bisector.report import numbers
from bisector.report.document import EndsPart, LinePart, Report
from bisector.report.plots.along import draw_along
from bisector.report.plots.chances import draw_chances
from bisector.report.plots.figure import Drawing, Figure, standalone, svg
from bisector.report.plots.marks import MOST_MARKS
from bisector.report.plots.order import draw_order
from bisector.report.plots.scales import NARROW, WIDE, Canvas, LineScale
from bisector.report.plots.strips import draw_strips
from bisector.report.plots.style import stylesheet

__all__ = ["Figure", "figures", "standalone", "stylesheet"]


def figures(report: Report) -> tuple[Figure, ...]:
    """Every plot that the runs so far give something to show on."""
    found: list[Figure] = []
    compare = report.kind is not JobKind.BISECT
    for line in report.lines:
        if not compare and line.points:
            found.append(_along(report, line))
        if not compare and line.known:
            found.append(_chances(line))
    main = report.main
    if main is not None and any(not point.adopted for point in main.points):
        found.append(_order(report, main))
    if report.ends is not None and (report.ends.good.values or report.ends.bad.values):
        found.append(_strips(report, report.ends))
    return tuple(found)


def _figure(identifier: str, title: str, caption: str, draw: Callable[[Canvas], Drawing]) -> Figure:
    wide, narrow = (svg(identifier, canvas, draw(canvas), title, caption) for canvas in (WIDE, NARROW))
    return Figure(identifier=identifier, title=title, caption=caption, wide=wide, narrow=narrow)


def _along(report: Report, line: LinePart) -> Figure:
    inside = line.name is LineName.INNER
    title = f"{report.metric.name} of every run, {'inside the merge' if inside else 'along the commits'}"
    sentences = ["Each mark is one run; a line is a level, with its interval shaded."]
    if line.culprits:
        where = numbers.listing(numbers.whole(index) for index in line.culprits)
        sentences.append(f"The level changes at commit{'s' if len(line.culprits) > 1 else ''} {where}.")
    elif line.band is not None:
        where = numbers.span(line.band[0] - 1, line.band[1], " and ")
        sentences.append(f"The level changes between commits {where}.")
    sentences += _reading(line)
    return _figure(
        f"runs-{line.name}", title, " ".join(sentences), lambda canvas: draw_along(line, report.metric, canvas)
    )


def _reading(line: LinePart) -> list[str]:
    """What a reader has to know of how much is drawn, and to which scale."""
    told = []
    if not LineScale.of(line, WIDE).to_scale:
        told.append("Not to scale: a shaded stretch stands for many commits that were not tested.")
    if len(line.points) > MOST_MARKS:
        told.append(f"{numbers.whole(MOST_MARKS)} of {numbers.whole(len(line.points))} runs are drawn, evenly chosen.")
    if any(point.index is None for point in line.points):
        told.append("Runs of good itself, which lies beside the line, stand apart on the left.")
    return told


def _chances(line: LinePart) -> Figure:
    where = "inside the merge" if line.name is LineName.INNER else "along the commits"
    caption = f"{_likeliest(line)}; all bars together, that of no change included, make 100 %."
    if not LineScale.of(line, WIDE).to_scale:
        caption += " A stretch that was not tested has one bar for all of its commits."
    return _figure(
        f"chances-{line.name}",
        f"Probability of being the culprit, {where}",
        caption,
        lambda canvas: draw_chances(line, canvas),
    )


def _likeliest(line: LinePart) -> str:
    best = max(line.rows, key=lambda row: row.chance or 0.0)
    if line.no_change > (best.chance or 0.0):
        return "No change at all is likeliest"
    if best.size > 1:
        return f"The likeliest are commits {numbers.span(best.first, best.last)} together"
    return f"The likeliest is commit {numbers.whole(best.first)}"


def _order(report: Report, line: LinePart) -> Figure:
    return _figure(
        "order",
        f"{report.metric.name} of every run, in the order they were made",
        "Marks that climb or sink together show drift. Commits take turns, so that drift falls on all of them alike.",
        lambda canvas: draw_order(line, report.metric, canvas),
    )


def _strips(report: Report, ends: EndsPart) -> Figure:
    names = ("A", "B") if report.kind is JobKind.COMPARE else ("good", "bad")
    return _figure(
        "ends",
        "Both ends",
        "Each mark is one run; the upright line is the median, the shaded box the middle half of the runs.",
        lambda canvas: draw_strips(ends, report.metric, canvas, names),
    )
