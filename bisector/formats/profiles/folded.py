"""Folded stacks: a line a stack, `outer;inner 12`. What py-spy (raw), stackcollapse, inferno and async-profiler write.

A frame may tell its place, `name (file.py:12)`. What a line cannot hold is written as `\\x3b` and read back: `;`,
control characters, and a backslash that would otherwise begin such an escape.
"""

import re
from collections.abc import Iterator, Sequence

from bisector.core.explain.stacks import ROOT, Capture, Frame, Unit
from bisector.formats.profiles.gathering import HEAVIEST, Gathering, Reading
from bisector.formats.profiles.problem import ProfileProblem

_PLACE = re.compile(r"(.*) \(((?:[^()]|\([^()]*\))*?)(?::(\d{1,9}))?\)", re.DOTALL)
_LOOKS_LIKE_A_FILE = re.compile(r"[^()]*[./<\[][^()]*|")
_ESCAPE = re.compile(r"\\x([0-9a-f]{2})")
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f;\u2028\u2029]|\\(?=x)")
LONGEST_FRAME = 4000
"""Characters of a frame that are looked at for its place."""


class _Frames(dict[str, int]):
    """Numbers of frames by their text."""

    def __init__(self, gathering: Gathering) -> None:
        super().__init__()
        self._gathering = gathering

    def __missing__(self, text: str) -> int:
        name, path, line = parse_frame(text)
        number = self[text] = self._gathering.frame(name, path, line)
        return number


def parse_frame(text: str) -> tuple[str, str, int]:
    """Name, file and line of a frame: "f (a/b.py:12)" or just "f"."""
    found = _PLACE.fullmatch(text) if len(text) <= LONGEST_FRAME and text.endswith(")") else None
    if found is None or not _LOOKS_LIKE_A_FILE.fullmatch(found[2]):
        return _unescaped(text), "", 0
    return _unescaped(found[1]), _unescaped(found[2]), int(found[3] or 0)


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text) if "\\x" in text else text


def read(text: str, reading: Reading) -> Capture:
    """The capture in a folded file; ProfileProblem where most of it is something else."""
    gathering, unreadable = Gathering(reading), 0
    number_of = _Frames(gathering).__getitem__
    for line in _lines(text):
        stack, _, count = line.rstrip("\r").rpartition(" ")
        try:
            weight = float(count)
        except ValueError:
            unreadable += bool(line.strip())
            continue
        if stack:
            gathering.add(map(number_of, stack.split(";")), weight)
        else:
            # py-spy counts the samples in which no Python was running yet.
            gathering.lost += int(weight) if 0 < weight <= HEAVIEST else 1
    if unreadable > len(gathering):
        raise ProfileProblem(f"{unreadable} of its lines are no folded stacks")
    gathering.lost += unreadable
    return gathering.counted("folded")


def _lines(text: str) -> Iterator[str]:
    """The lines one by one: a list of them would be a second copy of a large file."""
    start = 0
    while start < len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        yield text[start:end]
        start = end + 1


def write(capture: Capture) -> str:
    """The folded file of a capture: counts of samples where they are known, else microseconds or bytes."""
    frames = [_written(frame) for frame in capture.frames]
    scale = _per_weight(capture)
    counts = [round(weight * scale) for weight in capture.weights.tolist()]
    parents, of = capture.tree.parent.tolist(), capture.tree.frame.tolist()
    lines, stacks = [], [""] * len(counts)
    for node in _needed(parents, counts):
        name = frames[of[node]]
        stacks[node] = name if parents[node] == ROOT else f"{stacks[parents[node]]};{name}"
        if counts[node]:
            lines.append(f"{stacks[node]} {counts[node]}\n")
    return "".join(sorted(lines))


def _needed(parents: Sequence[int], counts: Sequence[int]) -> list[int]:
    """Nodes that have a count or call one that has, callers first."""
    needed = [count > 0 for count in counts]
    for node in range(len(parents) - 1, -1, -1):
        if needed[node] and parents[node] != ROOT:
            needed[parents[node]] = True
    return [node for node, wanted in enumerate(needed) if wanted]


def _per_weight(capture: Capture) -> float:
    if capture.samples and capture.total > 0:
        return capture.samples / capture.total
    return 1e6 if capture.unit is Unit.SECONDS else 1.0


def _written(frame: Frame) -> str:
    name = _escaped(frame.name)
    if frame.module or parse_frame(name)[0] != frame.name or not name:
        place = _escaped(frame.module).replace("(", "\\x28").replace(")", "\\x29")
        return f"{name} ({place})"
    return name


def _escaped(text: str) -> str:
    return _UNSAFE.sub(lambda found: _code(found[0]), text)


def _code(character: str) -> str:
    # What has no two digits is shown for what it is: a line break that only some programs take for one.
    return f"\\x{ord(character):02x}" if ord(character) < 0x100 else " "
