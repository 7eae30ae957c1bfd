"""Workers of a queue in memory, what they have taken, and what becomes of it when they are no more."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import count

from bisector.adapters.in_memory.store import InMemoryStore, Memory
from bisector.core.model.units import Seconds
from bisector.engine.job import JobState
from bisector.engine.ports import Clock
from bisector.engine.queue import (
    LONGEST_REST,
    MOST_FAILURES,
    Entry,
    EntryState,
    Lease,
    Limits,
    Order,
    Processes,
    WorkerInfo,
    WorkerKind,
)
from bisector.errors import JobError, LeaseLost, NoSuchJob


@dataclass
class _Worker:
    info: WorkerInfo
    since: datetime
    alive_until: Seconds
    there: bool = True
    stands: bool = False
    """Whether it was given up and its process may still be there."""


@dataclass(kw_only=True)
class Waiting:
    """What several queues may share, as several connections share a database. All of it is read and written while the
    store's lock is held."""

    entries: dict[str, Entry] = field(default_factory=dict)
    not_before: dict[str, float] = field(default_factory=dict)
    workers: dict[str, _Worker] = field(default_factory=dict)
    slots: dict[str, str] = field(default_factory=dict)
    """Who has which host's measuring slot."""
    numbers: "count[int]" = field(default_factory=lambda: count(1))


