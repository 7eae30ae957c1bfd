"""One capture: runs under a profiler until there are enough samples."""

from dataclasses import dataclass

from bisector.core.explain.names import Names
from bisector.core.model.profiles import Format, Profiler, ProfilerName
from bisector.core.model.samples import Outcome
from bisector.core.model.units import Seconds
from bisector.engine.ports import RunRecord, Session
from bisector.engine.work import Work
from bisector.formats.profiles import read_profile
from bisector.formats.profiles.counting import counts_in
from bisector.formats.profiles.gathering import Reading
from bisector.formats.profiles.problem import ProfileProblem

MOST_RUNS = 60
"""Runs of one capture, however short each is."""
RUNS_WITHOUT_SAMPLES = 3
"""So many runs in which nothing is seen, or of which no file comes back, and there is no capture."""
LEAST_SEEN = 0.4
"""Of the processor time of a measured run; a profiler that sees less is blind to what takes it."""
UNSEEN_START: Seconds = 0.05
"""Processor time that an interpreter takes on a slow machine until py-spy can look into it: nobody can see that."""
LEAST_EXPECTED = 40
"""Samples to be expected before a profiler is called blind: of fewer, start-up is most."""
DISTURBED = 5.0
"""Times the processor time of a measured run from which on a run is not used, as long as there are others."""
DISTURBED_RUNS = 3
"""Runs without an undisturbed one among them after which that is taken for the program's own way."""
_COMPLAINTS = ("Error", "error", "perf:")
_NONE_SEEN = "no python processes"
_REFUSED = (
    "either the command runs no Python, or the kernel or container refuses ptrace: "
    "a kernel.yama.ptrace_scope of 2 or 3, or a seccomp profile or sandbox without it"
)


class NoCapture(Exception):
    """There is no capture; the message says why."""


class Blind(NoCapture):
    """The profiler cannot see what takes the time; the message says how much it saw."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What to capture with, how many samples of it (or counted calls), the processor time of a run without it, and how
    long it may take, but for the first run."""

    profiler: Profiler
    samples: int
    cpu: Seconds | None
    seconds: Seconds


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """What the profiler wrote, in how many runs, and how many samples that holds."""

    files: tuple[bytes, ...] = ()
    runs: int = 0
    samples: int = 0

    def with_run(self, run: "Taken") -> "Taken":
        """The same with another run."""
        return Taken(files=(*self.files, *run.files), runs=self.runs + run.runs, samples=self.samples + run.samples)


def take(session: Session, wanted: Wanted, work: Work) -> Taken:
    """Run until there are so many samples; NoCapture or ProfileProblem where there are none of use."""
    profiler, began = wanted.profiler, work.since_created
    taken = fine = disturbed = Taken()
    missed = 0
    for number in range(1, MOST_RUNS + 1):
        work.stop.check()
        record = session.run()
        written = _written(record, profiler)
        if not written:
            missed += 1
            if missed >= RUNS_WITHOUT_SAMPLES:
                nothing = f"{profiler.tool} wrote nothing in {missed} runs"
                raise NoCapture(
                    _complaint(record) or f"{nothing}: it cannot see into the program, or that is over too soon"
                )
            continue
        run = Taken(files=tuple(written), runs=1, samples=sum(_samples(content, profiler) for content in written))
        if _is_disturbed(wanted, run):
            disturbed = disturbed.with_run(run)
        else:
            fine = fine.with_run(run)
            _check_sight(wanted, fine)
        taken = fine if fine.samples else disturbed
        if not taken.samples and number >= RUNS_WITHOUT_SAMPLES:
            raise NoCapture(f"{profiler.tool} saw nothing in {number} runs")
        # A program whose every run looks disturbed has many threads that wait for each other: that is its way.
        enough = taken.samples >= wanted.samples and (fine.samples or number >= DISTURBED_RUNS)
        spent = work.since_created - began
        if enough or spent * (number + 1) / number > wanted.seconds:
            break
    return taken


def _is_disturbed(wanted: Wanted, run: Taken) -> bool:
    """Whether py-spy, which sees a thread that waits for a processor as one that runs, saw mostly other load."""
    seen = run.samples / (wanted.profiler.rate_hz or 1)
    return wanted.profiler.tool == ProfilerName.PY_SPY and wanted.cpu is not None and seen > DISTURBED * wanted.cpu


def _check_sight(wanted: Wanted, taken: Taken) -> None:
    """Blind where a profiler of Python saw little of the processor time that measured runs take: the rest then goes
    into other programs that the command starts."""
    profiler = wanted.profiler
    if profiler.tool != ProfilerName.PY_SPY or wanted.cpu is None or not taken.samples:
        return
    seen, visible = taken.samples / taken.runs / profiler.rate_hz, max(wanted.cpu - UNSEEN_START, 0.0)
    if visible * taken.runs * profiler.rate_hz >= LEAST_EXPECTED and seen < LEAST_SEEN * visible:
        raise Blind(
            f"it saw {seen:.2g} s of the {wanted.cpu:.2g} s of processor time a run takes: the rest is not Python"
        )


def _written(record: RunRecord, profiler: Profiler) -> list[bytes]:
    """The files of one run, none where it was over too soon; NoCapture where it failed.

    Of several processes the one that held most memory: that is the one whose peak a run's is.
    """
    if record.outcome is not Outcome.OK:
        raise NoCapture(_complaint(record) or record.reason or f"it ended with {record.outcome}")
    written = [record.files[name] for name in profiler.files if record.files.get(name)]
    if profiler.format is Format.MEMORY and written:
        return [max(written, key=lambda content: read_profile(content, Reading()).total)]
    return written


def _complaint(record: RunRecord) -> str:
    """What the profiler complained of; "" when it did not. py-spy sees no process where it may not look into any."""
    lines = record.stderr.decode("utf-8", "replace").splitlines()
    found = next((line for line in lines if line.startswith(_COMPLAINTS)), "")
    return f"{found} ({_REFUSED})" if _NONE_SEEN in found.lower() else found


def _samples(content: bytes, profiler: Profiler) -> int:
    """How many samples, stacks of memory or counted calls a file holds."""
    if profiler.format in {Format.CALLS, Format.CALLGRIND}:
        return sum(counts_in([content], profiler.format, Names(), 1.0).calls.values())
    try:
        capture = read_profile(content, Reading())
        return capture.tree.size if profiler.format is Format.MEMORY else capture.samples or 0
    except ProfileProblem:
        # A process so short that nothing was seen of it is no failure beside others that were seen.
        return 0
