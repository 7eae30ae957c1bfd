"""The engine: plan, perform, append, repeat. Kill it anywhere; the stored facts give the same state again."""

from collections.abc import Callable
from dataclasses import replace

from bisector.core.model.investigation import Investigation
from bisector.core.search.learned import learned, merged
from bisector.core.search.planner import next_step
from bisector.engine.ahead import Ahead
from bisector.engine.job import JobState
from bisector.engine.parts import remake_parts
from bisector.engine.perform import perform
from bisector.engine.ports import Ports
from bisector.engine.stop import StopSignal
from bisector.engine.trials import remake
from bisector.engine.work import Work
from bisector.errors import BisectorError, Cancelled, GivenBack, JobError, LeaseLost
from bisector.report.sentence import sentence_of


def run_job(job: str, ports: Ports, stop: StopSignal, waiting: Callable[[int | None], None]) -> Investigation:
    """Work on a job until it is answered; a job that was stopped or killed goes on where it stood.

    One job is measured at a time on a host: `waiting` is told which process is measuring when that takes a while.
    Cancelled leaves the job cancelled, any other error of ours paused; both can be resumed.
    """
    with ports.locks.job(job), ports.locks.measuring(stop, waiting):
        return carry_out(job, ports, stop)


def left_as(error: Exception) -> JobState:
    """The state in which `error` leaves a job."""
    if isinstance(error, GivenBack):
        return JobState.QUEUED
    return JobState.CANCELLED if isinstance(error, Cancelled) else JobState.PAUSED


def _nothing() -> None:
    """Between two steps nobody has to be asked."""


def carry_out(
    job: str,
    ports: Ports,
    stop: StopSignal,
    *,
    between: Callable[[], None] = _nothing,
    leave_as: Callable[[Exception], JobState] = left_as,
) -> Investigation:
    """The same for somebody who has the job and the measuring slot already.

    `between` is called between two steps and may raise GivenBack; `leave_as` says in which state an error leaves the
    job. Nothing more is written to a job whose lease is lost.
    """
    if ports.store.job(job).state is JobState.DONE:
        raise JobError(f"job {job} is done", then=f"See `bisector report {job}`")
    ports.store.set_state(job, JobState.RUNNING)
    try:
        work = Work(job, ports, stop)
        _look_at_host(work)
        have_commits_at_hand(work)
        _run(work, between)
    except LeaseLost:
        raise
    except (BisectorError, OSError) as error:
        ports.store.set_state(job, leave_as(error))
        raise
    _note_use(work)
    _keep_noise(work)
    ports.store.set_state(job, JobState.DONE, sentence_of(work.investigation))
    return work.investigation


def _run(work: Work, between: Callable[[], None]) -> None:
    work.beside = ahead = Ahead(work)
    try:
        _step_by_step(work, ahead, between)
    finally:
        ahead.close()


def _step_by_step(work: Work, ahead: Ahead, between: Callable[[], None]) -> None:
    while True:
        work.stop.check()
        if work.ports.store.cancel_requested(work.job):
            raise Cancelled("cancelled")
        between()
        unfinished = work.investigation.unfinished()
        if unfinished is not None:
            ahead.look(unfinished.step)
            perform(unfinished.step, work)
            continue
        elapsed = work.elapsed
        plan = next_step(work.investigation, elapsed)
        if plan.step is None:
            return
        work.plan(plan, elapsed)


def _keep_noise(work: Work) -> None:
    """Keep what the job showed of its scenario's noise, for the jobs after it on this host; once, also where the job is
    killed before it is done."""
    shown = learned(work.investigation)
    if shown is not None:
        identity, host = work.request.sampling_identity(), work.environment.host
        known = work.ports.store.calibration(identity, host, shown.metric)
        if known is None or known.last != work.job:
            work.ports.store.keep_calibration(identity, host, replace(merged(known, shown), last=work.job))


def have_commits_at_hand(work: Work) -> None:
    """Bring back what the cache may have lost since the job was last worked on: its commits, its trees in context."""
    request, branch = work.request, work.investigation.branch
    more = {name for name in (request.worktree, request.head) if name is not None}
    work.ports.repository.pin(work.job, sorted({request.good, request.bad, *more}))
    if branch is not None and branch.in_context:
        work.ports.repository.list_branch(work.investigation.commit(branch.merge).sha, in_context=True)
    remake(work)
    remake_parts(work)


def _note_use(work: Work) -> None:
    """Note of the builds of earlier jobs that they were run again, so that they are not the longest unused."""
    run = {sample.build for sample in work.investigation.samples if not sample.adopted_from}
    for build in work.investigation.builds.values():
        if build.reused and build.key in run:
            work.ports.store.remember_build(replace(build, reused=False))


def _look_at_host(work: Work) -> None:
    """Record the host and its toolchain at the start and whenever they are no longer those before."""
    seen, known = work.look_at_host(), work.investigation.environments
    if not known or (known[-1].host, known[-1].toolchain) != (seen.host, seen.toolchain):
        work.record(seen)
    work.ports.runner.sweep()
    work.ports.artifacts.sweep()
