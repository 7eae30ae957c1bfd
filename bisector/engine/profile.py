"""Captures of both sides, apart from the measured runs. What goes wrong is told and never costs the job its verdict."""

from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from statistics import median

from bisector.core.model.captures import ChangesKept, Pending, Profiled, ProfilersSeen
from bisector.core.model.history import Place
from bisector.core.model.profiles import (
    CALLGRIND_SLOWDOWN,
    CaptureKind,
    Format,
    Profiler,
    ProfilerName,
    allocations,
    choose,
    counter,
    looks_like_python,
    native_counter,
    sampler,
)
from bisector.core.model.request import RunnerName
from bisector.core.model.samples import Outcome
from bisector.core.model.steps import ProfileSides
from bisector.core.model.units import Seconds
from bisector.core.search.profiling import LONGEST_COUNT, LONGEST_SIDE, is_memory, rate_for
from bisector.core.search.untooled import usages
from bisector.core.search.warming import warm_ups
from bisector.engine.capture import Blind, NoCapture, Wanted, take
from bisector.engine.orders import run_order
from bisector.engine.ports import Session
from bisector.engine.work import Work
from bisector.errors import BisectorError, Cancelled
from bisector.formats.changes import changes_to_text
from bisector.formats.profiles.problem import ProfileProblem

LONGEST_REASON = 300


def profile(step: ProfileSides, work: Work) -> None:
    """Keep what each pair's newer side changes, look which profilers there are, and fill every slot."""
    number = work.investigation.plans[-1].number
    for old, new in step.pairs:
        if not any((c.step, c.old, c.new) == (number, old, new) for c in work.investigation.changes):
            work.record(_changes(number, old, new, work))
    if not any(seen.step == number for seen in work.investigation.profilers):
        unusable = work.ports.runner.unusable_profilers()
        choice = choose(work.request.scenario, unusable, memory=is_memory(work.request.metric))
        work.record(ProfilersSeen(step=number, able=choice.able, refused=choice.refused, why=choice.why))
    with ExitStack() as stack:
        bench = _Bench(work=work, stack=stack)
        while pending := work.investigation.pending_captures():
            work.stop.check()
            work.record(_captured(pending[0], step, bench))


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


@dataclass(frozen=True, kw_only=True)
class _Bench:
    """Where the captures of one step are taken: its open sessions, and the processor time of a run where one was made
    to know it."""

    work: Work
    stack: ExitStack
    sessions: dict[tuple[Place, str], Session] = field(default_factory=dict)
    cpu: dict[Place, Seconds | None] = field(default_factory=dict)


def _captured(pending: Pending, step: ProfileSides, bench: _Bench) -> Profiled:
    """The fact that fills a slot: a capture, or what kept it from being one."""
    order, slot, name = pending
    work = bench.work
    profiler = _counter(slot.kind, work) if name is None else _sampler(name, step, bench)
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
    beside: Seconds | None = None
    try:
        session = _session(slot.place, profiler, bench)
        one = slot.kind is not CaptureKind.SAMPLED or profiler.format is Format.MEMORY
        cpu = _measured_cpu(slot.place, work)
        if cpu is None and name is ProfilerName.PY_SPY:
            # One beside each capture: what their spread is told from varies as the captures do.
            cpu = beside = _cpu_of_one_run(slot.place, bench)
        if profiler.format is Format.CALLGRIND:
            _check_length(_cpu_of(slot.place, bench))
        wanted = Wanted(
            profiler=profiler,
            samples=1 if one else step.samples,
            cpu=cpu,
            seconds=LONGEST_SIDE / max(sum(each == slot for each in step.slots), 1),
        )
        taken = take(session, wanted, work)
        kept = tuple(work.ports.artifacts.keep(content) for content in taken.files)
    except Cancelled:
        raise
    except (NoCapture, ProfileProblem, BisectorError) as problem:
        return replace(
            capture,
            problem=str(problem)[:LONGEST_REASON],
            blind=isinstance(problem, Blind),
            seconds=work.since_created - began,
        )
    return replace(
        capture,
        files=kept,
        runs=taken.runs,
        samples=taken.samples,
        source=session.source,
        scenario=session.scenario,
        seconds=work.since_created - began,
        cpu=beside,
    )


def _check_length(cpu: Seconds | None) -> None:
    """NoCapture where callgrind would take too long."""
    length = CALLGRIND_SLOWDOWN * (cpu or 0.0)
    if length > LONGEST_COUNT:
        raise NoCapture(
            f"callgrind would take about {length / 60:.0f} min, and no more than {LONGEST_COUNT:.0f} s are spent"
        )


def _sampler(name: ProfilerName, step: ProfileSides, bench: _Bench) -> Profiler:
    """What takes samples: of a short program more in a second, so that fewer runs are enough of them."""
    recipe = bench.work.request.scenario.profile
    if name is not ProfilerName.TRACEMALLOC:
        shortest = min(filter(None, (_cpu_of(slot.place, bench) for slot in step.slots)), default=None)
        recipe = replace(recipe, rate_hz=rate_for(shortest, recipe.rate_hz, name))
    return sampler(name, recipe, contained=bench.work.ports.runner.name is RunnerName.DOCKER)


def _counter(kind: CaptureKind, work: Work) -> Profiler:
    """What counts. Calls of a program that is not Python, or that py-spy was blind to, are counted natively."""
    if kind is CaptureKind.ALLOCATED:
        return allocations()
    number = work.investigation.plans[-1].number
    blind = any(capture.blind for capture in work.investigation.captures if capture.step == number)
    return native_counter() if blind or not looks_like_python(work.request.scenario) else counter()


def _session(place: Place, profiler: Profiler | None, bench: _Bench) -> Session:
    """A session of its own for each place and profiler (None: a plain run), open until the step ends."""
    work = bench.work
    key = (place, profiler.tool if profiler is not None else "")
    if key not in bench.sessions:
        build = work.investigation.builds[place, 0]
        order = run_order(work.request, work.ports, job=work.job)
        if profiler is not None:
            recipe = profiler.wrapped(order.recipe)
            order = replace(order, recipe=recipe, collect=profiler.files, beside_hz=profiler.beside_hz)
        session = bench.sessions[key] = bench.stack.enter_context(work.ports.runner.open(build, order, work.stop))
        # What counts, or weighs memory, does not care how warm the machine is.
        warm = profiler is None or profiler.rate_hz > 0
        for _ in range(warm_ups(work.investigation) if warm else 0):
            work.stop.check()
            session.run()
    return bench.sessions[key]


def _cpu_of(place: Place, bench: _Bench) -> Seconds | None:
    """Processor time of a run there without a profiler: of the measured ones, else of one made for it; None where it
    cannot be had."""
    if place not in bench.cpu:
        bench.cpu[place] = _measured_cpu(place, bench.work) or _cpu_of_one_run(place, bench)
    return bench.cpu[place]


def _measured_cpu(place: Place, work: Work) -> Seconds | None:
    taken = [usage.cpu for usage in usages(work.investigation, place)]
    return median(taken) if taken else None


def _cpu_of_one_run(place: Place, bench: _Bench) -> Seconds | None:
    try:
        record = _session(place, None, bench).run()
    except Cancelled:
        raise
    except BisectorError:
        return None
    return record.usage.cpu if record.outcome is Outcome.OK and record.usage is not None else None
