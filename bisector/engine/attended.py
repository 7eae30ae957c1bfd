"""A job that a person works on with a command of their own: leased like any other."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

from bisector.core.model.units import Seconds
from bisector.engine.heart import Heart, Others
from bisector.engine.ports import Ports
from bisector.engine.queue import Processes, Queue, WorkerInfo
from bisector.engine.slot import HostSlot
from bisector.engine.stop import StopSignal
from bisector.errors import StoreError


@dataclass(frozen=True, kw_only=True)
class Attendance:
    """What a person's command needs to be seen by the workers."""

    queue: Queue
    processes: Processes
    info: WorkerInfo
    lease: Seconds


@contextmanager
def attended(job: str, ports: Ports, by: Attendance, stop: StopSignal) -> Iterator[Ports]:
    """`ports` as the one who has `job` uses them, for as long as this is entered; JobError when a worker has it."""
    queue = by.queue
    worker = queue.register(by.info)

    def reap() -> None:
        queue.reap(by.processes, by.info.host)

    try:
        reap()
        taken = queue.take(worker, job)
        others = Others(reap=reap, unblock=lambda: None)
        with Heart(queue, worker, ports.clock, by.lease, others) as heart, heart.watching(taken, stop):
            yield replace(ports, store=queue.store_of(taken), locks=HostSlot(ports.locks, queue, worker))
    finally:
        # Where the database is away others see by themselves that this process is no more.
        with suppress(StoreError):
            queue.leave(worker)
