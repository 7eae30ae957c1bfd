"""The work of `bisector worker`: jobs of the queue, one after the other, until it is asked to end."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import click

from bisector.cli.session import handling
from bisector.engine.queue import WorkerInfo, WorkerKind
from bisector.engine.stop import StopSignal
from bisector.engine.worker import Worker
from bisector.report.numbers import count
from bisector.report.text import one_line
from bisector.wiring import Wiring
from bisector.wiring.queue import stopped_workers


def run_worker() -> None:
    """Take jobs until asked to end."""
    wiring = Wiring(StopSignal())
    info = wiring.about_this_worker(WorkerKind.WORKER)
    settings = wiring.settings
    worker = Worker(wiring.worker_ports(), info, lease=settings.lease_seconds, grace=settings.drain_seconds, tell=tell)
    try:
        with ending(worker), stopped_workers(wiring.database, settings).one_of_us():
            tell(_about(info, wiring))
            worker.run()
    finally:
        wiring.close()
    tell("ended")


@contextmanager
def ending(worker: Worker) -> Iterator[None]:
    """Ctrl-C and SIGTERM drain the worker; a second one ends it without waiting; a third one at once."""
    asked = 0

    def handle(_number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        asked += 1
        if asked > 2:
            raise KeyboardInterrupt
        (worker.drain if asked == 1 else worker.stop_now)()

    with handling(handle):
        yield


def _about(info: WorkerInfo, wiring: Wiring) -> str:
    classes = ", ".join(info.host_classes)
    cores = count(info.cores, "core")
    host = f"{info.name} (host class {classes}, {cores}, fingerprint {info.fingerprint})"
    return f"worker on {host}; queue {wiring.database.where}"


def tell(text: str) -> None:
    """Say a line of what a worker does."""
    click.echo(f"bisector: {one_line(text, 4000)}", err=True)
    sys.stderr.flush()
