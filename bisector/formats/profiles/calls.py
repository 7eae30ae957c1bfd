"""The counts that our own hook in a Python process writes (`adapters/measure/hook.py`): JSON, functions by number."""

import json
from collections.abc import Sequence
from typing import Any

from bisector.core.explain.counts import Counts
from bisector.core.explain.names import Names
from bisector.core.explain.stacks import Frame
from bisector.formats.profiles.problem import ProfileProblem

MOST_CALLS = 10**15
"""More than any run makes; sums of such numbers still fit a float."""


def read_counts(files: Sequence[bytes], names: Names, work: float) -> Counts:
    """What the files of a side's counting runs hold, `work` units of work together; ProfileProblem for what is none."""
    calls: dict[Frame, int] = {}
    edges: dict[tuple[Frame, Frame], int] = {}
    for data in files:
        try:
            _add(json.loads(data), names, calls, edges)
        except (ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
            raise ProfileProblem(f"the counts cannot be read: {type(error).__name__}: {error}") from None
    if not calls:
        raise ProfileProblem("no call was counted")
    return Counts(calls=calls, edges=edges, work=work)


def _add(document: Any, names: Names, calls: dict[Frame, int], edges: dict[tuple[Frame, Frame], int]) -> None:
    frames = [names.frame(str(name), str(path), _index(line)) for path, line, name in document["functions"]]
    for number, times in document["calls"]:
        frame = frames[_index(number)]
        calls[frame] = calls.get(frame, 0) + _times(times)
    for caller, callee, times in document["edges"]:
        pair = frames[_index(caller)], frames[_index(callee)]
        edges[pair] = edges.get(pair, 0) + _times(times)


def read_allocations(files: Sequence[bytes], names: Names) -> dict[Frame, float]:
    """The bytes that a call of each function allocates by itself; ProfileProblem for what is no such file."""
    calls: dict[Frame, int] = {}
    sizes: dict[Frame, int] = {}
    for data in files:
        try:
            document = json.loads(data)
            _add(document, names, calls, {})
            for number, size in document["allocated"]:
                path, line, name = document["functions"][_index(number)]
                frame = names.frame(str(name), str(path), _index(line))
                sizes[frame] = sizes.get(frame, 0) + _times(size)
        except (ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
            raise ProfileProblem(f"the allocations cannot be read: {type(error).__name__}: {error}") from None
    return {frame: size / max(calls.get(frame, 0), 1) for frame, size in sizes.items()}


def _times(times: Any) -> int:
    if not isinstance(times, int) or not 0 <= times <= MOST_CALLS:
        raise ValueError(f"not a number of calls or bytes: {str(times)[:40]}")
    return times


def _index(number: Any) -> int:
    if not isinstance(number, int) or number < 0:
        raise ValueError(f"not the number of a function or line: {str(number)[:40]}")
    return number
