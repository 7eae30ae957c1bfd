"""What `perf script` prints: an event a block, its header, then the stack with the innermost frame first."""

import re
from collections.abc import Iterator

from bisector.core.explain.names import UNKNOWN
from bisector.core.explain.stacks import Capture, Unit
from bisector.formats.profiles.gathering import Gathering, Reading
from bisector.formats.profiles.problem import ProfileProblem

HEADER = re.compile(
    r"\S.*?\s+-?\d+(?:/-?\d+)?\s+(?:\[\d+\]\s+)?(?:\S+\s+)?\d+\.\d+:\s+(?:(\d+)\s+)?([\w./:=,@-]+?):+(?:\s+(.*))?"
)
_FRAME = re.compile(r"\s*([0-9a-f]+)\s+(.*?)\s+\(((?:[^()]|\((?:deleted|inlined)\))*)\)\s*")
_SOURCE = re.compile(r"\s+(\S.*):(\d{1,9})")
_LOST = re.compile(r".*PERF_RECORD_LOST.*?(\d+)\s*")
_PYTHON = re.compile(r"py::(.*):([^:]*)")
_JIT = re.compile(r"(?:.*/)?perf-\d+\.map")
_CLOCKS = frozenset(("cpu-clock", "task-clock"))
LONGEST_LINE = 20_000
"""Characters of a line that are looked at."""
Place = tuple[str, str, int]


def looks_like(text: str) -> bool:
    """Whether a text is what `perf script` prints."""
    lines = (line for line in text[:100_000].split("\n") if line.strip() and not line.startswith("#"))
    return HEADER.fullmatch(next(lines, "")[:LONGEST_LINE].rstrip()) is not None


def read(text: str, reading: Reading) -> Capture:
    """The capture in the text: in seconds for the clock events and where the rate is known, else in samples."""
    gathering = Gathering(reading)
    clock, stacks = True, dict[tuple[int, ...], list[int]]()
    for period, event, stack in _events(text, gathering):
        clock = clock and event.partition(":")[0] in _CLOCKS and period is not None
        numbers = tuple(gathering.frame(*place) for place in reversed(stack)) or (gathering.frame(UNKNOWN),)
        found = stacks.setdefault(numbers, [0, 0])
        found[0] += 1
        found[1] += period or 0
    if not stacks:
        raise ProfileProblem("there are no events in it")
    # The period of a clock is time. Of another event, sampled at a rate, each sample stands for an equal time instead.
    for numbers, (events, duration) in stacks.items():
        gathering.add(numbers, float(duration if clock else events))
    if not clock:
        return gathering.counted("perf")
    return gathering.capture("perf", Unit.SECONDS, samples=sum(events for events, _ in stacks.values()), scale=1e-9)


def _events(text: str, gathering: Gathering) -> Iterator[tuple[int | None, str, list[Place]]]:
    """Period, event and stack of each sample; what is lost is told to `gathering`."""
    header: re.Match[str] | None = None
    stack: list[Place] = []
    for raw in text.split("\n"):
        line = raw[:LONGEST_LINE].rstrip()
        if line.startswith("#"):
            continue
        if line and not line[0].isspace():
            if header is not None:
                yield _event(header, stack)
            header, stack = HEADER.fullmatch(line), []
            if lost := _LOST.fullmatch(line):
                gathering.lost += int(lost[1][:9])
                header = None
        elif header is not None and line:
            _take(line, stack)
    if header is not None:
        yield _event(header, stack)


def _event(header: re.Match[str], stack: list[Place]) -> tuple[int | None, str, list[Place]]:
    period = int(header[1]) if header[1] and len(header[1]) < 16 else None
    if not stack and header[3]:
        _take(header[3], stack)
    return period, header[2], stack


def _take(line: str, stack: list[Place]) -> None:
    """One line of a stack: a frame, or the source line of the frame before it."""
    if found := _FRAME.fullmatch(line):
        symbol, shared = found[2], found[3]
        if python := _PYTHON.fullmatch(symbol.partition("+0x")[0]):
            stack.append((python[1], python[2], 0))
            return
        path = "[jit]" if _JIT.fullmatch(shared) else "" if shared in {"inlined", "[unknown]"} else shared
        stack.append((symbol, path, 0))
    elif stack and (found := _SOURCE.fullmatch(line)):
        name, path, _ = stack[-1]
        stack[-1] = (name, path, int(found[2]))
