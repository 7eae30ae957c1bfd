"""Runs on this machine: bare, and by the local runner."""

import subprocess
from pathlib import Path

from benchmarks.overhead.bench import Bench
from benchmarks.overhead.timing import Reading, Way

BARE = "the bare process"


def costs(bench: Bench, fallback: Bench) -> list[Way]:
    """Ways to run `true`; `fallback` has no compiler for its helper."""
    return [
        Way(name=BARE, run=lambda: bare("true")),
        bench.measured("by our local runner", "true"),
        fallback.measured("the same with the helper in Python", "true"),
    ]


def spreads(bench: Bench, program: tuple[str, ...]) -> list[Way]:
    """Who takes the time of a program that also takes its own."""
    python = str(Path(bench.build.handle) / "venv" / "bin" / program[0])
    return [
        bench.measured("our helper", *program),
        Way(name="a clock around the process", run=lambda: bare(python, *program[1:])),
    ]


def bare(*command: str) -> Reading:
    """Run `command` as plainly as Python can."""
    done = subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    return Reading(own=float(done.stdout or 0))
