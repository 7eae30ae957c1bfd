"""A host's measuring slot, as a file lock among the processes that share a directory and a row for all of a machine."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from bisector.core.model.units import Seconds
from bisector.engine.ports import Locks
from bisector.engine.queue import Queue
from bisector.engine.stop import StopSignal

POLL: Seconds = 1.0


class HostSlot:
    """Implements `bisector.engine.ports.Locks`: those of this host, and the slot in the queue's eyes as well."""

    def __init__(self, locks: Locks, queue: Queue, worker: str) -> None:
        """`worker` takes the slot."""
        self._locks = locks
        self._queue = queue
        self._worker = worker

    def job(self, job: str) -> AbstractContextManager[None]:
        """Hold `job` for this process; JobError when another process works on it."""
        return self._locks.job(job)

    def working_on(self, job: str) -> int | None:
        """The id of the process that works on `job`, or None."""
        return self._locks.working_on(job)

    def building(self, key: str, stop: StopSignal) -> AbstractContextManager[None]:
        """Hold the build with this key while it is made, taken or removed; wait for whoever holds it."""
        return self._locks.building(key, stop)

    def sweep(self) -> int:
        """Remove the locks of builds that killed processes left; how many."""
        return self._locks.sweep()

    @contextmanager
    def measuring(self, stop: StopSignal, waiting: Callable[[int | None], None]) -> Iterator[None]:
        """Hold the host's measuring slot; `waiting` is told once which process has it when that takes a while."""
        with self._locks.measuring(stop, waiting):
            while not self._queue.hold_host(self._worker):
                stop.wait(POLL)
            try:
                yield
            finally:
                self._queue.let_go_of_host(self._worker)

    @contextmanager
    def measuring_if_free(self) -> Iterator[bool]:
        """Hold the host's measuring slot, or say False at once where another process has it."""
        with self._locks.measuring_if_free() as free:
            held = free and self._queue.hold_host(self._worker)
            try:
                yield held
            finally:
                if held:
                    self._queue.let_go_of_host(self._worker)
