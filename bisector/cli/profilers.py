"""`bisector doctor --profilers`: every profiler with every runner, found out by profiling a short program with it."""

import os
import platform
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import click

from bisector.cli.demo_history import Change, Stream
from bisector.cli.intake import take_in
from bisector.cli.options import MeasureOptions, SearchOptions
from bisector.core.model.captures import Profiled
from bisector.core.model.investigation import Investigation
from bisector.core.model.request import JobKind, Request, RunnerName
from bisector.core.model.scenario import ProfileRecipe
from bisector.engine.profiling import profile_commits
from bisector.errors import BisectorError, Cancelled, UsageError
from bisector.report.markdown import in_cell
from bisector.report.numbers import count
from bisector.report.text import one_line
from bisector.wiring import Wiring, make_repository

BUSY = """\
def work(number):
    return sum(place * place for place in range(number))


for _ in range(150):
    work(20_000)
"""
LOOP = "i=0; while [ $i -lt {times} ]; do i=$((i+1)); done"
PYTHON, SHELL = ("python", "{source}/busy.py"), ("sh", "{source}/loop.sh")
TOOLS = {
    "py-spy": "py-spy",
    "pyinstrument": "pyinstrument",
    "perf": "perf",
    "tracemalloc": "tracemalloc",
    "counts": "calls of Python functions",
    "allocations": "allocations of Python functions",
    "callgrind": "callgrind",
}
RUNNERS = {RunnerName.LOCAL: "this machine", RunnerName.DOCKER: "Docker"}
LIMITS = ("kernel.perf_event_paranoid", "kernel.yama.ptrace_scope")
LONGEST = 160
WORKS = "works"
RATE = 999
"""Samples a second: enough of them are soon together."""


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """A short program, the profiler it asks for, and whether it is its memory that is asked about."""

    command: tuple[str, ...]
    profiler: Literal["auto", "py-spy", "pyinstrument", "perf"]
    memory: bool = False


ATTEMPTS = (
    Attempt(command=PYTHON, profiler="py-spy"),
    Attempt(command=PYTHON, profiler="pyinstrument"),
    Attempt(command=PYTHON, profiler="auto", memory=True),
    Attempt(command=SHELL, profiler="perf"),
)
Found = Mapping[RunnerName, Mapping[str, str]]


def tried(wiring: Wiring, image: str) -> Found:
    """What came of each profiler with each runner: "works, …", or why it does not."""
    with tempfile.TemporaryDirectory(prefix="bisector-") as made:
        make_repository(Path(made) / "repository", _history(), wiring.stop)
        return {runner: _with(wiring, runner, image, Path(made) / "repository") for runner in RUNNERS}


def _history() -> bytes:
    """Two commits: calls are counted where there are two sides."""
    stream, ref, tip = Stream(), "refs/heads/main", 0
    for number in (1, 2):
        files = {"busy.py": BUSY, "loop.sh": LOOP.format(times=150_000 + number)}
        tip = stream.commit(Change(subject=f"Commit {number}", files=files), ref, (tip,) if tip else ())
        stream.reset(f"refs/tags/v{number}", tip)
    return stream.content


def _with(wiring: Wiring, runner: RunnerName, image: str, repository: Path) -> Mapping[str, str]:
    found: dict[str, str] = {}
    # Once more: on a busy machine a program may be over before a profiler is at it.
    for attempt in (*ATTEMPTS, *ATTEMPTS):
        name = "tracemalloc" if attempt.memory else attempt.profiler
        if found.get(name, "").startswith(WORKS):
            continue
        measure = MeasureOptions(
            repo=str(repository), command=attempt.command, runner=runner.value, image=image, reuse=False
        )
        click.echo(f"bisector: trying {name}, {RUNNERS[runner]}", err=True)
        try:
            intake = take_in(wiring, ("v1", "v2"), measure, SearchOptions(), JobKind.COMPARE)
            request = _asking(intake.request, attempt)
            ports = wiring.passing_ports(intake.repository, intake.runner)
            done = profile_commits(request, ports, wiring.stop, lambda _: None)
        except Cancelled:
            raise
        except BisectorError as error:
            found.setdefault(name, one_line(error.what, LONGEST))
            continue
        for tool, text in _told(done):
            if not found.get(tool, "").startswith(WORKS):
                found[tool] = text
    return found


def _asking(request: Request, attempt: Attempt) -> Request:
    scenario = replace(request.scenario, profile=ProfileRecipe(profiler=attempt.profiler, rate_hz=RATE, captures=1))
    if attempt.memory:
        metric = replace(scenario.metrics[0], name="peak_memory", source="peak_memory", unit="B")
        scenario = replace(scenario, metrics=(metric,))
    return replace(request, scenario=scenario)


def _told(done: Investigation) -> Iterator[tuple[str, str]]:
    for seen in done.profilers:
        yield from ((name, one_line(why, LONGEST)) for name, why in seen.refused.items())
    for capture in done.captures:
        yield capture.tool, one_line(capture.problem, LONGEST) if capture.problem else _works(capture)


def _works(capture: Profiled) -> str:
    """That it works, with how much it saw."""
    what = "sample" if capture.rate_hz else "block" if capture.tool == "tracemalloc" else "call"
    return f"{WORKS}: {count(capture.samples, what)} in {count(capture.runs, 'run')}"


def table(found: Found) -> list[str]:
    """A Markdown table, one line a profiler."""
    lines = [f"| | {' | '.join(RUNNERS.values())} |", f"|---|{'---|' * len(RUNNERS)}"]
    for tool, name in TOOLS.items():
        cells = (in_cell(found[runner].get(tool, "not tried: what it needs failed before")) for runner in RUNNERS)
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def surroundings(engine: str) -> str:
    """Whose rights it was tried with, on what."""
    user = "root" if os.geteuid() == 0 else "a user without root"
    kernel = " ".join(filter(None, (platform.system(), platform.release())))
    limits = ", ".join(f"{name} {_setting(name)}" for name in LIMITS)
    return f"Tried as {user}, {kernel}, {limits}; {engine}."


def _setting(name: str) -> str:
    try:
        return (Path("/proc/sys") / name.replace(".", "/")).read_text().strip()
    except OSError:
        return "not set"


def marks() -> tuple[str, str]:
    """The lines in a document between which the table of this user's rights stands."""
    user = "root" if os.geteuid() == 0 else "user"
    return f"<!-- bisector doctor --profilers: {user} -->", f"<!-- end of {user} -->"


def put_into(path: Path, lines: Sequence[str]) -> None:
    """Put `lines` between the marks of the document at `path`; UsageError where it has none."""
    first, last = marks()
    before, found, rest = path.read_text(encoding="utf-8").partition(first)
    _, ended, after = rest.partition(last)
    if not found or not ended:
        raise UsageError(f"there are no lines {first} and {last} in it", where=str(path))
    path.write_text("\n".join([f"{before}{first}", "", *lines, "", f"{last}{after}"]), encoding="utf-8")
