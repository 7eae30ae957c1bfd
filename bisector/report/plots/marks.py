"""What plots are drawn with: runs by side, axes, levels, legends, hatching."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from bisector.report.document import LevelPart, Side
from bisector.report.numbers import Gauge
from bisector.report.plots.scales import Canvas, ValueScale
from bisector.report.plots.svg import Svg, element, joined, path, short, title, words

Item = TypeVar("Item")
GOLDEN = 0.6180339887498949
MOST_MARKS = 1500
"""Runs drawn in one plot; of more, an even choice."""
MOST_NAMED = 500
"""Runs that can be pointed at one by one; a name takes ten times the room of a mark."""
LEGEND_LINE = 18.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Mark:
    """A run on a plot."""

    x: float
    y: float
    side: Side
    title: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Key:
    """An entry of a legend: a drawing about the middle of a box of 22 by 12, and what it stands for."""

    drawing: Svg
    text: str


def jitter(number: int, reach: float) -> float:
    """A fixed sequence of offsets up to `reach` to both sides, so that equal values do not hide each other."""
    return ((number * GOLDEN) % 1 - 0.5) * 2 * reach


def thinned(items: Sequence[Item], most: int = MOST_MARKS) -> Sequence[Item]:
    """At most `most` of `items`, evenly chosen."""
    if len(items) <= most:
        return items
    return [items[number * len(items) // most] for number in range(most)]


def shape(side: Side, radius: float) -> str:
    """A circle, a triangle or a diamond about the current point: sides are told apart without their colours."""
    r, d, t, s = (short(radius * factor) for factor in (1, 2, 1.25, 2.3))
    match side:
        case Side.OLD:
            return f"m-{r} 0a{r} {r} 0 1 0 {d} 0a{r} {r} 0 1 0-{d} 0z"
        case Side.NEW:
            return f"m0-{t}l{t} {s}h-{short(radius * 2.5)}z"
        case Side.UNSURE:
            return f"m0-{t}l{t} {t}-{t} {t}-{t}-{t}z"


def runs(marks: Sequence[Mark], canvas: Canvas) -> Svg:
    """The marks of all runs: each with its name where there is detail and they are not too many, else one outline a
    side."""
    if canvas.detail and len(marks) <= MOST_NAMED:
        return joined(
            element("path", title(mark.title), class_=f"run {mark.side}", d=_outline(mark, 3.4)) for mark in marks
        )
    outlines: dict[Side, list[str]] = {}
    for mark in marks:
        outlines.setdefault(mark.side, []).append(_outline(mark, 2.7))
    return joined(element("path", class_=f"run {side}", d="".join(each)) for side, each in outlines.items())


def _outline(mark: Mark, radius: float) -> str:
    return f"M{short(mark.x)} {short(mark.y)}{shape(mark.side, radius)}"


def label(x: float, y: float, content: str, class_: str = "soft", anchor: str | None = None) -> Svg:
    """A piece of text; `anchor` is "middle" or "end" where it does not start at `x`."""
    return element("text", words(content), x=x, y=y, class_=class_, text_anchor=anchor)


def value_axis(scale: ValueScale, canvas: Canvas, gauge: Gauge) -> Svg:
    """Rules and labels of an upright axis, with its unit above."""
    right = canvas.width - canvas.right
    parts = [label(2, scale.end - 12, gauge.unit)] if gauge.unit else []
    for value, written in scale.ticks(gauge):
        y = scale.at(value)
        parts.append(element("path", class_="rule", d=path([(canvas.left, y), (right, y)])))
        parts.append(label(canvas.left - 8, y + 4, written, anchor="end"))
    return joined(parts)


def level(part: LevelPart, scale: ValueScale, span: tuple[float, float]) -> Svg:
    """A level with its interval between two positions."""
    top, bottom = sorted((scale.at(part.low), scale.at(part.high)))
    left, right = span
    interval = element(
        "rect", class_=f"interval {part.side}", x=left, y=top, width=right - left, height=max(bottom - top, 0.5)
    )
    y = scale.at(part.value)
    return joined((interval, element("path", class_=f"level {part.side}", d=path([(left, y), (right, y)]))))


def hatching(identifier: str) -> Svg:
    """The pattern for what cannot be tested, to be referred to as `url(#identifier)`."""
    line = element("path", class_="hatch", d="M0 0V5")
    return element(
        "pattern", line, id=identifier, width=5, height=5, patternUnits="userSpaceOnUse", patternTransform="rotate(45)"
    )


def legend(keys: Sequence[Key], canvas: Canvas, top: float) -> tuple[Svg, float]:
    """A legend in as many lines as it takes, and the height of them."""
    x, y, parts = canvas.left, top, []
    for key in keys:
        width = 28 + canvas.fits(key.text) + 14
        if x > canvas.left and x + width > canvas.width:
            x, y = canvas.left, y + LEGEND_LINE
        parts.append(element("g", key.drawing, transform=f"translate({short(x)} {short(y)})"))
        parts.append(label(x + 28, y + 10, key.text))
        x += width
    return joined(parts), (y - top + LEGEND_LINE if keys else 0.0)


def side_key(side: Side, text: str) -> Key:
    """The key of one side's runs."""
    return Key(drawing=element("path", class_=f"run {side}", d=f"M11 6{shape(side, 3.6)}"), text=text)


def level_key(side: Side, text: str) -> Key:
    """The key of a level with its interval."""
    box = element("rect", class_=f"interval {side}", x=0, y=1, width=22, height=10)
    return Key(drawing=joined((box, element("path", class_=f"level {side}", d="M0 6H22"))), text=text)


def hatch_key(identifier: str, text: str) -> Key:
    """The key of what cannot be tested."""
    return Key(drawing=element("rect", x=3, y=1, width=16, height=10, fill=f"url(#{identifier})"), text=text)
