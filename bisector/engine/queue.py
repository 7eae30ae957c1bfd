"""What waits to be worked on, and who works on what: the values and the port.

A job that waits or is worked on has one entry. A worker that takes it gets a lease; the lease lasts for as long as the
worker says that it lives, and its number, the fence, is larger than any before it. Whatever a worker writes to a job is
written in one transaction with a look at the fence, so that a worker that was given up, and did not notice, changes
nothing any more.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Protocol

from bisector.core.model.request import Request
from bisector.core.model.units import Seconds, digest
from bisector.engine.ports import Store
from bisector.formats.facts import request_to_text

DEFAULT_CLASS = "default"
LEASE: Seconds = 30.0
"""How long a worker is believed to live after it last said so."""
BEATS_A_LEASE = 3
REAPS_A_LEASE = 6
MOST_FAILURES = 5
"""Lost workers and faults of the machine in a row after which a job is no longer tried by itself."""
LONGEST_REST: Seconds = 3600.0
"""A rest that seems longer comes from a clock that was set back, and is over."""
LONGEST_TEXT = 200
AT_TERMINAL = "command line"
"""Who asks for a job that a person waits for where it was started: nobody else is told of its answer."""


class Priority(IntEnum):
    """Whom a job is for; the higher goes first, and a lower one under way makes room between two steps."""

    SWEEP = 10
    ALERT = 20
    PERSON = 30


class EntryState(StrEnum):
    """Where an entry stands."""

    WAITING = "waiting"
    LEASED = "leased"
    ENDED = "ended"


class WorkerKind(StrEnum):
    """A worker takes whatever comes; a person's command works on one job, and is never killed for being slow."""

    WORKER = "worker"
    PERSON = "person"


class Cancelling(StrEnum):
    """What became of the wish to stop a job."""

    AT_ONCE = "at once"
    """Nobody works on it: it is cancelled."""
    ASKED = "asked"
    """Whoever works on it looks for the wish every second or two."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """How a job is to be queued."""

    priority: Priority = Priority.PERSON
    host_class: str = DEFAULT_CLASS
    """The kind of host that may measure it."""
    dedup: str = ""
    """At most one job that is not ended bears the same key; "" bears none. See `dedup_key`."""
    asked_by: str = ""
    """Who wants it, for lists: "cli", "sweep nightly", "alertmanager"."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Enqueued:
    """The job that came of a request: a new one, or the one that was on its way already."""

    job: str
    new: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """A job as the queue sees it."""

    job: str
    state: EntryState
    order: Order
    enqueued: datetime
    attempt: int = 0
    """How often it was taken."""
    fence: int = 0
    """Of the last lease."""
    failures: int = 0
    worker: str = ""
    """Who has it now; "" nobody."""
    host: str = ""
    """The machine that has measured it: one job stays on one host for as long as that host is there."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Lease:
    """The right to work on a job."""

    job: str
    fence: int
    attempt: int
    worker: str
    failures: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkerInfo:
    """What a worker says of itself."""

    kind: WorkerKind
    host: str
    """The machine, the same for all of its workers."""
    name: str
    """The machine's name, for people."""
    host_classes: tuple[str, ...]
    process: str
    """See `Processes`."""
    pid: int
    cores: int
    fingerprint: str
    """Of the host, as samples bear it."""
    version: str


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkerRow:
    """A worker that is there, as lists show it."""

    worker: str
    info: WorkerInfo
    since: datetime
    jobs: tuple[str, ...] = ()
    measuring: bool = False
    """Whether it has its host's measuring slot."""
    late: bool = False
    """Whether it has said nothing for longer than a lease, and is about to be given up."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Depth:
    """How much there is to do, per priority and host class."""

    priority: Priority
    host_class: str
    waiting: int
    leased: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What the operator allows."""

    lease: Seconds = LEASE
    waiting: int = 10_000
    """Most jobs that wait; one more is refused."""
    per_repository: int = 0
    """Most jobs of one repository that are worked on at once; 0: no limit."""


class Processes(Protocol):
    """The processes of this machine, named so that a later one with the same number is another."""

    def here(self) -> str:
        """This process."""
        ...

    def lives(self, process: str) -> bool | None:
        """Whether a process of this machine is there; None when it is in a container that cannot be seen from here."""
        ...

    def kill(self, process: str) -> bool:
        """End the process at once, stopped ones too; False when it is not there or not ours to see."""
        ...


