"""SVG as text: elements, escaped words, numbers short enough to keep a report small."""

from collections.abc import Iterable
from html import escape
from typing import NewType

from bisector.report.text import harmless

Attribute = str | float | None
Svg = NewType("Svg", str)
"""A piece of SVG. Only `element` and `words` make one, so that nothing gets into a plot unescaped."""
NOTHING = Svg("")


def element(name: str, *children: Svg, **attributes: Attribute) -> Svg:
    """An element. Attributes that are None are left out; `_` stands for `-`, a last one is dropped (`class_`)."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_value(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    inside = "".join(children)
    return Svg(f"<{name}{written}>{inside}</{name}>" if inside else f"<{name}{written}/>")


def words(text: str) -> Svg:
    """Text of anybody as the content of an element."""
    return Svg(escape(harmless(text), quote=False))


def title(text: str) -> Svg:
    """What is told when somebody points at an element."""
    return element("title", words(text))


def joined(parts: Iterable[Svg]) -> Svg:
    """Several pieces one after the other."""
    return Svg("".join(parts))


def short(value: float) -> str:
    """A coordinate with one digit after the point."""
    text = f"{value:.1f}"
    return "0" if text in {"0.0", "-0.0"} else text.removesuffix(".0")


def path(points: Iterable[tuple[float, float]]) -> str:
    """A line through `points`."""
    return "M" + "L".join(f"{short(x)} {short(y)}" for x, y in points)


def _value(value: str | float) -> str:
    return escape(harmless(value)) if isinstance(value, str) else short(value)
