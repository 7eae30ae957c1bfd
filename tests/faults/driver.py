"""Runs bisector's commands, each in a process of its own that is forked from one that has everything imported already.

Reads an order a line from standard input and answers with a line: how the command ended and which places it passed. A
command is what a person would type; what differs is that at the n-th place of the seam it is killed or stopped.
"""

import ctypes
import importlib
import json
import os
import pkgutil
import signal
import sys
import threading
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.faults.mutants import MUTANTS
from tests.faults.turns import TURNS
from tests.faults.worlds import CHANGES, STEADY, UNTIL_DONE

NEVER = 0
HEART = "heart"
PR_SET_PDEATHSIG = 1
NOT_WANTED = tuple(
    f"bisector.{name}"
    for name in ("server", "adapters.queue", "adapters.parquet", "adapters.store.migrations", "adapters.measure.")
)
READS = frozenset(
    [
        *(
            "git rev-parse",
            "git rev-list",
            "git cat-file",
            "git for-each-ref",
            "git ls-tree",
            "git ls-remote",
            "git log",
        ),
        *("git diff-tree", "git config", "git check-ref-format", "git merge-base", "git show-ref", "git ls-files"),
    ]
)
"""Commands of git after which everything is as it was. One that is not named here counts as a durable step."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """A command to run in `directory`: `at` is the place at which it gets `signal`, `places` where they are noted."""

    arguments: Sequence[str]
    directory: str
    environment: Mapping[str, str] = field(default_factory=dict)
    output: str
    places: str
    at: int = NEVER
    signal: int = signal.SIGKILL
    mutant: str = ""
    of_heart: bool = False
    """Whether the places are those of a worker's heart, which beats when it likes, and not those of all the rest."""


def main() -> None:
    """Answer one order after the other; the number of a stopped process lets it go on, and waits for its end."""
    _import_everything()
    for line in sys.stdin:
        asked = json.loads(line)
        if isinstance(asked, int):
            child = asked
            os.kill(child, signal.SIGCONT)
        else:
            child = os.fork()
            if child == 0:
                _obey(Order(**asked))
        _, status = os.waitpid(child, os.WUNTRACED)
        code = None if os.WIFSTOPPED(status) else os.waitstatus_to_exitcode(status)
        sys.stdout.write(json.dumps({"code": code, "pid": child}) + "\n")
        sys.stdout.flush()


def _import_everything() -> None:
    import scipy.special  # noqa: F401  imported when it is first wanted: by each process, where it is not here already

    import bisector

    for module in pkgutil.walk_packages(bisector.__path__, "bisector."):
        if not module.name.startswith(NOT_WANTED):
            importlib.import_module(module.name)


def _obey(order: Order) -> None:
    code = 70
    try:
        os.setsid()
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # also where it is stopped when its test has failed
        os.chdir(order.directory)
        os.environ.update(order.environment)
        out = os.open(order.output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        for stream in (1, 2):
            os.dup2(out, stream)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        STEADY.apply()
        UNTIL_DONE.apply()
        if order.mutant:
            {**MUTANTS, **CHANGES}[order.mutant].apply()
        _watch(order)
        code = _entry(order.arguments)
    except BaseException:  # noqa: BLE001  whatever it is, it is told, and nothing of the driver runs in the child
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _entry(arguments: Sequence[str]) -> int:
    """What a person types, or a turn of what a server does beside answering."""
    if arguments[0] in TURNS:
        return TURNS[arguments[0]]()
    from bisector.cli.main import entry

    return entry(arguments)


def _watch(order: Order) -> None:
    from bisector.adapters import durable

    noted = os.open(order.places, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    passed = 0

    def passing(place: str) -> None:
        nonlocal passed
        if place.partition(" ")[2] in READS or (threading.current_thread().name == HEART) != order.of_heart:
            return
        passed += 1
        os.write(noted, f"{place}\n".encode())
        if passed == order.at:
            os.kill(os.getpid(), order.signal)
            if order.of_heart:
                time.sleep(1.0)  # another thread may get the signal: it comes while this one is still at its place

    durable.passing = passing
    durable.LEFT_AFTER = 0.0  # as if an hour had passed: nothing else runs in this install


if __name__ == "__main__":
    main()
