"""A queue that forgets everything with its process; the jobs in it are those of an in-memory store."""

from dataclasses import replace

from bisector.adapters.in_memory.leases import InMemoryBuildStore, InMemoryLeasedStore, InMemoryLeases, turn
from bisector.core.model.request import Request
from bisector.core.model.units import Seconds
from bisector.engine.job import JobState
from bisector.engine.queue import Cancelling, Depth, Enqueued, Entry, EntryState, Lease, Order, Priority, WorkerRow
from bisector.errors import JobError, QueueFull


class InMemoryQueue(InMemoryLeases):
    """Implements `bisector.engine.queue.Queue`. A time is the one clock's, of leases as well as of rests."""

    def enqueue(self, request: Request, order: Order) -> Enqueued:
        """Make a job and queue it; the job with the same dedup key where there is one."""
        with self._lock:
            same = (entry.job for entry in self._open() if order.dedup and entry.order.dedup == order.dedup)
            if (there := next(same, None)) is not None:
                return Enqueued(job=there, new=False)
            most = self._limits.waiting
            if sum(entry.state is EntryState.WAITING for entry in self._open()) >= most:
                raise QueueFull(f"{most} jobs wait already", then="Start another worker, or cancel what is not wanted")
            job = self._store.create(request)
            self._insert(job, order)
            return Enqueued(job=job, new=True)

    def put_back(self, job: str, order: Order) -> None:
        """Queue a job that was made, stopped or paused before; JobError when it is done, waits, or is worked on."""
        with self._lock:
            row, entry = self._store.job(job), self.waiting.entries.get(job)
            if row.state is JobState.DONE:
                raise JobError(f"job {job} is done", then=f"See it with `bisector jobs show {job}`")
            if entry is not None and entry.state is not EntryState.ENDED:
                what = "is being worked on" if entry.state is EntryState.LEASED else "waits in the queue already"
                raise JobError(f"job {job} {what}", then=f"Watch it with `bisector jobs watch {job}`")
            if row.state is not JobState.QUEUED:
                self._store.set_state(job, JobState.QUEUED)
            if entry is None:
                self._insert(job, order)
            else:
                self._change(job, order=order, state=EntryState.WAITING, failures=0)
                self.waiting.not_before.pop(job, None)

    def cancel(self, job: str) -> Cancelling:
        """Stop a job: at once where it only waits, else its worker is asked to. JobError when it is done."""
        with self._lock:
            if self._store.job(job).state is JobState.DONE:
                raise JobError(f"job {job} is done already")
            entry = self.waiting.entries.get(job)
            if entry is not None and entry.state is EntryState.LEASED:
                self._store.request_cancel(job)
                return Cancelling.ASKED
            self._store.set_state(job, JobState.CANCELLED)
            if entry is not None:
                self._change(job, state=EntryState.ENDED)
            return Cancelling.AT_ONCE

    def entry(self, job: str) -> Entry | None:
        """The entry of a job; None for a job that never was in the queue."""
        return self.waiting.entries.get(job)

    def entries(self) -> list[Entry]:
        """What is worked on and what waits, in the order in which it is taken."""
        return sorted(self._open(), key=lambda entry: (entry.state, *turn(entry)))

    def depth(self) -> list[Depth]:
        """How much is worked on and waits."""
        found: dict[tuple[Priority, str], Depth] = {}
        for entry in self._open():
            key = (entry.order.priority, entry.order.host_class)
            before = found.get(key) or Depth(priority=key[0], host_class=key[1], waiting=0, leased=0)
            leased = entry.state is EntryState.LEASED
            found[key] = replace(before, waiting=before.waiting + (not leased), leased=before.leased + leased)
        return [found[key] for key in sorted(found, reverse=True)]

    def workers(self) -> list[WorkerRow]:
        """The workers there are, oldest first."""
        with self._lock:
            now = self._clock.monotonic()
            return [
                WorkerRow(
                    worker=worker,
                    info=each.info,
                    since=each.since,
                    jobs=tuple(entry.job for entry in self._open() if entry.worker == worker),
                    measuring=self.waiting.slots.get(each.info.host) == worker,
                    late=each.alive_until < now,
                )
                for worker, each in self.waiting.workers.items()
                if each.there
            ]

    def store_of(self, lease: Lease) -> "InMemoryLeasedStore":
        """The store as the holder of `lease` writes to it."""
        return InMemoryLeasedStore(self._clock, self._store.memory, self._held_by(lease), self._moved_by)

    def remind(self, job: str, rest: Seconds) -> None:
        """There is nobody to send word to."""

    def builds_of(self, worker: str) -> InMemoryBuildStore:
        """The store as the worker's build slots write to it."""
        return InMemoryBuildStore(self._clock, self._store.memory, lambda: self._there(worker) is not None)
