"""Text in lines that fit a terminal."""

import re
from collections.abc import Iterator

from bisector.report.text import columns

_UNBROKEN = re.compile(r"(?<=[<>×]) (?=\d)|(?<=\d) (?=%)")
"""Blanks that a line does not end at: between a number and its sign."""
_JOINT = "\x1f"
"""Stands for such a blank meanwhile; no harmless text holds it."""


def wrapped(text: str, width: int, *, first: str = "", rest: str = "") -> list[str]:
    """`text` in lines of at most `width` columns, the first after `first`, the others after `rest`."""
    lines: list[str] = []
    line, empty = first, True
    for word in _words(_UNBROKEN.sub(_JOINT, text), max(width - columns(rest), 8)):
        if not empty and columns(line) + 1 + columns(word) > width:
            lines.append(line)
            line, empty = rest, True
        line, empty = (f"{line}{word}" if empty else f"{line} {word}"), False
    return [each.replace(_JOINT, " ") for each in (lines if empty else [*lines, line])]


def _words(text: str, most: int) -> Iterator[str]:
    """The words of `text`, those longer than a line in parts."""
    for word in text.split(" "):
        part, taken = "", 0
        for character in word:
            wide = columns(character)
            if taken + wide > most:
                yield part
                part, taken = "", 0
            part, taken = part + character, taken + wide
        if part:
            yield part
