"""What looks at a Python program from within. It lies on the program's path as `sitecustomize`.

BISECTOR_INSIDE says what it does: "sampling" has pyinstrument look at the main thread (for where ptrace is refused,
or a process ends before py-spy has found it); "counting" counts how often every function is called, and by whom, with
`sys.monitoring` where there is one (3.12), else cProfile; "memory" and "allocating" are told in `hook_memory.py`. All
last from the start of every Python process to its end by `exit`, or by SIGTERM where the program does not handle
that; a process that is forked, or ends in another way, tells nothing. BISECTOR_PROFILE is the path of the files
without their number, BISECTOR_INTERVAL the seconds between samples.

It runs on Python 3.6 and later: no annotations that these do not know.
"""

import atexit
import json
import os
import signal
import sys
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

HERE = os.path.dirname(os.path.abspath(__file__))
MOST_PROCESSES = 16
MOST_BYTES = 12 << 20


class Table:
    """Functions by number, and how often each and each pair was called."""

    def __init__(self) -> None:
        self.functions: dict[tuple[str, int, str], int] = {}
        self.calls: dict[int, int] = {}
        self.edges: dict[tuple[int, int], int] = {}

    def number(self, code: "Any") -> int:
        if isinstance(code, str):
            key = ("<built-in>", 0, code)
        else:
            name = getattr(code, "co_qualname", code.co_name)
            key = (code.co_filename, code.co_firstlineno, name)
        return self.functions.setdefault(key, len(self.functions))

    def add(self, code: object, calls: int) -> int:
        number = self.number(code)
        self.calls[number] = self.calls.get(number, 0) + calls
        return number

    def add_edge(self, caller: int, callee: int, calls: int) -> None:
        self.edges[caller, callee] = self.edges.get((caller, callee), 0) + calls

    def text(self, tool: str, allocated: "dict[Any, int] | None" = None) -> str:
        bytes_of = [[self.number(code), size] for code, size in (allocated or {}).items()]
        told = {
            "version": 1,
            "tool": tool,
            "functions": [list(key) for key in self.functions],
            "calls": [list(pair) for pair in self.calls.items()],
            "edges": [[caller, callee, calls] for (caller, callee), calls in self.edges.items()],
            "allocated": bytes_of,
        }
        return json.dumps(told, separators=(",", ":"))


def by_profile() -> "Callable[[], str]":
    """Counting by cProfile, one a thread; returns what ends it and tells."""
    import cProfile

    profiles: list[Any] = []

    def count_thread(*_event: object) -> None:
        profile = cProfile.Profile()
        profiles.append(profile)
        profile.enable()

    def finish() -> str:
        for profile in profiles:
            profile.disable()
        table = Table()
        for profile in profiles:
            for entry in profile.getstats():
                caller = table.add(entry.code, entry.callcount)
                for callee in entry.calls or ():
                    table.add_edge(caller, table.number(callee.code), callee.callcount)
        return table.text("cProfile")

    threading.setprofile(count_thread)
    count_thread()
    return finish


def by_monitoring(monitoring: "Any") -> "Callable[[], str]":
    """Counting by `sys.monitoring`, all threads at once; returns what ends it and tells."""
    events, tool = monitoring.events, monitoring.PROFILER_ID
    pairs: dict[tuple[object, object], int] = {}
    frame_of, builtin = sys._getframe, type(len)
    methods = (builtin, type(str.join), type(object.__init__))

    def started(code: object, _offset: int) -> None:
        above = frame_of(1).f_back
        key = (above.f_code if above is not None else None, code)
        pairs[key] = pairs.get(key, 0) + 1

    def called(code: object, _offset: int, callee: "Any", _argument: object) -> None:
        if isinstance(callee, methods):
            key = (code, callee.__qualname__)
            pairs[key] = pairs.get(key, 0) + 1

    monitoring.use_tool_id(tool, "bisector")
    monitoring.register_callback(tool, events.PY_START, started)
    monitoring.register_callback(tool, events.CALL, called)
    monitoring.set_events(tool, events.PY_START | events.CALL)

    def finish() -> str:
        monitoring.set_events(tool, 0)
        table = Table()
        for (caller, callee), calls in list(pairs.items()):
            number = table.add(callee, calls)
            if caller is not None:
                table.add_edge(table.number(caller), number, calls)
        return table.text("sys.monitoring")

    return finish


def by_sampling() -> "Callable[[], str]":
    """Sampling by pyinstrument; returns what ends it and tells."""
    packages = os.path.join(os.path.dirname(HERE), "packages")
    sys.path.append(packages)
    try:
        from pyinstrument import Profiler
    finally:
        sys.path.remove(packages)
    profiler = Profiler(interval=float(os.environ["BISECTOR_INTERVAL"]), async_mode="disabled")
    profiler.start(target_description="bisector")

    def finish() -> str:
        session, ours = profiler.stop(), f"\0{finish.__code__.co_filename}\0"
        # What beginning and ending took is no part of the program.
        records = session.frame_records
        session.frame_records = [each for each in records if not any(ours in name for name in each[0])]
        session.sample_count -= len(records) - len(session.frame_records)
        return json.dumps(session.to_json(include_frame_records=True))

    return finish


def by_memory(inside: str) -> "Callable[[], str]":
    """What looks at memory; returns what ends it and tells."""
    sys.path.insert(0, HERE)
    try:
        from importlib import import_module

        memory = import_module("bisector_hook_memory")
    finally:
        sys.path.remove(HERE)
    if inside == "memory":
        begun: Callable[[], str] = memory.by_peak()
    else:
        begun = memory.by_allocating(allocations)
    return begun


def allocations(calls: "dict[Any, int]", allocated: "dict[Any, int]") -> str:
    table = Table()
    for code, times in calls.items():
        table.add(code, times)
    return table.text("tracemalloc", allocated)


def begin() -> None:
    """Begin, and see to it that what was found is written after everything else that runs at the end."""
    process = os.getpid()
    end_by_exit(process)  # before anything is looked at, so that none of it is told

    def end() -> None:
        text = finish()
        if os.getpid() == process and 0 < len(text) <= MOST_BYTES:
            write(text)

    inside = os.environ["BISECTOR_INSIDE"]
    if inside == "sampling":
        finish = by_sampling()
    elif inside in ("memory", "allocating"):
        finish = by_memory(inside)
    else:
        monitoring = getattr(sys, "monitoring", None)
        finish = by_profile() if monitoring is None else by_monitoring(monitoring)
    atexit.register(end)


def end_by_exit(process: int) -> None:
    """Have SIGTERM end the program by `exit` where nothing else is made of it: a server that is told to stop ends by
    it, and would tell nothing. What it forks ends as ever."""

    def terminate(number: int, _frame: object) -> None:
        if os.getpid() == process:
            raise SystemExit(128 + number)
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, terminate)


def write(text: str) -> None:
    for number in range(MOST_PROCESSES):
        path = "{}.{}".format(os.environ["BISECTOR_PROFILE"], number)
        try:
            descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        except FileExistsError:
            continue
        with open(descriptor, "w") as file:
            file.write(text)
        return


def give_way() -> None:
    """Leave the path as it would be without us, and run the `sitecustomize` whose place we took."""
    from importlib.machinery import PathFinder

    sys.path[:] = [part for part in sys.path if os.path.abspath(part) != HERE]
    spec = PathFinder.find_spec("sitecustomize", sys.path)
    if spec is not None and spec.loader is not None:
        from importlib.util import module_from_spec

        spec.loader.exec_module(module_from_spec(spec))


if __name__ == "sitecustomize":
    give_way()
    begin()
