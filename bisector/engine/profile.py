"""Captures of both sides, apart from the measured runs. What goes wrong is told and never costs the job its verdict."""

from contextlib import ExitStack
from dataclasses import replace
from statistics import median

from bisector.core.explain.names import Names
from bisector.core.model.captures import ChangesKept, Pending, Profiled, ProfilersSeen
from bisector.core.model.history import Place
from bisector.core.model.profiles import CaptureKind, Format, Profiler, ProfilerName, choose, counter, sampler
from bisector.core.model.samples import Outcome
from bisector.core.model.steps import ProfileSides
from bisector.core.model.units import Seconds
from bisector.engine.orders import run_order
from bisector.engine.ports import RunRecord, Session
from bisector.engine.work import Work
from bisector.errors import BisectorError, Cancelled
from bisector.formats.changes import changes_to_text
from bisector.formats.profiles import read_profile
from bisector.formats.profiles.calls import read_counts
from bisector.formats.profiles.gathering import Reading
from bisector.formats.profiles.problem import ProfileProblem

MOST_RUNS = 60
"""Runs of one capture, however short each is."""
RUNS_WITHOUT_SAMPLES = 3
"""So many runs in which nothing is seen, and none is."""
LONGEST_CAPTURE: Seconds = 60.0
"""No further run is begun after so long."""
LONGEST_REASON = 300
LEAST_SEEN = 0.4
"""Of the processor time of a measured run; a profiler that sees less is blind to what takes it."""
LEAST_SECONDS: Seconds = 0.05
"""Of a run, below which start-up is most of it and nothing is said."""


def profile(step: ProfileSides, work: Work) -> None:
    """Keep what each pair's newer side changes, look which profilers there are, and fill every slot."""
    number = work.investigation.plans[-1].number
    for old, new in step.pairs:
        if not any((c.step, c.old, c.new) == (number, old, new) for c in work.investigation.changes):
            work.record(_changes(number, old, new, work))
    if not any(seen.step == number for seen in work.investigation.profilers):
        choice = choose(work.request.scenario, work.ports.runner.unusable_profilers())
        work.record(ProfilersSeen(step=number, able=choice.able, refused=choice.refused, why=choice.why))
    with ExitStack() as stack:
        sessions: dict[tuple[Place, str], Session] = {}
        while pending := work.investigation.pending_captures():
            work.stop.check()
            work.record(_captured(pending[0], step.samples, work, (sessions, stack)))


def _changes(number: int, old: Place, new: Place, work: Work) -> ChangesKept:
    known = work.investigation
    try:
        found = work.ports.repository.changes(known.tree(old), known.tree(new))
        kept = work.ports.artifacts.keep(changes_to_text(found))
    except Cancelled:
        raise
    except BisectorError as error:
        return ChangesKept(step=number, old=old, new=new, problem=error.what[:LONGEST_REASON])
    return ChangesKept(step=number, old=old, new=new, changes=kept)


Sessions = tuple[dict[tuple[Place, str], Session], ExitStack]


class _NoCapture(Exception):
    """There is no capture; the message says why."""


def _captured(pending: Pending, wanted: int, work: Work, sessions: Sessions) -> Profiled:
    """The fact that fills a slot: a capture, or what kept it from being one."""
    order, slot, name = pending
    profiler = counter() if name is None else sampler(name, work.request.scenario.profile)
    capture = Profiled(
        step=work.investigation.plans[-1].number,
        order=order,
        place=slot.place,
        kind=slot.kind,
        tool=profiler.tool,
        format=profiler.format,
        rate_hz=profiler.rate_hz,
    )
    began = work.since_created
    try:
        session = _session(slot.place, profiler, work, sessions)
        files, runs, samples = _runs(session, profiler, wanted if slot.kind is CaptureKind.SAMPLED else 1, work)
        kept = tuple(work.ports.artifacts.keep(content) for content in files)
    except Cancelled:
        raise
    except (_NoCapture, ProfileProblem, BisectorError) as problem:
        return replace(capture, problem=str(problem)[:LONGEST_REASON], seconds=work.since_created - began)
    if slot.kind is CaptureKind.SAMPLED and (unseen := _unseen(slot.place, profiler, samples / runs, work)):
        return replace(capture, problem=unseen, blind=True, seconds=work.since_created - began)
    return replace(
        capture,
        files=kept,
        runs=runs,
        samples=samples,
        source=session.source,
        scenario=session.scenario,
        seconds=work.since_created - began,
    )


def _unseen(place: Place, profiler: Profiler, samples: float, work: Work) -> str:
    """What to say when a profiler of Python saw little of the processor time that measured runs take; "" when it did
    not: the time then is in other programs that the command starts."""
    measured = [s.usage.cpu for s in work.investigation.by_place.get(place, ()) if s.counts and s.usage is not None]
    if profiler.tool != ProfilerName.PY_SPY or not measured:
        return ""
    seen, taken = samples / profiler.rate_hz, median(measured)
    if taken < LEAST_SECONDS or seen >= LEAST_SEEN * taken:
        return ""
    return f"it saw {seen:.2g} s of the {taken:.2g} s of processor time a run takes: the rest is not Python"


def _session(place: Place, profiler: Profiler, work: Work, sessions: Sessions) -> Session:
    """A session of its own for each place and profiler, open until the step ends."""
    known, stack = sessions
    if (place, profiler.tool) not in known:
        build = work.investigation.builds[place, 0]
        plain = run_order(work.request, work.ports)
        order = replace(plain, recipe=profiler.wrapped(plain.recipe), collect=profiler.files, beside=profiler.beside)
        known[place, profiler.tool] = stack.enter_context(work.ports.runner.open(build, order, work.stop))
    return known[place, profiler.tool]


def _runs(session: Session, profiler: Profiler, wanted: int, work: Work) -> tuple[list[bytes], int, int]:
    """Run until there are so many samples: the files, how many runs, how many samples (or counted calls)."""
    files: list[bytes] = []
    samples, began = 0, work.since_created
    for runs in range(1, MOST_RUNS + 1):
        work.stop.check()
        written = _written(session.run(), profiler)
        files += written
        samples += sum(_samples(content, profiler) for content in written)
        hopeless = not samples and runs >= RUNS_WITHOUT_SAMPLES
        if samples >= wanted or hopeless or work.since_created - began > LONGEST_CAPTURE:
            break
    if not samples:
        raise _NoCapture(f"{profiler.tool} saw nothing in {runs} runs")
    return files, runs, samples


def _written(record: RunRecord, profiler: Profiler) -> list[bytes]:
    """The files of one run; _NoCapture with what the profiler or the command complained of."""
    written = [record.files[name] for name in profiler.files if record.files.get(name)]
    if record.outcome is not Outcome.OK or not written:
        lines = record.stderr.decode("utf-8", "replace").splitlines()
        complaint = next((line for line in lines if line.startswith(("Error", "error", "perf:"))), record.reason)
        raise _NoCapture(complaint or f"{profiler.tool} wrote nothing")
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
