"""What two at the same moment buy: one comparison in turns and in duets, alone and with neighbours that come and go.

    python -m benchmarks.duet --pairs 30 --repeats 3

One program beside itself, the second time with 5 % more to do, by the local runner. Both ways are taken alternately in
one run, so that the host does the same to both. Told are the deviation of the logarithm of one pair's ratio, how far
the ratio of the levels is from the truth over the repeats, and what a pair takes: the price of a given precision is
seconds times variance.
"""

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import log
from pathlib import Path
from statistics import fmean, stdev
from time import monotonic

from benchmarks.overhead.bench import open_bench
from bisector.adapters.local.runner import LocalRunner
from bisector.core.model.builds import Build
from bisector.core.model.samples import Outcome
from bisector.core.model.scenario import RunRecipe
from bisector.engine.ports import RunOrder, RunRecord, Session
from bisector.engine.stop import StopSignal

WORK = "import sys; n = int(sys.argv[1]); x = 0\nfor i in range(n): x += i * i"
MORE = 1.05
NEIGHBOUR = """
import os, random, sys, time
if len(sys.argv) > 1: os.sched_setaffinity(0, {int(sys.argv[1])})
while True:
    slot = int(time.monotonic() / 0.5)
    busy = random.Random(slot * 7919 + (0 if len(sys.argv) > 1 else os.getpid())).random() < 0.5
    while busy and time.monotonic() < (slot + 1) * 0.5: sum(range(1000))
    time.sleep(max((slot + 1) * 0.5 - time.monotonic(), 0))
"""
"""Busy in every second half second, on average: with a processor named tied to it and in step with its like."""


@dataclass(frozen=True)
class Way:
    """What one way of measuring gave: the logarithm of each pair's ratio, and the seconds that all pairs took."""

    ratios: list[float]
    seconds: float


@contextlib.contextmanager
def neighbours(kind: str) -> Iterator[None]:
    """One program a processor that comes and goes: on any, each for itself, or on each, all at the same moments."""
    tied: dict[str, list[tuple[str, ...]]] = {
        "none": [],
        "each for itself": [()],
        "in step": [(str(cpu),) for cpu in sorted(os.sched_getaffinity(0))],
    }
    wanted = tied[kind] * (len(os.sched_getaffinity(0)) if kind == "each for itself" else 1)
    started = [subprocess.Popen([sys.executable, "-c", NEIGHBOUR, *where]) for where in wanted]
    try:
        yield
    finally:
        for process in started:
            process.kill()
            process.wait()


def wall(record: object) -> float:
    """The wall time of a run that went well."""
    if not isinstance(record, RunRecord) or record.outcome is not Outcome.OK or record.usage is None:
        raise SystemExit(f"a run failed: {record}")
    return record.usage.wall


def in_turns(sessions: dict[tuple[str, int], Session], pairs: int) -> Way:
    """Old and new, new and old, on the same processor."""
    began, ratios = monotonic(), []
    for turn in range(pairs):
        order = ("old", "new") if turn % 2 == 0 else ("new", "old")
        found = {name: wall(sessions[name, 0].run()) for name in order}
        ratios.append(log(found["new"] / found["old"]))
    return Way(ratios, monotonic() - began)


def in_duets(runner: LocalRunner, sessions: dict[tuple[str, int], Session], pairs: int) -> Way:
    """Old and new at the same moment, each on each processor in turns."""
    began, ratios = monotonic(), []
    for turn in range(pairs):
        lane = turn % 2
        new, old = runner.run_together([sessions["new", lane], sessions["old", 1 - lane]])
        ratios.append(log(wall(new) / wall(old)))
    return Way(ratios, monotonic() - began)


def told(name: str, ways: list[Way]) -> str:
    """A row: deviation of a pair, its price, and the error of the mean over the repeats."""
    pair = fmean(stdev(way.ratios) ** 2 for way in ways) ** 0.5
    seconds = fmean(way.seconds / len(way.ratios) for way in ways)
    errors = ", ".join(f"{100 * (fmean(way.ratios) - log(MORE)):+.2f}" for way in ways)
    return f"{name:<10} {100 * pair:8.2f} {seconds:8.3f} {1e4 * pair**2 * seconds:10.3f}   {errors}"


def price(ways: list[Way]) -> float:
    """Seconds times variance of a pair."""
    return fmean(stdev(way.ratios) ** 2 for way in ways) * fmean(way.seconds / len(way.ratios) for way in ways)


def measured(runner: LocalRunner, build: Build, options: argparse.Namespace) -> tuple[list[Way], list[Way]]:
    """Both ways, alternately."""
    turns, duets = [], []
    recipe = RunRecipe(command=("true",))
    with contextlib.ExitStack() as stack:
        sessions: dict[tuple[str, int], Session] = {}
        for name, work in (("old", options.work), ("new", round(options.work * MORE))):
            for lane in (0, 1):
                command = (sys.executable, "-c", WORK, str(work))
                order = RunOrder(recipe=replace(recipe, command=command), files=None, lane=lane)
                session = stack.enter_context(runner.open(build, order, StopSignal()))
                session.run()
                sessions[name, lane] = session
        for _ in range(options.repeats):
            turns.append(in_turns(sessions, options.pairs))
            duets.append(in_duets(runner, sessions, options.pairs))
    return turns, duets


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=30)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--work", type=int, default=2_000_000, help="turns of the measured loop")
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="bisector-duet-"))
        runner = LocalRunner(Path(directory), host_env=os.environ)
        build = stack.enter_context(open_bench(runner, Path(directory), None)).build
        print(f"{options.pairs} pairs, {options.repeats} times, load {os.getloadavg()[0]:.1f}", flush=True)
        print("                sd %   s/pair   sd² × s   error of the mean change, % points")
        for kind in ("none", "each for itself", "in step"):
            with neighbours(kind):
                turns, duets = measured(runner, build, options)
            print(f"-- neighbours of ours: {kind} (load {os.getloadavg()[0]:.1f})")
            print(told("in turns", turns))
            print(told("duets", duets))
            print(f"the same precision in duets costs {price(duets) / price(turns):.2f} times the time", flush=True)


if __name__ == "__main__":
    main()