class InMemoryLeases:
    """The part of the queue that knows who works."""

    def __init__(self, store: InMemoryStore, clock: Clock, limits: Limits, waiting: Waiting | None = None) -> None:
        """The jobs are those of `store`; an empty queue, or one more way to a queue that is there."""
        self._store = store
        self._clock = clock
        self._limits = limits
        self.waiting = waiting or Waiting()
        """To be shared with whoever else takes jobs."""

    @property
    def _lock(self) -> threading.RLock:
        return self._store.memory.lock

    def register(self, info: WorkerInfo) -> str:
        """A worker begins; its id, which no other ever bears."""
        with self._lock:
            worker = str(next(self.waiting.numbers))
            until = self._clock.monotonic() + self._limits.lease
            self.waiting.workers[worker] = _Worker(info, self._clock.now(), until)
            return worker

    def beat(self, worker: str) -> bool:
        """The worker lives, and so do its leases; False when it was given up meanwhile and owns nothing any more."""
        with self._lock:
            mine = self._there(worker)
            if mine is not None:
                mine.alive_until = self._clock.monotonic() + self._limits.lease
            return mine is not None

    def leave(self, worker: str) -> None:
        """The worker ends in order. What it still has goes back to the queue."""
        with self._lock:
            self.waiting.workers[worker].there = self.waiting.workers[worker].stands = False
            self.let_go_of_host(worker)
            self._give_back_what_is_lost()

    def hold_host(self, worker: str) -> bool:
        """Take the measuring slot of the worker's machine; False while a worker that lives has it."""
        with self._lock:
            mine = self._there(worker)
            if mine is None:
                return False
            holder = self.waiting.slots.get(mine.info.host, worker)
            if holder != worker and self._there(holder) is not None:
                return False
            self.waiting.slots[mine.info.host] = worker
            return True

    def let_go_of_host(self, worker: str) -> None:
        """Give the measuring slot back, where the worker has it."""
        with self._lock:
            host = self.waiting.workers[worker].info.host
            if self.waiting.slots.get(host) == worker:
                del self.waiting.slots[host]

    def claim(self, worker: str, job: str | None = None) -> Lease | None:
        """Take the next job that waits for a host like the worker's, or only `job` if it can be had; None without."""
        with self._lock:
            mine = self._there(worker)
            if mine is None:
                return None
            may = (each for each in self._claimable(mine) if job in {None, each.job} and self._below_cap(each))
            found = min(may, key=turn, default=None)
            return None if found is None else self._lease(found, worker)

    def upcoming(self, worker: str, most: int) -> list[str]:
        """So many jobs that the worker's host may take, the next one first; none is taken, and no cap is looked at."""
        with self._lock:
            mine = self._there(worker)
            return [] if mine is None else [entry.job for entry in sorted(self._claimable(mine), key=turn)[:most]]

    def take(self, worker: str, job: str) -> Lease:
        """Take just this job for a person who asks for it by number, also one that is not queued."""
        with self._lock:
            row = self._store.job(job)
            if row.state is JobState.DONE:
                raise JobError(f"job {job} is done", then=f"See `bisector report {job}`")
            if self._there(worker) is None:
                raise NoSuchJob(f"there is no worker {worker} to take job {job}")
            entry = self.waiting.entries.get(job) or self._insert(job, Order(host_class=""))
            if entry.state is EntryState.LEASED:
                owner = self.waiting.workers[entry.worker].info
                advice = f"Watch it with `bisector jobs watch {job}`, or stop it with `bisector jobs cancel {job}`"
                raise JobError(f"job {job} is being worked on by process {owner.pid} on {owner.name}", then=advice)
            return self._lease(entry, worker)

    def cancel_wanted(self, lease: Lease) -> bool:
        """Whether somebody wants the leased job stopped."""
        return self._store.cancel_requested(lease.job)

    def wanted(self, worker: str, lease: Lease | None = None) -> bool:
        """Whether a job waits that the worker could take: where it has one, one of a higher priority than that."""
        with self._lock:
            own = self.waiting.entries[lease.job] if lease is not None else None
            return any(
                self._below_cap(entry, besides=own) and (own is None or entry.order.priority > own.order.priority)
                for entry in self._claimable(self.waiting.workers[worker])
            )

    def reap(self, here: Processes, host: str) -> tuple[str, ...]:
        """Give up workers that are late or, on this machine, gone; the jobs that wait again for it."""
        with self._lock:
            now = self._clock.monotonic()
            for each in self.waiting.workers.values():
                lives = here.lives(each.info.process) if each.info.host == host else None
                paused = each.info.kind is WorkerKind.PERSON and lives
                if each.there and (lives is False or (each.alive_until < now and not paused)):
                    each.there, each.stands = False, True
            given_back = self._give_back_what_is_lost()
            for each in self.waiting.workers.values():
                if each.stands and each.info.host == host:
                    each.stands = False
                    if each.info.kind is WorkerKind.WORKER and each.info.process != here.here():
                        here.kill(each.info.process)
            return given_back

    def _open(self) -> list[Entry]:
        return [entry for entry in list(self.waiting.entries.values()) if entry.state is not EntryState.ENDED]

    def _insert(self, job: str, order: Order) -> Entry:
        made = Entry(job=job, state=EntryState.WAITING, order=order, enqueued=self._clock.now())
        self.waiting.entries[job] = made
        return made

    def _change(self, job: str, **changes: object) -> Entry:
        changed: Entry = replace(self.waiting.entries[job], **changes)  # type: ignore[arg-type]
        self.waiting.entries[job] = changed
        return changed

    def _there(self, worker: str) -> _Worker | None:
        found = self.waiting.workers.get(worker)
        return found if found is not None and found.there else None

    def _claimable(self, mine: _Worker) -> list[Entry]:
        now = self._clock.now().timestamp()
        living = {
            each.info.host
            for each in self.waiting.workers.values()
            if each.there and each.info.kind is WorkerKind.WORKER
        }
        return [
            entry
            for entry in self._open()
            if entry.state is EntryState.WAITING
            and entry.order.host_class in mine.info.host_classes
            and not 0 < self.waiting.not_before.get(entry.job, 0.0) - now <= LONGEST_REST
            and (entry.host in {"", mine.info.host} or entry.host not in living)
        ]

    def _below_cap(self, entry: Entry, besides: Entry | None = None) -> bool:
        most = self._limits.per_repository
        repository = self._store.job(entry.job).request.repository
        leased = [each for each in self._open() if each.state is EntryState.LEASED and each is not besides]
        return not most or sum(self._store.job(each.job).request.repository == repository for each in leased) < most

    def _lease(self, entry: Entry, worker: str) -> Lease:
        info = self.waiting.workers[worker].info
        taken = self._change(
            entry.job,
            state=EntryState.LEASED,
            worker=worker,
            attempt=entry.attempt + 1,
            fence=entry.fence + 1,
            host=info.host if info.kind is WorkerKind.WORKER else entry.host,
        )
        attempt, failures = taken.attempt, taken.failures
        return Lease(job=entry.job, fence=taken.fence, attempt=attempt, worker=worker, failures=failures)

    def _held_by(self, lease: Lease) -> Callable[[str], bool]:
        def held(job: str) -> bool:
            entry = self.waiting.entries.get(job)
            return entry is not None and entry.state is EntryState.LEASED and entry.fence == lease.fence

        return held

    def _moved_by(self, job: str, state: JobState, rest: Seconds) -> None:
        if state is not JobState.QUEUED:
            self._change(job, state=EntryState.ENDED, worker="")
            return
        failures = self.waiting.entries[job].failures + 1 if rest else 0
        self._change(job, state=EntryState.WAITING, worker="", failures=failures)
        self.waiting.not_before[job] = self._clock.now().timestamp() + rest if rest else 0.0

    def _give_back_what_is_lost(self) -> tuple[str, ...]:
        lost = [each for each in self._open() if each.worker and self._there(each.worker) is None]
        return tuple(entry.job for entry in lost if self._lost(entry))

    def _lost(self, entry: Entry) -> bool:
        """End a lease whose worker is no more; whether the job waits again."""
        job, failures = entry.job, entry.failures + 1
        begun = self._store.job(job).state is JobState.RUNNING
        person = self.waiting.workers[entry.worker].info.kind is WorkerKind.PERSON
        theirs = person and (begun or not entry.order.host_class)
        if theirs or failures > MOST_FAILURES:
            self._change(job, state=EntryState.ENDED, worker="", failures=failures)
            if not begun and not theirs:
                self._store.set_state(job, JobState.RUNNING)
            if begun or not theirs:
                self._store.set_state(job, JobState.PAUSED)
            return False
        if begun:
            self._store.set_state(job, JobState.QUEUED)
        self._change(job, state=EntryState.WAITING, worker="", failures=failures)
        self.waiting.not_before.pop(job, None)
        return True


