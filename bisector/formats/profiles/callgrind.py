"""What callgrind writes: calls of every function, by whom, and the instructions of each.

https://valgrind.org/docs/manual/cl-format.html
"""

import re
from collections.abc import Sequence

from bisector.core.explain.counts import Counts
from bisector.core.explain.names import Names
from bisector.core.explain.stacks import Frame
from bisector.formats.profiles.calls import MOST_CALLS
from bisector.formats.profiles.problem import ProfileProblem

_NAME = re.compile(r"\((\d{1,18})\)(?: (.*))?")
_POSITION = re.compile(r"(ob|fn|cob|cfn)=(.*)")
_COST = re.compile(r"(?:[+-]?\d+|\*|0x[0-9a-f]+)(?: (\d{1,18}))?(?: .*)?")
_CYCLE = re.compile(r"'\d+$")
"""What callgrind adds to the name of a function that calls itself."""


def read_callgrind(files: Sequence[bytes], names: Names, work: float) -> Counts:
    """The counts in the files of a side's runs, `work` units of work together; ProfileProblem for what is none.

    Instructions are those of a function alone, without what it calls.
    """
    reader = _Reader(names)
    for data in files:
        reader.read(data.decode("utf-8", "replace"))
    if not reader.calls:
        raise ProfileProblem("no call was counted")
    return Counts(calls=reader.calls, edges=reader.edges, instructions=reader.instructions, work=work)


class _Reader:
    """Adds up files. Names are told once and then by number, in each file anew."""

    def __init__(self, names: Names) -> None:
        self.calls: dict[Frame, int] = {}
        self.edges: dict[tuple[Frame, Frame], int] = {}
        self.instructions: dict[Frame, int] = {}
        self._names = names
        self._texts: dict[tuple[bool, str], str] = {}
        self._frames: dict[tuple[str, str], Frame] = {}

    def read(self, text: str) -> None:
        """One file."""
        self._texts.clear()
        if "events:" not in text[:4096]:
            raise ProfileProblem("it is not callgrind's")
        at: dict[str, str] = {}
        times: int | None = None
        for line in text.split("\n"):
            if found := _POSITION.fullmatch(line):
                at[found[1]] = self._text(found[1], found[2])
            elif line.startswith("calls="):
                times = self._called(line, at)
            elif "fn" in at and (found := _COST.fullmatch(line)):
                if times is None:
                    self._add(self.instructions, self._frame(at["fn"], at.get("ob", "")), int(found[1] or 0))
                times = None

    def _text(self, kind: str, told: str) -> str:
        """A name: "(3) main" tells it, "(3)" refers to it."""
        found = _NAME.fullmatch(told)
        if found is None:
            return told
        key = (kind in {"ob", "cob"}, found[1])
        if found[2] is not None:
            self._texts[key] = found[2]
        return self._texts.get(key, "")

    def _called(self, line: str, at: dict[str, str]) -> int:
        """A call; the line after it holds what it cost with all it calls."""
        number = line[6:].partition(" ")[0]
        if not number.isdecimal() or len(number) > 15 or "fn" not in at or "cfn" not in at:
            raise ProfileProblem(f"not a call: {line[:40]}")
        caller = self._frame(at["fn"], at.get("ob", ""))
        callee = self._frame(at.pop("cfn"), at.pop("cob", at.get("ob", "")))
        self._add(self.calls, callee, int(number))
        pair = (caller, callee)
        self.edges[pair] = min(self.edges.get(pair, 0) + int(number), MOST_CALLS)
        return int(number)

    def _frame(self, function: str, shared: str) -> Frame:
        key = (function, shared)
        if key not in self._frames:
            self._frames[key] = self._names.frame(_CYCLE.sub("", function), shared)
        return self._frames[key]

    @staticmethod
    def _add(sums: dict[Frame, int], frame: Frame, number: int) -> None:
        sums[frame] = min(sums.get(frame, 0) + number, MOST_CALLS)
