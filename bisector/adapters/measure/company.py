"""Whether a run had its processors to itself: what else ran on them, what a hypervisor took, and whether heat slowed
them down."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bisector.core.model.units import Seconds
from bisector.engine.ports import RunRecord

ROOT = Path("/")
FOREIGN = 0.25
"""Part of its processors' time that others took, from which on a run had company."""
STOLEN = 0.1
"""The same of what a hypervisor took. It cannot be the run's own doing."""
LEAST: Seconds = 0.1
"""Less than this says nothing: the kernel counts in ticks of 10 ms, and we begin and end the run there, too."""
_BUSY = (0, 1, 2, 5, 6)
"""user, nice, system, irq and softirq among the columns of /proc/stat."""
_STEAL = 7
_TICK: Seconds = 0.01


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """What stood there at a moment: seconds that the processors were busy or taken away, and how often they throttled.
    None where it cannot be read."""

    at: Seconds
    busy: Seconds | None
    stolen: Seconds
    throttled: int


class Company:
    """Looks at some processors before and after a run; `root` is where /proc and /sys lie."""

    def __init__(self, cpus: Sequence[int], root: Path = ROOT) -> None:
        self._cpus = tuple(cpus)
        self._root = root

    def look(self) -> Seen:
        """How it stands now."""
        busy, stolen = self._times()
        return Seen(at=time.monotonic(), busy=busy, stolen=stolen, throttled=self._throttled())

    def between(self, before: Seen, after: Seen, own: Seconds) -> str:
        """What disturbed a run that used `own` seconds of processor time; "" where nothing did."""
        had = (after.at - before.at) * len(self._cpus)
        if after.throttled > before.throttled:
            return f"heat slowed its processors down ({after.throttled - before.throttled} times)"
        if before.busy is None or after.busy is None or had <= 0:
            return ""
        stolen = after.stolen - before.stolen
        if stolen >= max(LEAST, STOLEN * had):
            return f"the hypervisor took {stolen / had:.0%} of its processors' time"
        foreign = after.busy - before.busy - own
        if foreign >= max(LEAST, FOREIGN * had):
            return f"other processes took {min(foreign / had, 1):.0%} of its processors' time"
        return ""

    def _times(self) -> tuple[Seconds | None, Seconds]:
        busy, stolen, found = 0.0, 0.0, False
        for line in _read(self._root / "proc/stat").splitlines():
            name, *columns = line.split()
            if name.startswith("cpu") and name[3:].isdigit() and int(name[3:]) in self._cpus:
                ticks = [int(column) for column in columns] + [0] * (_STEAL + 1 - len(columns))
                busy += _TICK * sum(ticks[column] for column in _BUSY)
                stolen += _TICK * ticks[_STEAL]
                found = True
        return (busy if found else None), stolen

    def _throttled(self) -> int:
        counts = (
            _read(self._root / f"sys/devices/system/cpu/cpu{cpu}/thermal_throttle/core_throttle_count").strip()
            for cpu in self._cpus
        )
        return sum(int(count) for count in counts if count.isdigit())


class Told:
    """What is said of a run once it is over."""

    def __init__(self) -> None:
        self._said: Callable[[Seconds], str] = lambda _: ""

    def becomes(self, said: Callable[[Seconds], str]) -> None:
        """From now on: what disturbed a run, by the processor time that it used itself."""
        self._said = said

    def of(self, record: RunRecord) -> RunRecord:
        """The record, with what disturbed the run."""
        return record if record.usage is None else replace(record, disturbed=self._said(record.usage.cpu))


ALONE = Told()
"""Nothing is said of a run at which nobody looked."""


@contextmanager
def looking(company: Company | None) -> Iterator[Told]:
    """Look before and after; nothing is said where there is nobody to look."""
    told = Told()
    before = company.look() if company is not None else None
    yield told
    if company is not None and before is not None:
        after = company.look()
        told.becomes(lambda own: company.between(before, after, own))


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
