"""A worker: takes a job when the host's measuring slot is free, works on it, and gives it back when asked to end."""

import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TypeVar

from bisector.core.model.units import Seconds
from bisector.engine.background import NOBODY, Neighbours
from bisector.engine.build_slots import BuildSlots, SlotPorts
from bisector.engine.dispatch import Inbox
from bisector.engine.heart import UNBLOCK_AFTER, Heart, Others
from bisector.engine.job import JobState
from bisector.engine.loop import carry_out, left_as
from bisector.engine.ports import Clock, Locks, Ports, Store
from bisector.engine.queue import MOST_FAILURES, EntryState, Lease, LeasedStore, Processes, Queue, WorkerInfo, back_off
from bisector.engine.slot import HostSlot
from bisector.engine.stop import StopSignal
from bisector.errors import BisectorError, EnvironmentFault, GivenBack, LeaseLost, NewerDatabase, StoreError

Tell = Callable[[str], None]
Result = TypeVar("Result")
POLL: Seconds = 1.0
"""How often a worker without a dispatcher looks for a job."""
REMIND: Seconds = 5.0
"""When word of a job that could not be had comes again."""


@dataclass(frozen=True, kw_only=True)
class WorkerPorts:
    """What a worker needs of the outside world besides what each job needs."""

    queue: Queue
    locks: Locks
    clock: Clock
    processes: Processes
    open: Callable[[str, Store, StopSignal], Ports]
    """Everything a job needs, with the store that is given; raises what stands in the way."""
    unblock: Callable[[], Sequence[int]]
    """Kills stopped workers of this machine that keep everybody from the database; their numbers."""
    inbox: Inbox | None = None
    """Who brings word of jobs; without, the worker looks for them."""
    build_slots: int | None = None
    """How many waiting jobs may have their first builds made beside the one that is measured: see `BuildSlots`."""


