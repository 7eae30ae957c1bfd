"""The work of `bisector sweep`: looks that are due, and the jobs they ask for."""

import click

from bisector.cli.working import ending, tell
from bisector.engine.queue import EntryState, WorkerKind
from bisector.engine.stop import StopSignal
from bisector.engine.sweep import Sweeper
from bisector.engine.worker import POLL, Worker
from bisector.errors import BisectorError, ScenarioError, StoreError, UsageError
from bisector.report.series import open_lines, series_lines
from bisector.report.text import one_line
from bisector.wiring import Wiring
from bisector.wiring.queue import stopped_workers
from bisector.wiring.service import sweeper


def see_to_what_is_due(*, enqueue: bool) -> int:
    """Do what is due here, or ask workers for it; the exit code."""
    wiring = Wiring(StopSignal())
    try:
        sweeping = _sweeper(wiring)
        if enqueue:
            problems = sweeping.look().problems
        else:
            with stopped_workers(wiring.database, wiring.settings).one_of_us():
                problems = _work(wiring, sweeping)
    finally:
        wiring.close()
    return max((problem.exit_code for problem in problems), default=0)


def print_series() -> int:
    """Every series: its level, last night, open changes, next look; then what keeps others from being told.

    The exit code.
    """
    wiring = Wiring(StopSignal())
    try:
        known = _sweeper(wiring).known()
        for state in known.states:
            click.echo(str(state.watched.name))
            opened = [f"open: {text}" for _, text in open_lines(state.history)]
            for line in (*series_lines(state.watched.metric, state.history, state.next_tick), *opened):
                click.echo(f"  {line}")
        for problem in known.problems:
            click.echo(f"bisector: {problem}", err=True)
        return ScenarioError.exit_code if known.problems else 0
    finally:
        wiring.close()


def accept_newest(series: str, note: str) -> None:
    """Take the newest night of a series as its level, in a person's name."""
    wiring = Wiring(StopSignal())
    try:
        click.echo(f"{_sweeper(wiring).accept(series, note)}: accepted")
    finally:
        wiring.close()


def _sweeper(wiring: Wiring) -> Sweeper:
    if not wiring.settings.sweeps:
        then = "Name repositories and [[sweeps]] in bisector.toml; docs/sweeps.md shows how"
        raise UsageError("no sweep is configured", then=then)
    return sweeper(wiring, tell)


def _work(wiring: Wiring, sweeping: Sweeper) -> tuple[BisectorError, ...]:
    """Work on the jobs of sweeps until nothing is left to do before the next tick."""
    info, settings = wiring.about_this_worker(WorkerKind.WORKER), wiring.settings
    worker = Worker(wiring.worker_ports(), info, lease=settings.lease_seconds, grace=settings.drain_seconds, tell=tell)
    begun = wiring.clock.now().timestamp()
    with ending(worker), worker.registered():
        while True:
            # A tick that comes meanwhile is for the next time: else a sweep that takes long never ends.
            seen = sweeping.look(due_by=begun)
            mine = [job for job in seen.jobs if _for_this_host(job, wiring)]
            if not mine or worker.ending:
                return seen.problems
            for job in mine:
                _finish(job, worker, wiring)


def _for_this_host(job: str, wiring: Wiring) -> bool:
    entry = wiring.queue.entry(job)
    if entry is None or entry.state is EntryState.ENDED:
        return False
    if entry.order.host_class in wiring.settings.host_classes:
        return True
    tell(f"job {job} is left to a worker of host class {one_line(entry.order.host_class, 100)}")
    return False


def _finish(job: str, worker: Worker, wiring: Wiring) -> None:
    """Work on a job, or wait while somebody else does."""
    while not worker.ending:
        try:
            entry = wiring.queue.entry(job)
            if entry is None or entry.state is EntryState.ENDED:
                return
        except StoreError as error:
            tell(str(error))
        if not worker.once(job):
            worker.pause(POLL)
