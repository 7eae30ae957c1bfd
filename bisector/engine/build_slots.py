"""Build slots: while a worker measures one job, the first builds of those that wait are made beside it.

They belong to the measuring slot: who has that says when something may be built beside its runs, by the rules of what
it builds ahead for itself, and nothing is built when nobody measures, since then the job that waits is simply taken. A
build slot takes no job. What it makes is found by whoever does, by the build's key.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from bisector.core.model.units import Seconds
from bisector.engine.background import Background, Task
from bisector.engine.first_builds import make_first_builds
from bisector.engine.ports import Clock, Ports, Store
from bisector.engine.queue import EntryState, Queue
from bisector.engine.stop import StopSignal
from bisector.errors import BisectorError, Cancelled

LOOK: Seconds = 1.0
"""How often it is looked for a job to build for."""
WAIT: Seconds = 0.2
MOST_BREAKS = 3
"""How often the builds of one job are begun in vain: then they are left to the job."""
MOST_REMEMBERED = 10_000


@dataclass(frozen=True, kw_only=True)
class SlotPorts:
    """What build slots need."""

    queue: Queue
    clock: Clock
    open: Callable[[str, Store, StopSignal], Ports]
    """Everything a job needs, with the store that is given."""
    tell: Callable[[str], None]


class BuildSlots:
    """Implements `bisector.engine.background.Neighbours` for one worker."""

    def __init__(self, ports: SlotPorts, worker: str, slots: int | None) -> None:
        """`slots` as the operator asked: 0 switches them off, None means as many as there is room for."""
        self.slots = slots
        self._ports = ports
        self._worker = worker
        self._going: dict[str, Task[int]] = {}
        self._done: set[str] = set()
        """Jobs that have what they want first, or are to see to it themselves."""
        self._breaks: Counter[str] = Counter()
        self._looked = -LOOK

    @property
    def building(self) -> bool:
        """Whether something is being built at this moment."""
        return any(not task.wait(0) for task in self._going.values())

    def begin(self, background: Background, most: int, leave_cpus: int) -> None:
        """Begin the first builds of jobs that wait, up to so many jobs at once."""
        self._collect()
        now = self._ports.clock.monotonic()
        if now - self._looked < LOOK:
            return
        self._looked = now
        try:
            self._let_go_of_what_is_not_wanted()
            waiting = self._ports.queue.upcoming(self._worker, 2 * most) if len(self._going) < most else []
        except BisectorError:
            # The database is away: the job that is measured sees to that.
            return
        for job in waiting:
            if job not in self._done and job not in self._going and len(self._going) < most:
                self._going[job] = self._start(job, background, leave_cpus)

    def hush(self) -> None:
        """Break off what is being built, and wait until nothing of it is left."""
        for job, task in self._going.items():
            if not task.wait(0):
                task.stop()
                self._broken_off(job)
        for task in self._going.values():
            while not task.wait(WAIT):
                pass
        self._collect()

    def _start(self, job: str, background: Background, leave_cpus: int) -> Task[int]:
        def make(stop: StopSignal) -> int:
            ports = self._ports.open(job, self._ports.queue.builds_of(self._worker), stop)
            return make_first_builds(job, ports, stop, leave_cpus)

        return background.start(make)

    def _collect(self) -> None:
        for job in [job for job, task in self._going.items() if task.wait(0)]:
            task = self._going.pop(job)
            try:
                made = task.result()
            except Cancelled:
                continue
            except (BisectorError, OSError):
                # The job meets the same when it is taken, and tells of it.
                made = 0
            if made:
                self._ports.tell(f"job {job}: its first builds are made")
            self._leave_to_itself(job)

    def _let_go_of_what_is_not_wanted(self) -> None:
        """Stop building for jobs that were cancelled, or that another host has by now."""
        for job, task in self._going.items():
            entry = self._ports.queue.entry(job)
            if entry is None or entry.state is not EntryState.WAITING:
                task.stop()

    def _broken_off(self, job: str) -> None:
        self._breaks[job] += 1
        if self._breaks[job] >= MOST_BREAKS:
            self._leave_to_itself(job)

    def _leave_to_itself(self, job: str) -> None:
        if len(self._done) >= MOST_REMEMBERED:
            self._done.clear()
            self._breaks.clear()
        self._done.add(job)
