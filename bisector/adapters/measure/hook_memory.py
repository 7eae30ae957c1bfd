"""What tells of a Python program's memory from within; `hook.py` loads it where it is wanted.

"memory" finds what was allocated where when the process held most of it: tracemalloc remembers the stack of every
block, and the blocks are listed whenever the process holds notably more than when they were listed last. It looks at
every call and return, so that memory which comes and goes within one function is seen as well: what had gone again by
the time anybody looked is put down to the function that was running. After MOST_EVENTS of them it looks every few
milliseconds instead. "allocating" adds up what each function allocates between one call or return and the next, by how
much more is held at some moment in between than before, and counts its calls: MOST_ADDED events tell what a call
allocates; then the program goes on as it would without us.

Only blocks of Python's own allocators are seen. It runs on Python 3.6 and later: no annotations that these do not know.
"""

import _thread
import json
import os
import sys
import threading
import time
import tracemalloc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

FRAMES = 64
"""Frames of a stack that are kept, the innermost ones."""
LEAST = 1 << 15
"""Bytes by which more must be held before the blocks are listed again."""
FINE, COARSE = 1.03, 1.25
"""Times as much as when they were listed last: the second where listing takes a third of the time or more."""
MOST_EVENTS = 1000000
MOST_ADDED = 200000
EVERY = 0.002
"""Seconds."""
MOST_STACKS = 50000
OMITTED = ("[frames left out]", "[tracemalloc]", 0)
OWN = os.path.join(os.path.dirname(__file__), "")
"""Where this file and `hook.py` lie: what they allocate is not the program's."""


class Peak:
    """What was held when most was held: bytes by stack, and what had gone by the time anybody looked."""

    def __init__(self) -> None:
        self.held = {}  # type: dict[tuple[Any, ...], int]
        self.total = 0
        self.limit = LEAST
        self.own = 0
        self.spent = 0.0
        self.busy = False
        self.events = 0
        self.polling = self.ended = False
        self.thread = _thread.get_ident()
        self.began = time.perf_counter()
        self.can_reset = hasattr(tracemalloc, "reset_peak")

    def look(self, frame: "Any", kind: str, _argument: object) -> None:
        """At a call or return: list the blocks where notably more was held since they were listed last."""
        current, peak = tracemalloc.get_traced_memory()
        most = peak if self.can_reset else current
        if most - self.own > self.limit and not self.busy:
            self.list_blocks(frame.f_back if kind == "call" else frame, current, most)
        self.events += 1
        if self.events > MOST_EVENTS:
            sys.setprofile(None)
            if not self.polling:
                self.polling = True
                threading.setprofile(None)
                _thread.start_new_thread(self.poll, ())

    def poll(self) -> None:
        """The same now and then, from a thread of its own that nobody else knows of."""
        while not self.ended:
            time.sleep(EVERY)
            current, peak = tracemalloc.get_traced_memory()
            most = peak if self.can_reset else current
            if most - self.own > self.limit and not self.busy and not self.ended:
                self.list_blocks(sys._current_frames().get(self.thread), current, most)

    def list_blocks(self, frame: "Any", current: int, most: int) -> None:
        self.busy, began = True, time.perf_counter()
        held = {}  # type: dict[tuple[Any, ...], int]
        total = 0
        for trace in sys.modules["_tracemalloc"]._get_traces():
            stack = trace[2]
            if not stack[0][0].startswith(OWN):
                key = (stack, len(trace) > 3 and trace[3] is not None and trace[3] > len(stack))
                held[key] = held.get(key, 0) + trace[1]
                total += trace[1]
        gone = most - current
        if gone > 0 and frame is not None and not frame.f_code.co_filename.startswith(OWN):
            key = (stack_of(frame), False)
            held[key] = held.get(key, 0) + gone
            total += gone
        if total > self.total:
            self.held, self.total = held, total
        del held
        self.spent += time.perf_counter() - began
        elapsed = time.perf_counter() - self.began
        step = FINE if self.spent < elapsed / 3 else COARSE
        self.limit = max(self.total + LEAST, int(self.total * step))
        self.own += tracemalloc.get_traced_memory()[0] - current
        if self.can_reset:
            tracemalloc.reset_peak()
        self.busy = False

    def text(self) -> str:
        """As speedscope has it, in bytes."""
        names = Names()
        numbers = {}  # type: dict[tuple[str, str, int], int]
        stacks = {}  # type: dict[tuple[int, ...], int]
        for (stack, cut), size in self.held.items():
            told = [names.function(path, line) for path, line in reversed(stack)]
            whole = ([OMITTED] if cut else []) + told
            key = tuple(numbers.setdefault(each, len(numbers)) for each in whole)
            stacks[key] = stacks.get(key, 0) + size
        kept = sorted(stacks.items(), key=lambda item: -item[1])[:MOST_STACKS]
        profile = {
            "type": "sampled",
            "name": "memory",
            "unit": "bytes",
            "startValue": 0,
            "endValue": self.total,
            "samples": [stack for stack, _ in kept],
            "weights": [size for _, size in kept],
        }
        frames = [{"name": name, "file": path, "line": line} for name, path, line in numbers]
        return json.dumps({"shared": {"frames": frames}, "profiles": [profile]}, separators=(",", ":"))


