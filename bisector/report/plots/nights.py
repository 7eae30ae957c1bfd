"""A series over time: the tip of every night, the level it was measured beside, and where a change was searched."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from bisector.core.model.scenario import Metric
from bisector.core.watch import moves
from bisector.core.watch.moves import Searched
from bisector.core.watch.nights import Night
from bisector.report.document import Side
from bisector.report.numbers import Gauge, date
from bisector.report.plots.figure import Drawing, Figure, svg
from bisector.report.plots.marks import Mark, label, level_key, runs, side_key, value_axis
from bisector.report.plots.marks import legend as legend_of
from bisector.report.plots.scales import NARROW, WIDE, Canvas, ValueScale
from bisector.report.plots.svg import Svg, element, joined, path, title

TOP, BELOW = 34.0, 34.0
MOST_NIGHTS = 400
"""Nights that are drawn, the newest."""
CAPTION = (
    "Each mark is the median of one night's runs of the branch's tip; the line is that of the accepted commit, measured"
    " in turns with it. What moves both is the host. An upright line is a change that was confirmed and searched."
)


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What is drawn of a series."""

    nights: tuple[Night, ...]
    searched: tuple[Searched, ...]
    metric: Metric
    gauge: Gauge


def history_figure(identifier: str, metric: Metric, history: Sequence[moves.Entry]) -> Figure | None:
    """The plot of a series; None before two nights were measured."""
    nights = tuple(entry for entry in history if isinstance(entry, Night))[-MOST_NIGHTS:]
    if len(nights) < 2:
        return None
    searched = tuple(entry for entry in history if isinstance(entry, Searched) and entry.time >= nights[0].time)
    gauge = Gauge.of([median(night.values) for night in nights], metric.unit)
    shown = Shown(nights=nights, searched=searched, metric=metric, gauge=gauge)
    heading = f"{metric.name}, night after night"
    wide, narrow = (svg(identifier, canvas, _draw(shown, canvas), heading, CAPTION) for canvas in (WIDE, NARROW))
    return Figure(identifier=identifier, title=heading, caption=CAPTION, wide=wide, narrow=narrow)


def _draw(shown: Shown, canvas: Canvas) -> Drawing:
    values = [median(side) for night in shown.nights for side in (night.values, night.reference)]
    bottom = canvas.height - BELOW
    y = ValueScale.of(values, bottom, TOP)
    first, last = shown.nights[0].time, shown.nights[-1].time
    room = canvas.inner - 16

    def x(time: float) -> float:
        return canvas.left + 8 + room * min(max((time - first) / ((last - first) or 1.0), 0.0), 1.0)

    level = [(x(night.time), y.at(median(night.reference))) for night in shown.nights]
    marks = [
        Mark(x=x(night.time), y=y.at(median(night.values)), side=Side.NEW, title=_told(night, shown.gauge))
        for night in shown.nights
    ]
    parts = [
        value_axis(y, canvas, shown.gauge),
        element("path", class_="axis", d=path([(canvas.left, bottom), (canvas.width - canvas.right, bottom)])),
        label(canvas.left, bottom + 17, date(int(first))),
        label(canvas.width - canvas.right, bottom + 17, date(int(last)), anchor="end"),
        *(_searched(record, x(record.time), bottom) for record in shown.searched),
        element("path", class_="level old", d=path(level)),
        runs(marks, canvas),
    ]
    keys = [side_key(Side.NEW, "tip"), level_key(Side.OLD, "accepted commit")]
    drawn, height = legend_of(keys, canvas, bottom + BELOW - 8)
    return Drawing(body=joined((*parts, drawn)), height=bottom + BELOW + height)


def _searched(record: Searched, x: float, bottom: float) -> Svg:
    kind = "regression" if record.worse else "improvement"
    line = element("path", title(f"{kind}: job {record.job}"), class_="culprit", d=path([(x, TOP), (x, bottom)]))
    # Beside the line towards the past: the newest change lies at the edge.
    return joined((line, label(x + 4, TOP - 6, "worse" if record.worse else "better", "strong halo", "end")))


def _told(night: Night, gauge: Gauge) -> str:
    values = f"{gauge.text(median(night.values))}, accepted {gauge.text(median(night.reference))}"
    return f"{date(int(night.time))}, {night.tip[:12]}: {values}"
