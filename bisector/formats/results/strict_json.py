"""JSON as written by strangers: bounded depth, no duplicate keys, NaN only where a tool is known to write it."""

import json
from typing import Any

from bisector.formats.results.problem import ResultProblem

DEEPEST = 100


def loads(text: str, *, constants: bool = False) -> Any:
    """The value in `text`; ResultProblem for what is not JSON, too deep, or ambiguous.

    With `constants`, NaN and Infinity are numbers: tools write them beside figures that are fine.
    """
    # Few brackets cannot nest deeply: looking at every character is for the rest.
    if text.count("[") + text.count("{") > DEEPEST and _depth(text) > DEEPEST:
        raise ResultProblem(f"the JSON is nested more than {DEEPEST} levels deep")
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=float if constants else _constant)
    except (ValueError, RecursionError) as error:
        raise ResultProblem(f"the output is not JSON: {error}") from None


def _depth(text: str) -> int:
    """An upper bound of the nesting depth: brackets inside strings count too, which only makes it stricter."""
    depth = deepest = 0
    for character in text:
        if character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    return deepest


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {key!r} occurs twice")
        found[key] = value
    return found


def _constant(name: str) -> float:
    raise ValueError(f"{name} is not a number in JSON")
