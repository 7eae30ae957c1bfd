"""A worker's pulse: says that it lives, looks after the others, and tells the job in hand when it has to stop."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from bisector.core.model.units import Seconds
from bisector.engine.ports import Clock
from bisector.engine.queue import BEATS_A_LEASE, REAPS_A_LEASE, Lease, Queue
from bisector.engine.stop import StopSignal
from bisector.errors import BisectorError, LeaseLost

UNBLOCK_AFTER = 2 / 3
"""Of a lease: what waits for the lock notices only some seconds later that it does not get it."""
LOOK: Seconds = 1.0
"""How often the wish to cancel is looked for."""


@dataclass(frozen=True, kw_only=True)
class Others:
    """How a worker looks after the others."""

    reap: Callable[[], object]
    unblock: Callable[[], object]
    """Called while the database has not answered for long: a stopped worker may have it locked."""


class Heart:
    """Beats in a thread of its own for as long as it is entered.

    While the database does not answer it goes on trying: whether the worker was given up only the database can tell.
    """

    def __init__(self, queue: Queue, worker: str, clock: Clock, lease: Seconds, others: "Others") -> None:
        """`lease` is how long the worker is believed to live after a beat; `others` are looked after as well."""
        self._queue = queue
        self._worker = worker
        self._clock = clock
        self._lease = lease
        self._others = others
        self._job: tuple[Lease, StopSignal] | None = None
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._lost = False
        self._thread = threading.Thread(target=self._run, name="heart", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()

    @property
    def lost(self) -> bool:
        """Whether the worker was given up: it has to register anew."""
        return self._lost

    @contextmanager
    def watching(self, lease: Lease, stop: StopSignal) -> Iterator[None]:
        """Set `stop` when the job of `lease` is to be cancelled or is no longer the worker's."""
        with self._lock:
            self._job = (lease, stop)
            if self._lost:
                _tell_lost(stop)
        try:
            yield
        finally:
            with self._lock:
                self._job = None

    def _run(self) -> None:
        beat = reaped = answered = self._clock.monotonic()
        while not self._done.wait(min(LOOK, self._lease / REAPS_A_LEASE)):
            now = self._clock.monotonic()
            try:
                if now - beat >= self._lease / BEATS_A_LEASE:
                    self._beat()
                    beat = now
                if now - reaped >= self._lease / REAPS_A_LEASE:
                    reaped = now
                    self._others.reap()
                    answered = self._clock.monotonic()
                self._look_for_cancel()
            except BisectorError:
                if self._clock.monotonic() - answered >= self._lease * UNBLOCK_AFTER:
                    self._others.unblock()

    def _beat(self) -> None:
        if self._queue.beat(self._worker):
            return
        with self._lock:
            self._lost = True
            if self._job is not None:
                _tell_lost(self._job[1])

    def _look_for_cancel(self) -> None:
        with self._lock:
            job = self._job
        if job is not None and self._queue.cancel_wanted(job[0]):
            job[1].set("cancelled")


def _tell_lost(stop: StopSignal) -> None:
    stop.set("this worker was given up", LeaseLost)
