"""A plot in two widths, with the words that stand for it where it cannot be seen."""

from dataclasses import dataclass

from bisector.report.plots.scales import Canvas
from bisector.report.plots.style import stylesheet
from bisector.report.plots.svg import Svg, element, short, words


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """`wide` and `narrow` are the same plot as SVG, for a page and for a phone; `caption` says how to read it."""

    identifier: str
    title: str
    caption: str
    wide: str
    narrow: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Drawing:
    """What one variant of a plot is made of."""

    body: Svg
    height: float


def svg(identifier: str, canvas: Canvas, drawing: Drawing, title: str, description: str) -> Svg:
    """A drawing as an SVG element with a title and a description for those who listen to it."""
    name = f"{identifier}-{canvas.variant}"
    return element(
        "svg",
        element("title", words(title), id=f"{name}-title"),
        element("desc", words(description), id=f"{name}-desc"),
        drawing.body,
        xmlns="http://www.w3.org/2000/svg",
        class_="plot",
        role="img",
        aria_labelledby=f"{name}-title {name}-desc",
        viewBox=f"0 0 {short(canvas.width)} {short(drawing.height)}",
    )


def standalone(figure: Figure) -> str:
    """The wide variant as a file of its own, with its style."""
    opening, _, rest = figure.wide.partition(">")
    return f"{opening}><style>{stylesheet()}</style>{rest}\n"
