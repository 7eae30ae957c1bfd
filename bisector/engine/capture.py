"""One capture: runs under a profiler until there are enough samples."""

from dataclasses import dataclass

from bisector.core.explain.names import Names
from bisector.core.model.profiles import Format, Profiler, ProfilerName
from bisector.core.model.samples import Outcome
from bisector.core.model.units import Seconds
from bisector.engine.ports import RunRecord, Session
from bisector.engine.work import Work
from bisector.formats.profiles import read_profile
from bisector.formats.profiles.calls import read_counts
from bisector.formats.profiles.gathering import Reading
from bisector.formats.profiles.problem import ProfileProblem

MOST_RUNS = 60
"""Runs of one capture, however short each is."""
RUNS_WITHOUT_SAMPLES = 3
"""So many runs in which nothing is seen, and none is."""
LONGEST_CAPTURE: Seconds = 30.0
"""No further run is begun after so long."""
LEAST_SEEN = 0.4
"""Of the processor time of a measured run; a profiler that sees less is blind to what takes it."""
LEAST_EXPECTED = 40
"""Samples to be expected before a profiler is called blind: of fewer, start-up is most."""
_COMPLAINTS = ("Error", "error", "perf:")


class NoCapture(Exception):
    """There is no capture; the message says why."""


class Blind(NoCapture):
    """The profiler cannot see what takes the time; the message says how much it saw."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What to capture with, how many samples of it (or counted calls), and the processor time of a measured run."""

    profiler: Profiler
    samples: int
    cpu: Seconds | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """What the profiler wrote, in how many runs, and how many samples that holds."""

    files: tuple[bytes, ...]
    runs: int
    samples: int


def take(session: Session, wanted: Wanted, work: Work) -> Taken:
    """Run until there are so many samples; NoCapture or ProfileProblem where there are none of use."""
    profiler = wanted.profiler
    files: list[bytes] = []
    samples, runs, began = 0, 0, work.since_created
    while samples < wanted.samples and runs < MOST_RUNS:
        if runs and work.since_created - began > LONGEST_CAPTURE:
            break
        work.stop.check()
        written = _written(session.run(), profiler)
        files += written
        samples += sum(_samples(content, profiler) for content in written)
        runs += 1
        _check_sight(wanted, samples, runs)
        if not samples and runs >= RUNS_WITHOUT_SAMPLES:
            raise NoCapture(f"{profiler.tool} saw nothing in {runs} runs")
    if not samples:
        raise NoCapture(f"{profiler.tool} saw nothing in {runs} runs")
    return Taken(files=tuple(files), runs=runs, samples=samples)


def _check_sight(wanted: Wanted, samples: int, runs: int) -> None:
    """Blind where a profiler of Python saw little of the processor time that measured runs take: the rest then goes
    into other programs that the command starts."""
    profiler = wanted.profiler
    if profiler.tool != ProfilerName.PY_SPY or wanted.cpu is None or not samples:
        return
    seen = samples / runs / profiler.rate_hz
    if wanted.cpu * runs * profiler.rate_hz >= LEAST_EXPECTED and seen < LEAST_SEEN * wanted.cpu:
        raise Blind(
            f"it saw {seen:.2g} s of the {wanted.cpu:.2g} s of processor time a run takes: the rest is not Python"
        )


def _written(record: RunRecord, profiler: Profiler) -> list[bytes]:
    """The files of one run; NoCapture with what the profiler or the command complained of."""
    written = [record.files[name] for name in profiler.files if record.files.get(name)]
    if record.outcome is not Outcome.OK or not written:
        lines = record.stderr.decode("utf-8", "replace").splitlines()
        complaint = next((line for line in lines if line.startswith(_COMPLAINTS)), record.reason)
        raise NoCapture(complaint or f"{profiler.tool} wrote nothing")
    return written


def _samples(content: bytes, profiler: Profiler) -> int:
    """How many samples, or counted calls, a file holds."""
    if profiler.format is Format.CALLS:
        return sum(read_counts([content], Names(), 1.0).calls.values())
    try:
        return read_profile(content, Reading()).samples or 0
    except ProfileProblem:
        # A process so short that nothing was seen of it is no failure beside others that were seen.
        return 0