class Worker:
    """One worker. `drain` and `stop_now` may be called from a signal handler or another thread."""

    def __init__(self, ports: WorkerPorts, info: WorkerInfo, *, lease: Seconds, grace: Seconds, tell: Tell) -> None:
        """`grace` is how long a step in hand may still take once the worker is asked to end."""
        self._ports = ports
        self._info = info
        self._lease = lease
        self._grace = grace
        self._tell = tell
        self._ending = StopSignal()
        self._in_hand: StopSignal | None = None
        self._heart: Heart | None = None
        self._slots: Neighbours = NOBODY
        self.worker = ""
        """Its id, once it is registered."""

    @property
    def ending(self) -> bool:
        """Whether it was asked to end."""
        return self._ending.requested

    def drain(self) -> None:
        """End at the next pause between two steps, or after the grace; the job in hand goes back into the queue."""
        self._ending.set("the worker ends")
        timer = threading.Timer(self._grace, self.stop_now)
        timer.daemon = True
        timer.start()

    def stop_now(self) -> None:
        """End without waiting for the step in hand; the job goes back into the queue."""
        self._ending.set("the worker ends")
        job = self._in_hand
        if job is not None:
            job.set("the worker ends", GivenBack)

    def run(self) -> None:
        """Take one job after the other until asked to end."""
        while not self._ending.requested:
            with self.registered():
                while self.goes_on():
                    self._take_jobs()

    def _take_jobs(self) -> None:
        inbox = self._ports.inbox
        if inbox is None:
            if not self.once():
                self.pause(POLL)
            return
        try:
            inbox.run(self._told_of, self.goes_on)
        except StoreError as error:
            self._tell(str(error))
            self.pause(POLL)

    def _told_of(self, job: str | None) -> None:
        if self.once(job) or job is None:
            return
        try:
            # Somebody else has it, mostly. Where not (the host is busy, its repository is at its limit), word of it
            # must not be lost; and with word of many such jobs at hand none is looked at without a pause.
            entry = self._ports.queue.entry(job)
            if entry is not None and entry.state is EntryState.WAITING:
                self.pause(POLL)
                self._ports.queue.remind(job, REMIND)
        except StoreError as error:
            self._tell(str(error))

    def goes_on(self) -> bool:
        """Whether it takes further jobs under its present number."""
        return not self.ending and not self.given_up

    @property
    def given_up(self) -> bool:
        """Whether others gave it up: it was stopped, or without a database, for longer than a lease."""
        return self._heart is not None and self._heart.lost

    def pause(self, seconds: Seconds) -> None:
        """Wait, or less when asked to end."""
        try:
            self._ending.wait(seconds)
        except BisectorError:
            return

    @contextmanager
    def registered(self) -> Iterator[None]:
        """Be a worker that others see, and that looks after them: whoever died here before is given up at once."""
        queue, here = self._ports.queue, self._ports.processes

        def reap() -> None:
            for job in queue.reap(here, self._info.host):
                self._tell(f"job {job} was lost by its worker and waits again")

        self.worker = self._patiently(lambda: queue.register(self._info))
        self._slots = BuildSlots(
            SlotPorts(queue=queue, clock=self._ports.clock, open=self._ports.open, tell=self._tell),
            self.worker,
            self._ports.build_slots,
        )
        self._patiently(reap)
        others = Others(reap=reap, unblock=self._unblock)
        self._heart = Heart(queue, self.worker, self._ports.clock, self._lease, others)
        try:
            with self._heart:
                yield
        finally:
            try:
                queue.leave(self.worker)
            except StoreError as error:
                self._tell(f"could not say goodbye: {error.what}")

    def once(self, job: str | None = None) -> bool:
        """Take a job (`job`, where it is named) and work on it, if the host is free and there is one; whether so."""
        try:
            if not self._ports.queue.wanted(self.worker):
                return False
            with HostSlot(self._ports.locks, self._ports.queue, self.worker).measuring_if_free() as free:
                lease = self._ports.queue.claim(self.worker, job) if free else None
                if lease is not None:
                    self._work(lease)
                return lease is not None
        except StoreError as error:
            self._tell(str(error))
            return False

    def _work(self, lease: Lease) -> None:
        if self._heart is None:
            raise RuntimeError("a worker works only while it is registered")
        stop = self._in_hand = StopSignal()
        store = self._ports.queue.store_of(lease)
        self._tell(f"job {lease.job}: taken" + (f", attempt {lease.attempt}" if lease.attempt > 1 else ""))
        try:
            with self._heart.watching(lease, stop), self._ports.locks.job(lease.job):
                self._carry_out(lease, store, stop)
        except LeaseLost as lost:
            self._tell(f"job {lease.job}: {lost.what}; nothing of it was written after that")
        except (BisectorError, OSError) as error:
            self._tell(f"job {lease.job}: {error}")
            self._make_sure_it_is_let_go(lease, store, error)
        except Exception as error:  # noqa: BLE001  a defect of ours ends this job, and neither the worker nor the others
            self._tell(f"job {lease.job}: a defect of bisector: {''.join(traceback.format_exception(error))}")
            self._make_sure_it_is_let_go(lease, store, error)
        finally:
            self._in_hand = None

    def _carry_out(self, lease: Lease, store: LeasedStore, stop: StopSignal) -> None:
        job, queue = lease.job, self._ports.queue

        def between() -> None:
            if self._ending.requested:
                raise GivenBack("the worker ends")
            if queue.wanted(self.worker, lease):
                raise GivenBack("a job of a higher priority waits")

        ports = replace(self._ports.open(job, store, stop), neighbours=self._slots)
        carry_out(job, ports, stop, between=between, leave_as=lambda error: _left_as(error, lease, store))
        self._tell(f"job {job}: done: {store.job(job).sentence}")

    def _make_sure_it_is_let_go(self, lease: Lease, store: LeasedStore, error: Exception) -> None:
        """What could not be written because the database was away is written when it is back, unless that is late."""
        while True:
            try:
                entry = self._ports.queue.entry(lease.job)
                if entry is None or entry.state is not EntryState.LEASED or entry.fence != lease.fence:
                    return
                if store.job(lease.job).state is JobState.QUEUED:
                    store.set_state(lease.job, JobState.RUNNING)
                store.set_state(lease.job, _left_as(error, lease, store))
                return
            except LeaseLost:
                return
            except StoreError:
                if self._ending.requested:
                    return
                self.pause(POLL)

    def _patiently(self, attempt: Callable[[], Result]) -> Result:
        """What `attempt` gives, tried again for as long as the database does not answer; not when asked to end.

        A worker that was stopped in the middle of a transaction keeps its successor from the database as well.
        """
        began = self._ports.clock.monotonic()
        while True:
            try:
                return attempt()
            except NewerDatabase:
                raise
            except StoreError as error:
                if self._ending.requested:
                    raise
                self._tell(str(error))
                if self._ports.clock.monotonic() - began >= self._lease * UNBLOCK_AFTER:
                    self._unblock()
                self.pause(POLL)

    def _unblock(self) -> None:
        for pid in self._ports.unblock():
            self._tell(f"process {pid} was ended: a stopped worker that had the database locked")


def _left_as(error: Exception, lease: Lease, store: LeasedStore) -> JobState:
    """A fault of the machine may pass: the job rests and is tried again, so many times in a row."""
    if isinstance(error, EnvironmentFault | OSError) and lease.failures < MOST_FAILURES:
        store.rest(back_off(lease.failures + 1))
        return JobState.QUEUED
    return left_as(error)
