"""Facts: what was planned and what the world answered. They are appended and never changed."""

from collections.abc import Mapping
from dataclasses import dataclass

from bisector.core.model.builds import Build
from bisector.core.model.captures import ChangeSeen, ChangesKept, Profiled, ProfilersSeen
from bisector.core.model.history import Commit, Line, Place
from bisector.core.model.parts import PartsListed
from bisector.core.model.samples import Sample
from bisector.core.model.steps import Step
from bisector.core.model.trials import TrialMade
from bisector.core.model.units import Seconds
from bisector.core.model.verdict import Culprit, MetricVerdict, Verdict


@dataclass(frozen=True, kw_only=True, slots=True)
class Planned:
    """A step was decided on, `elapsed` seconds of work into the job, by this version of the planner."""

    number: int
    step: Step
    planner: str
    elapsed: Seconds


@dataclass(frozen=True, kw_only=True, slots=True)
class EnvironmentSeen:
    """The host that measures, by fingerprint, with what the fingerprint is made of and what else is worth knowing."""

    host: str
    toolchain: str
    details: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class HistoryListed:
    """The candidates. `aside` is the good commit where it does not lie on the line; `bad_contains_good` is ancestry."""

    line: Line
    aside: Commit | None = None
    bad_contains_good: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class BranchListed:
    """The commits a merge brought in. `conflicts` of them could not be put on top of the merge's first parent."""

    merge: Place
    line: Line
    in_context: bool
    conflicts: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class BuildRecorded:
    """A build ended, well or not, or an equal one was at hand."""

    place: Place
    number: int
    build: Build
    ahead: bool = False
    """Whether it was made before anybody asked for it, beside another step."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Disturbed:
    """Runs beside a build were seen to differ from those alone: nothing is built beside runs any more, and those that
    were made so are left aside.

    `slower` is by how much, relative, `louder` how many times as far they lie from their level.
    """

    metric: str
    slower: float
    louder: float
    alone: int
    beside: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Adopted:
    """Samples of equal builds, settings and host, taken over from another job."""

    job: str
    samples: tuple[Sample, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class CulpritNamed:
    """A culprit was found and verified: it is between the levels of `old` and `new`, indexes on the main line."""

    culprit: Culprit
    old: int
    new: int
    metric: str = ""
    """The further metric it is the culprit of; "" for the first one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Concluded:
    """The verdict at the end of the job, as decided then, and those on the further metrics."""

    verdict: Verdict
    others: tuple[MetricVerdict, ...] = ()


Fact = (
    Planned
    | EnvironmentSeen
    | HistoryListed
    | BranchListed
    | PartsListed
    | BuildRecorded
    | Adopted
    | Sample
    | CulpritNamed
    | ProfilersSeen
    | Profiled
    | ChangesKept
    | TrialMade
    | ChangeSeen
    | Disturbed
    | Concluded
)
