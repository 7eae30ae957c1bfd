"""Sessions of pyinstrument (`-r pyisession`): a record is a stack of "name\\0file\\0line\\1attributes" and seconds."""

from collections.abc import Mapping
from typing import Any

from bisector.core.explain.stacks import Capture, Unit
from bisector.formats.profiles.gathering import Gathering, Reading
from bisector.formats.profiles.problem import ProfileProblem

_THREAD, _PROFILER = "<thread>", "/pyinstrument/"
"""What stands for a thread instead of a file, and where the profiler itself is installed."""


def read(data: Mapping[str, Any], reading: Reading) -> Capture:
    """The capture in a parsed session, without what was there before the program began; ProfileProblem else."""
    gathering = Gathering(reading)
    numbers: dict[str, int | None] = {}
    own_records = 0
    try:
        start = [_identity(frame) for frame in data.get("start_call_stack") or ()]
        for stack, seconds in data["frame_records"]:
            own = stack[_shared([_identity(frame) for frame in stack[: len(start)]], start) :]
            if own and _PROFILER in own[0].replace("\\", "/"):
                own_records += 1
                continue
            for frame in own:
                if frame not in numbers:
                    numbers[frame] = _number(frame, gathering)
            told = [number for frame in own if (number := numbers[frame]) is not None]
            gathering.add(told, float(seconds))
        samples = int(data["sample_count"]) - own_records
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise ProfileProblem(f"it is no session of pyinstrument: {type(error).__name__}: {error}") from None
    return gathering.capture("pyinstrument", Unit.SECONDS, samples=samples or None)


def _identity(frame: str) -> str:
    return frame.partition("\x01")[0]


def _shared(stack: list[str], start: list[str]) -> int:
    """How many of the outermost frames are the profiler's own, which were there when it began."""
    same = 0
    while same < min(len(stack), len(start)) and stack[same] == start[same]:
        same += 1
    return same


def _number(frame: str, gathering: Gathering) -> int | None:
    identity, *attributes = frame.split("\x01")
    name, _, place = identity.partition("\x00")
    path, _, first = place.rpartition("\x00")
    if path == _THREAD:
        return None
    owner = next((each[1:] for each in attributes if each.startswith("c")), "")
    at = next((each[1:] for each in attributes if each.startswith("l")), first)
    line = int(at) if at.isdecimal() and len(at) < 10 else 0
    return gathering.frame(f"{owner}.{name}" if owner else name, path, line)
