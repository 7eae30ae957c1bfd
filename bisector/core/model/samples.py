"""Samples: what one process run yielded, and under which circumstances."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from bisector.core.model.history import Place
from bisector.core.model.scenario import CRASHED
from bisector.core.model.units import Bytes, Seconds


class Outcome(StrEnum):
    """What came of a build or a run. Only `ok` carries a number; `infra` is never the commit's fault."""

    OK = "ok"
    BUILD_FAILED = "build_failed"
    BENCH_FAILED = "bench_failed"
    TIMEOUT = "timeout"
    OOM = "oom"
    NO_RESULT = "no_result"
    INFRA = "infra"
    CANCELLED = "cancelled"


SPEAKS_OF_THE_COMMIT = frozenset(
    {Outcome.BUILD_FAILED, Outcome.BENCH_FAILED, Outcome.TIMEOUT, Outcome.OOM, Outcome.NO_RESULT}
)
"""Outcomes that make a commit untestable; they never make it slow."""


SAYS_NOTHING = frozenset({Outcome.INFRA, Outcome.CANCELLED})
"""Outcomes of a run that has to be made again."""


class Purpose(StrEnum):
    """Why a run was made."""

    WARMUP = "warmup"
    ENDS = "ends"
    SEARCH = "search"
    REFERENCE = "reference"
    VERIFY = "verify"
    TRIAL = "trial"
    """A trial and the ends it is compared with, in turns."""
    CONTROL = "control"
    """Two builds of one commit beside each other."""
    ENVIRONMENT = "environment"
    """Builds made earlier beside builds made today, which hold other packages. No part of the search."""
    UNTOOLED = "untooled"
    """The command by itself, where a tool around it counts: its wall time stands beside the count. No part of the
    search either."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Usage:
    """What one process run used, measured by us: wall by the monotonic clock, the rest from the kernel."""

    wall: Seconds
    cpu: Seconds
    peak_memory: Bytes
    page_faults: int = 0
    """With and without reading from a disk; 0 in what earlier versions recorded."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """One run's values, one a metric.

    `step` and `order` say which slot of which planned round it fills; `clock` is the monotonic time since the job's
    first start at which the run began, in seconds; `host` is the host's fingerprint, `container` the id of the
    container or prepared directory it ran in.
    """

    place: Place
    number: int = 0
    """Which build of the commit it ran: 0 for the first."""
    build: str
    purpose: Purpose
    outcome: Outcome
    values: Mapping[str, float] = field(default_factory=dict)
    usage: Usage | None = None
    step: int
    order: int
    clock: Seconds
    host: str
    container: str = ""
    reason: str = ""
    adopted_from: str = ""
    """The job this sample was taken over from ("" for this job's own)."""
    partner: int | None = None
    """The place in the step of the run that was made at the same moment; None for a run alone."""
    lane: int = 0
    """Which of the host's groups of processors it ran on."""
    beside: bool = False
    """Whether something was built at the same time, on other processors."""
    log: str = ""
    """The file that holds the ends of what its services wrote, where the run did not end well."""

    @property
    def counts(self) -> bool:
        """Whether it is compared: a measured run that ended well, or whose failing is judged, not a warm-up."""
        made = self.outcome is Outcome.OK or CRASHED.name in self.values
        return made and self.purpose not in {Purpose.WARMUP, Purpose.UNTOOLED}

    def judged_by_crashing(self) -> "Sample":
        """This sample with whether it crashed among its values; one that says nothing stays as it is."""
        if self.outcome in SAYS_NOTHING:
            return self
        return replace(self, values={**self.values, CRASHED.name: float(self.outcome in SPEAKS_OF_THE_COMMIT)})

    def adopted(self, *, by: Place, job: str) -> "Sample":
        """This sample as taken over from `job` for the place `by`, whose build is equal."""
        return replace(self, place=by, number=0, adopted_from=job)