class LeasedStore(Store, Protocol):
    """The store as the holder of a lease writes to it.

    Each fact and each state of the leased job is written together with a look at the fence: LeaseLost, and nothing
    written, when the job is somebody else's by now. A state that ends the work ends the lease in the same transaction:
    `QUEUED` lets the job wait again, every other one but `RUNNING` takes it out of the queue.
    """

    def rest(self, seconds: Seconds) -> None:
        """If the job is to wait again for a fault, then for so long, and the fault counts."""
        ...


class Queue(Protocol):
    """What waits and who works. Every method is one transaction; a time is never compared between two machines."""

    def enqueue(self, request: Request, order: Order) -> Enqueued:
        """Make a job and queue it, both or neither; the job with the same dedup key where there is one.

        QueueFull when as many wait as may.
        """
        ...

    def put_back(self, job: str, order: Order) -> None:
        """Queue a job that was made, stopped or paused before; JobError when it is done, waits, or is worked on."""
        ...

    def cancel(self, job: str) -> Cancelling:
        """Stop a job: at once where it only waits, else its worker is asked to. JobError when it is done."""
        ...

    def entry(self, job: str) -> Entry | None:
        """The entry of a job; None for a job that never was in the queue."""
        ...

    def entries(self) -> list[Entry]:
        """What is worked on and what waits, in the order in which it is taken."""
        ...

    def depth(self) -> list[Depth]:
        """How much is worked on and waits."""
        ...

    def register(self, info: WorkerInfo) -> str:
        """A worker begins; its id, which no other ever bears."""
        ...

    def beat(self, worker: str) -> bool:
        """The worker lives, and so do its leases; False when it was given up meanwhile and owns nothing any more."""
        ...

    def leave(self, worker: str) -> None:
        """The worker ends in order. What it still has goes back to the queue."""
        ...

    def workers(self) -> list[WorkerRow]:
        """The workers there are, oldest first."""
        ...

    def hold_host(self, worker: str) -> bool:
        """Take the measuring slot of the worker's machine; False while a worker that lives has it."""
        ...

    def let_go_of_host(self, worker: str) -> None:
        """Give the measuring slot back, where the worker has it."""
        ...

    def claim(self, worker: str, job: str | None = None) -> Lease | None:
        """Take the next job that waits for a host like the worker's, or only `job` if it can be had; None without.

        Higher priorities first, then older jobs; of one repository no more at once than the setting allows.
        """
        ...

    def upcoming(self, worker: str, most: int) -> list[str]:
        """So many jobs that the worker's host may take, the next one first; none is taken, and no cap is looked at."""
        ...

    def remind(self, job: str, rest: Seconds) -> None:
        """Send word of a job anew after `rest` seconds, if it still waits: word of it came when it could not be had."""
        ...

    def take(self, worker: str, job: str) -> Lease:
        """Take just this job for a person who asks for it by number, also one that is not queued.

        JobError when it is done or another worker has it.
        """
        ...

    def store_of(self, lease: Lease) -> LeasedStore:
        """The store as the holder of `lease` writes to it."""
        ...

    def builds_of(self, worker: str) -> Store:
        """The store as the worker's build slots write to it: what they know of builds, as long as nobody gave the
        worker up, and nothing of any job. Else LeaseLost, and nothing written."""
        ...

    def cancel_wanted(self, lease: Lease) -> bool:
        """Whether somebody wants the leased job stopped."""
        ...

    def wanted(self, worker: str, lease: Lease | None = None) -> bool:
        """Whether a job waits that the worker could take: where it has one, one of a higher priority than that."""
        ...

    def reap(self, here: Processes, host: str) -> tuple[str, ...]:
        """Give up workers that are late or, on this machine, gone; the jobs that wait again for it.

        Their processes on this machine are killed, so that a stopped one lets go of its locks. A job that was lost
        more than MOST_FAILURES times in a row is paused instead.
        """
        ...


def dedup_key(request: Request) -> str:
    """The key of a question: repository, ends, scenario with its recipe, metrics and what was asked of the search.

    Two alerts about one change bear the same key. Names that people gave the ends, and the seed, make no difference.
    """
    asked = json.loads(request_to_text(request))
    for name in ("good_text", "bad_text", "scenario_text", "noise"):
        asked.pop(name, None)
    asked.get("search", {}).pop("seed", None)
    return digest("queue", json.dumps(asked, sort_keys=True))


def back_off(failures: int) -> Seconds:
    """How long a job rests after so many failures in a row: 10 s, 40 s, 160 s, at most 15 minutes."""
    return min(10.0 * 4.0 ** max(failures - 1, 0), 900.0)


def listed(texts: Sequence[str]) -> str:
    """Host classes as one text to keep."""
    return ",".join(sorted(set(texts)))