class Names:
    """Functions by file and line, which is all that tracemalloc remembers: from the sources, compiled again."""

    def __init__(self) -> None:
        self.files = {}  # type: dict[str, dict[int, tuple[str, int]]]

    def function(self, path: str, line: int) -> "tuple[str, str, int]":
        if path == "<unknown>":
            # No function was running: the tree of the main script, which the interpreter holds while that runs.
            return "[interpreter]", path, 0
        if path.startswith("<"):
            return "[import]" if "import" in path else "[generated]", path, 0
        if path not in self.files:
            self.files[path] = lines_of(path)
        name, first = self.files[path].get(line, (f"[line {line}]", line))
        return name, path, first


def lines_of(path: str) -> "dict[int, tuple[str, int]]":
    """The function that each line of a source file is in, and its first line."""
    found = {}  # type: dict[int, tuple[str, int]]
    try:
        with open(path, "rb") as file:
            code = compile(file.read(), path, "exec", dont_inherit=True)
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return found
    pending = [(code, "<module>", "")]
    while pending:
        code, name, prefix = pending.pop(0)
        alone = {line for line in lines_in(code) if line > code.co_firstlineno or name == "<module>"}
        # The line of a definition is its surroundings' unless all of it stands there.
        for line in alone or {code.co_firstlineno}:
            if code.co_name.startswith("<"):
                found.setdefault(line, (name, code.co_firstlineno))
            else:
                found[line] = (name, code.co_firstlineno)
        for inner in code.co_consts:
            if isinstance(inner, type(code)):
                full = prefix + inner.co_name
                is_function = inner.co_flags & 1
                pending.append((inner, full, full + (".<locals>." if is_function else ".")))
    return found


def lines_in(code: "Any") -> "Iterable[int]":
    if hasattr(code, "co_lines"):
        return {line for _, _, line in code.co_lines() if line}
    import dis

    return {line for _, line in dis.findlinestarts(code)}


def stack_of(frame: "Any") -> "tuple[tuple[str, int], ...]":
    """The stack of a running frame as tracemalloc has them, the innermost function first."""
    found = []  # type: list[tuple[str, int]]
    while frame is not None and len(found) < FRAMES:
        found.append((frame.f_code.co_filename, frame.f_lineno))
        frame = frame.f_back
    return tuple(found)


def by_peak() -> "Callable[[], str]":
    """What is held where at the peak; returns what ends it and tells."""
    peak = Peak()
    tracemalloc.start(FRAMES)
    threading.setprofile(peak.look)
    sys.setprofile(peak.look)

    def finish() -> str:
        sys.setprofile(None)
        peak.ended = True
        current, most = tracemalloc.get_traced_memory()
        if (most if peak.can_reset else current) - peak.own > peak.total:
            # What had gone by now is nobody's: no function of the program is running any more.
            peak.list_blocks(None, current, most if peak.can_reset else current)
        tracemalloc.stop()
        return peak.text()

    return finish


def of_program(counted: "dict[Any, int]") -> "dict[Any, int]":
    """Without what is counted of us."""
    return {code: number for code, number in counted.items() if not code.co_filename.startswith(OWN)}


def by_allocating(text_of: "Callable[[dict[Any, int], dict[Any, int]], str]") -> "Callable[[], str]":
    """What each function allocates, and its calls; returns what ends it and tells both as `text_of` writes them."""
    allocated, calls = {}, {}  # type: dict[Any, int], dict[Any, int]
    last = events = 0
    traced, reset = tracemalloc.get_traced_memory, getattr(tracemalloc, "reset_peak", None)

    def look(frame: "Any", kind: str, _argument: object) -> None:
        nonlocal last, events
        events += 1
        current, peak = traced()
        running = frame
        if kind == "call":
            calls[frame.f_code] = calls.get(frame.f_code, 0) + 1
            running = frame.f_back
        more = (current if reset is None else peak) - last
        if more > 0 and running is not None:
            allocated[running.f_code] = allocated.get(running.f_code, 0) + more
        if events > MOST_ADDED:
            stop()
            return
        if reset is not None:
            reset()
        last = traced()[0]

    def stop() -> None:
        sys.setprofile(None)
        threading.setprofile(None)
        tracemalloc.stop()

    tracemalloc.start(1)
    last = traced()[0]
    threading.setprofile(look)
    sys.setprofile(look)

    def finish() -> str:
        stop()
        return text_of(of_program(calls), of_program(allocated))

    return finish
