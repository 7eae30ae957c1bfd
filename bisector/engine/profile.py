"""Captures of both sides, apart from the measured runs. What goes wrong is told and never costs the job its verdict."""

from contextlib import ExitStack
from dataclasses import replace
from statistics import median

from bisector.core.model.captures import ChangesKept, Pending, Profiled, ProfilersSeen
from bisector.core.model.history import Place
from bisector.core.model.profiles import CaptureKind, Profiler, choose, counter, sampler
from bisector.core.model.request import RunnerName
from bisector.core.model.steps import ProfileSides
from bisector.core.model.units import Seconds
from bisector.engine.capture import Blind, NoCapture, Wanted, take
from bisector.engine.measure import warmups
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


def _captured(pending: Pending, wanted: int, work: Work, sessions: Sessions) -> Profiled:
    """The fact that fills a slot: a capture, or what kept it from being one."""
    order, slot, name = pending
    contained = work.ports.runner.name is RunnerName.DOCKER
    recipe = work.request.scenario.profile
    profiler = counter() if name is None else sampler(name, recipe, contained=contained)
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
        wanted = wanted if slot.kind is CaptureKind.SAMPLED else 1
        taken = take(session, Wanted(profiler=profiler, samples=wanted, cpu=_cpu_of(slot.place, work)), work)
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
    )


def _session(place: Place, profiler: Profiler, work: Work, sessions: Sessions) -> Session:
    """A session of its own for each place and profiler, open until the step ends."""
    known, stack = sessions
    if (place, profiler.tool) not in known:
        build = work.investigation.builds[place, 0]
        plain = run_order(work.request, work.ports)
        recipe = profiler.wrapped(plain.recipe)
        order = replace(plain, recipe=recipe, collect=profiler.files, beside_hz=profiler.beside_hz)
        session = known[place, profiler.tool] = stack.enter_context(work.ports.runner.open(build, order, work.stop))
        for _ in range(warmups(work)):
            work.stop.check()
            session.run()
    return known[place, profiler.tool]


def _cpu_of(place: Place, work: Work) -> Seconds | None:
    """Processor time of a measured run there; None where none was measured."""
    taken = [s.usage.cpu for s in work.investigation.by_place.get(place, ()) if s.counts and s.usage is not None]
    return median(taken) if taken else None