class InMemoryLeasedStore(InMemoryStore):
    """Implements `bisector.engine.queue.LeasedStore`: a look at the fence goes with each write."""

    def __init__(
        self,
        clock: Clock,
        memory: Memory,
        held: Callable[[str], bool],
        moved: Callable[[str, JobState, Seconds], None],
    ) -> None:
        """`held` says whether the lease still has a job; `moved` is told of the state a job went to."""
        super().__init__(clock, memory)
        self._held = held
        self._told = moved
        self._rest: Seconds = 0.0

    def rest(self, seconds: Seconds) -> None:
        """If the job is to wait again for a fault, then for so long, and the fault counts."""
        self._rest = seconds

    def _guard(self, job: str) -> None:
        if not self._held(job):
            raise LeaseLost(f"job {job} was given to another worker")

    def _moved(self, job: str, state: JobState) -> None:
        if state is not JobState.RUNNING:
            self._told(job, state, self._rest)


class InMemoryBuildStore(InMemoryStore):
    """Implements `bisector.engine.ports.Store` for build slots: a look at the worker goes with each write."""

    def __init__(self, clock: Clock, memory: Memory, there: Callable[[], bool]) -> None:
        """`there` says whether nobody gave up the worker whose slots they are."""
        super().__init__(clock, memory)
        self._there = there

    def _guard(self, job: str) -> None:
        raise LeaseLost(f"job {job} is nobody's: a build slot writes to no job")

    def _guard_builds(self) -> None:
        if not self._there():
            raise LeaseLost("the worker was given up")


def turn(entry: Entry) -> tuple[int, int]:
    """The higher priority first, then the older job."""
    return -int(entry.order.priority), int(entry.job)
