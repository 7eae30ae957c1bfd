"""JSON as benchmark tools write it: the parts a reader needs, with a plain problem where a part is not as expected."""

import math
from collections.abc import Iterator
from typing import Any

from bisector.formats.results import strict_json
from bisector.formats.results.problem import ResultProblem

SCALES = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "sec": 1.0, "min": 60.0, "m": 60.0, "h": 3600.0}
"""Units of time, in seconds."""


NUMBER = r"\d{1,18}(?:\.\d{1,18})?(?![\d.])"
WHOLE = r"\d{1,18}(?!\d)"
"""Numbers as tools print them, for patterns: what they match can be converted."""


def document(text: bytes, tool: str) -> Any:
    """The JSON that `tool` wrote. What was printed before its first line that begins a value is passed over."""
    content = text.decode("utf-8", "replace").lstrip("\ufeff").strip()
    if not content:
        raise ResultProblem(f"there is nothing where {tool} should have written")
    if content[0] not in "[{":
        lines = content.split("\n")
        first = next((number for number, line in enumerate(lines) if line[:1] in ("[", "{")), 0)
        content = "\n".join(lines[first:])
    return strict_json.loads(content, constants=True)


def wrong(tool: str, what: str) -> ResultProblem:
    """The problem of a file that is not one of `tool`, or not of a version that can be read."""
    return ResultProblem(f"this is not what {tool} writes, or another version of it: {what}")


def table(found: Any, tool: str, what: str) -> dict[str, Any]:
    """`found` as an object."""
    if not isinstance(found, dict):
        raise wrong(tool, f"{what} is no object")
    return found


def rows(found: Any, tool: str, what: str) -> list[Any]:
    """`found` as a list."""
    if not isinstance(found, list):
        raise wrong(tool, f"{what} is no list")
    return found


def objects(found: Any, tool: str, what: str) -> Iterator[dict[str, Any]]:
    """The objects of a list."""
    return (table(each, tool, f"an entry of {what}") for each in rows(found, tool, what))


def text_of(found: Any, tool: str, what: str) -> str:
    """`found` as text."""
    if not isinstance(found, str):
        raise wrong(tool, f"{what} is no text")
    return found


def is_number(found: Any) -> bool:
    """Whether `found` is a number that JSON means as one."""
    return isinstance(found, int | float) and not isinstance(found, bool)


def number(found: Any, tool: str, what: str) -> float:
    """`found` as a number."""
    if not is_number(found):
        raise wrong(tool, f"{what} is {str(found)[:40]!r} and no number")
    try:
        return float(found)
    except OverflowError:
        raise ResultProblem(f"{what} is too large a number") from None


def numbers(found: Any, tool: str, what: str) -> tuple[float, ...]:
    """`found` as numbers."""
    return tuple(number(each, tool, what) for each in rows(found, tool, what))


def scaled(found: Any, factor: float, tool: str, what: str) -> float:
    """A number in another unit. Dividing by a whole factor keeps what the tool wrote exactly where that is possible."""
    value = number(found, tool, what)
    whole = round(1 / factor) if 0 < factor < 1 else 0
    return value / whole if whole and math.isclose(whole * factor, 1) else value * factor


def share(part: float, whole: float) -> float:
    """`part` of `whole`, 1 where there is no whole."""
    return part / whole if whole > 0 else 1.0
