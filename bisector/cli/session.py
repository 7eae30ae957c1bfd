"""A job worked on in the foreground: signals, those who watch, the answer and its exit code."""

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import TYPE_CHECKING

import click

from bisector.cli.faults import disk_fault
from bisector.cli.options import OutputOptions
from bisector.engine.stop import StopSignal
from bisector.errors import BisectorError, Cancelled

# What a command needs once it runs is imported there: help and mistyped options are answered without it.
if TYPE_CHECKING:
    from bisector.core.model.investigation import Investigation
    from bisector.core.model.request import Request
    from bisector.engine.ports import Observer, Repository, Runner
    from bisector.wiring import Wiring


@contextmanager
def stopping(stop: StopSignal) -> Iterator[None]:
    """Ctrl-C and SIGTERM ask to stop in order; a second one stops at once."""

    def handle(number: int, _frame: FrameType | None) -> None:
        if stop.requested:
            raise KeyboardInterrupt
        stop.set("Ctrl-C" if number == signal.SIGINT else "SIGTERM")

    with handling(handle):
        yield


@contextmanager
def handling(handle: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Ctrl-C and SIGTERM call `handle`; in the end they do what they did before."""
    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def wired() -> Iterator["Wiring"]:
    """The adapters of this process, signals included; closed in the end."""
    from bisector.wiring import Wiring

    stop = StopSignal()
    wiring = Wiring(stop)
    with stopping(stop):
        try:
            yield wiring
        finally:
            wiring.close()


def _silent(_job: str) -> None:
    """Nothing is said of a new job but what is said of every one."""


def start(
    request: "Request",
    wiring: "Wiring",
    world: "tuple[Repository, Runner]",
    output: OutputOptions,
    tell: Callable[[str], None] = _silent,
) -> int:
    """Make a job and work on it, or leave it to a worker and print its number; the exit code."""
    if output.detach:
        from bisector.engine.queue import AT_TERMINAL, Order

        order = Order(host_class=output.host_class, asked_by=AT_TERMINAL)
        job = wiring.queue.enqueue(request, order).job
        tell(job)
        click.echo(job)
        return 0
    job = wiring.store.create(request)
    tell(job)
    return work_on(job, wiring, world, output)


def work_on(job: str, wiring: "Wiring", world: "tuple[Repository, Runner]", output: OutputOptions) -> int:
    """Work on `job` to its end and deliver the answer; the exit code. What stops it is said with how to resume."""
    from bisector.cli.answer import deliver
    from bisector.cli.events import EventStream
    from bisector.cli.progress import watching
    from bisector.engine.attended import attended
    from bisector.engine.loop import run_job

    repository, runner = world
    with ExitStack() as stack:
        observers: list[Observer] = [stack.enter_context(watching(job, quiet="-" in (output.json, output.events)))]
        if output.events is not None:
            observers.append(stack.enter_context(EventStream.to(output.events)))
        ports = wiring.ports(repository, runner, tuple(observers))
        try:
            _tell_ahead(ports.store.job(job).request, runner)
            with attended(job, ports, wiring.attendance(), wiring.stop) as mine:
                investigation = run_job(job, mine, wiring.stop, _waiting)
        except Cancelled as stopped:
            stack.close()
            deliver(as_it_stands(job, wiring), wiring, output)
            raise Cancelled(f"stopped ({stopped.what}); nothing is lost", then=resume_hint(job)) from None
        except BisectorError as error:
            stack.close()
            raise _with_hint(error, job) from error
        except OSError as error:
            stack.close()
            settings = wiring.settings
            fault = disk_fault(error, f"{settings.state_dir} or {settings.cache_dir}")
            if fault is None:
                raise
            raise _with_hint(fault, job) from error
    return deliver(investigation, wiring, output)


def as_it_stands(job: str, wiring: "Wiring") -> "Investigation":
    """The investigation as far as its facts go."""
    from bisector.engine.telling import investigation_of

    return investigation_of(job, wiring.store)


def under_way(job: str, wiring: "Wiring") -> bool:
    """Whether somebody works on the job, or will: it waits in the queue."""
    from bisector.engine.queue import EntryState

    entry = wiring.queue.entry(job)
    if entry is None or entry.state is EntryState.ENDED:
        return False
    if entry.state is EntryState.WAITING or wiring.locks.working_on(job) is not None:
        return True
    # Taken by a process that is not, or not yet, at work on this machine: another machine's is believed to live.
    owner = next((row for row in wiring.queue.workers() if row.worker == entry.worker), None)
    if owner is None or owner.late:
        return False
    return owner.info.host != wiring.host or wiring.processes.lives(owner.info.process) is not False


def resume_hint(job: str) -> str:
    """How to go on with a job that was stopped."""
    return f"Go on with: bisector jobs resume {job}"


def _with_hint(error: BisectorError, job: str) -> BisectorError:
    if "jobs resume" not in error.then and error.exit_code != 2:
        error.then = f"{error.then}. {resume_hint(job)}" if error.then else resume_hint(job)
    return error


def _tell_ahead(request: "Request", runner: "Runner") -> None:
    from bisector.report.ahead import prospect

    told = prospect(request, runner.processors())
    if told is not None:
        click.echo(told, err=True)


def _waiting(owner: int | None) -> None:
    click.echo(f"bisector: waiting for process {owner}, which is measuring on this host", err=True)
