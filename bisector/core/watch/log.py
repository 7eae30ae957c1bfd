"""What is written down of a series: its history, and which measurement it waits for."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from bisector.core.model.units import Seconds, Sha
from bisector.core.watch.moves import Accepted, Entry, Looked, Searched
from bisector.core.watch.nights import Night


class Wanted(StrEnum):
    """What a job that a series waits for is to tell."""

    NIGHT = "night"
    LOOK = "look"


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """A job was started that measures `good` and `bad`; the series goes on when it has ended."""

    wanted: Wanted
    good: Sha
    bad: Sha
    time: Seconds
    """The tick of the clock it is for, of a night; else when it was asked."""
    job: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Unmeasured:
    """A night without a measurement, and why."""

    tip: Sha
    time: Seconds
    """The tick of the clock."""
    why: str
    job: str = ""


Record = Entry | Asked | Unmeasured


def history_of(log: Sequence[Record]) -> list[Entry]:
    """What moves are made on: the log without what is only waited for, and without nights that told nothing."""
    return [record for record in log if isinstance(record, Night | Accepted | Looked | Searched)]


def waits_for(log: Sequence[Record]) -> Asked | None:
    """The job that the series waits for; None where it waits for the clock."""
    last = log[-1] if log else None
    return last if isinstance(last, Asked) else None


def last_tick(log: Sequence[Record]) -> Seconds | None:
    """The last tick of the clock that was seen to; None before the first."""
    for record in reversed(log):
        if isinstance(record, Unmeasured) or (isinstance(record, Asked) and record.wanted is Wanted.NIGHT):
            return record.time
    return None
