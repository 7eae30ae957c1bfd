"""What is stored, read in bulk: for exports, weeks and figures. Nothing here is written."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from bisector.core.model.facts import Fact
from bisector.core.model.samples import Outcome
from bisector.core.model.units import Seconds
from bisector.core.watch.log import Record
from bisector.engine.job import JobRow


@dataclass(frozen=True, kw_only=True, slots=True)
class JobRecord:
    """A job with how it was asked for. One that a command worked on itself was never queued: then these are empty."""

    row: JobRow
    asked_by: str = ""
    priority: int | None = None
    host_class: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class FactRecord:
    """A fact with its number in the job and when it was written down, since the epoch."""

    seq: int
    at: Seconds
    fact: Fact


@dataclass(frozen=True, kw_only=True, slots=True)
class SeriesRecord:
    """A record of a series with its number there and when it was written down, since the epoch."""

    series: str
    seq: int
    at: Seconds
    record: Record


class Records(Protocol):
    """Everything that is stored, oldest first, a page at a time: no transaction lasts longer than its page."""

    def jobs(self, since: Seconds = 0.0, jobs: Collection[str] = ()) -> Iterator[JobRecord]:
        """The jobs made at or after `since`; where `jobs` names some, those of them."""
        ...

    def concluded(self, since: Seconds, until: Seconds) -> Iterator[JobRecord]:
        """The jobs whose answer was written down from `since` on and before `until`."""
        ...

    def facts(self, job: str, kinds: Collection[type[Fact]] = ()) -> Iterator[FactRecord]:
        """The facts of a job, or those of some kinds."""
        ...

    def series(self) -> Iterator[SeriesRecord]:
        """The records of all series, one series after the other."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """What all jobs together have made, ever. What they took over from each other is counted where it was made."""

    runs: Mapping[Outcome, int]
    """Warm-ups included."""
    run_seconds: Seconds
    builds: Mapping[Outcome, int]
    builds_reused: int
    build_seconds: Seconds
    leases_lost: int


class Tally(Protocol):
    """Figures for whoever asks again and again: what was read once is not read again."""

    def figures(self) -> Figures | None:
        """The figures as they are; None as long as not everything there is was read once."""
        ...
