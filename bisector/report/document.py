"""A report as values: everything a reader may want to know of a job, computed once, in the order it is told.

Texts of strangers are harmless in here already (`text.one_line`) and told apart from ours in phrases; what renders a
report adds the escaping of its own format and nothing else. Numbers are raw: seconds, bytes, shares of one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from bisector.core.model.captures import ChangeKind, SubmoduleMove
from bisector.core.model.history import LineName
from bisector.core.model.packages import PackageMove
from bisector.core.model.request import JobKind, RunnerName
from bisector.core.model.samples import Outcome, Purpose
from bisector.core.model.scenario import Better
from bisector.core.model.units import Seconds
from bisector.core.model.verdict import Change, Control, Doubt, InnerKind, Reason, VerdictKind
from bisector.report.attached import Advice as Advice  # noqa: PLC0414  part of the document
from bisector.report.attached import Artifact, Section
from bisector.report.attached import LogEntry as LogEntry  # noqa: PLC0414  part of the document
from bisector.report.checkouts import PatchPart
from bisector.report.counts import CountedPart
from bisector.report.explanation import Explanation
from bisector.report.numbers import Gauge
from bisector.report.packages import RebuiltPart
from bisector.report.pairs import PairedPart
from bisector.report.parts import PartsPart
from bisector.report.phrase import Phrase
from bisector.report.restoration import RestorationPart


class Side(StrEnum):
    """On which side of the change a commit is, as far as is known."""

    OLD = "old"
    NEW = "new"
    UNSURE = "unsure"


class RowState(StrEnum):
    """What is known of the commits of a row."""

    MEASURED = "measured"
    UNTESTABLE = "untestable"
    NOT_TESTED = "not tested"


@dataclass(frozen=True, kw_only=True, slots=True)
class CommitPart:
    """A commit as a report names it. `date` is ISO 8601 in UTC, "" where git's number is no date."""

    sha: str
    subject: str
    author: str
    date: str
    is_merge: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class MetricPart:
    """The metric an answer is about; `min_effect` is the one this job went by, `gauge` how its values are written."""

    name: str
    unit: str
    better: Better
    min_effect: float
    gauge: Gauge


@dataclass(frozen=True, kw_only=True, slots=True)
class EndPart:
    """What was measured at one end. `asked` is false where another commit had to stand for the one that was named."""

    commit: CommitPart
    index: int
    values: tuple[float, ...]
    median: float | None
    asked: bool = True

    @property
    def runs(self) -> int:
        """How many runs the median is of."""
        return len(self.values)


@dataclass(frozen=True, kw_only=True, slots=True)
class EndsPart:
    """Both ends and the change between them. `aside` is good itself where it lies beside the line."""

    good: EndPart
    bad: EndPart
    aside: EndPart | None = None
    change: Change | None = None
    paired: PairedPart | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class InnerPart:
    """What descending into a merge found. `members` are the first of the commits in `set`."""

    kind: InnerKind
    phrase: Phrase
    names: Phrase
    commit: CommitPart | None
    members: tuple[CommitPart, ...]
    set: tuple[str, ...]
    probability: float | None
    change: Change | None
    in_context: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class CulpritPart:
    """A culprit, or a set that cannot be told apart: `members` are the first of the commits in `set`.

    `share` is the part of the whole change it accounts for, between `share_low` and `share_high` at the asked
    confidence; below nothing where it takes a part of it back. None stands for what is not known.
    `pairs_of_builds` is on how many fresh runs showed it, `paired` its change by neighbouring ones, `revert` what bad
    is without it, `control` how far two builds of its parent differ, `suspicious` why it looks odd all the same, and
    `kind` whether it only moves what is listed.
    """

    index: int
    commit: CommitPart
    parent: CommitPart
    members: tuple[CommitPart, ...]
    set: tuple[str, ...]
    probability: float
    change: Change | None
    share: float | None
    share_low: float | None
    share_high: float | None
    verified: bool
    same_build: bool | None
    still_at_bad: bool | None
    inner: InnerPart | None
    pairs_of_builds: int = 0
    paired: PairedPart | None = None
    revert: RestorationPart | None = None
    control: Control | None = None
    suspicious: Doubt | None = None
    kind: ChangeKind = ChangeKind.COMMIT
    packages: tuple[PackageMove, ...] = ()
    submodules: tuple[SubmoduleMove, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class OtherPart:
    """What the same runs say of a further metric; the verdict is None where nothing was measured."""

    metric: MetricPart
    verdict: VerdictKind | None
    phrase: Phrase
    ends: EndsPart
    culprits: tuple[CulpritPart, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One commit of a line, or a stretch `first` to `last` of commits that were not tested.

    `chance` is the probability of the culprit being among them, None for the commit at index 0; `side` is UNSURE for
    what was not measured.
    """

    first: int
    last: int
    commit: CommitPart
    last_commit: CommitPart
    state: RowState
    chance: float | None
    likely: bool
    role: str = ""
    side: Side = Side.UNSURE
    outcome: Outcome | None = None
    reason: str = ""
    runs: int = 0
    median: float | None = None
    build_seconds: Seconds | None = None
    build_reused: bool = False

    @property
    def size(self) -> int:
        """How many commits the row stands for."""
        return self.last - self.first + 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Point:
    """One compared run. `index` is None for good itself where it lies beside the line."""

    index: int | None
    value: float
    purpose: Purpose
    side: Side
    order: int
    clock: Seconds
    adopted: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class LevelPart:
    """A level, its interval, and the indexes between which it holds."""

    side: Side
    value: float
    low: float
    high: float
    first: int
    last: int


@dataclass(frozen=True, kw_only=True, slots=True)
class LinePart:
    """One line of commits: rows that together cover every index 0..size exactly once, and what was measured there.

    The chances of the rows and `no_change` sum to 1. `culprits` are the indexes an answer names outright, `band` the
    first and the last index of a set that holds the culprit.
    """

    name: LineName
    size: int
    linear: bool
    low: int
    high: int
    rows: tuple[Row, ...]
    points: tuple[Point, ...]
    levels: tuple[LevelPart, ...]
    no_change: float
    culprits: tuple[int, ...]
    band: tuple[int, int] | None
    known: bool
    """Whether the chances rest on measurements; else they are what is assumed beforehand."""
    changed: bool
    """Whether a change is likelier than none: else the sides are only those of the ends."""


@dataclass(frozen=True, kw_only=True, slots=True)
class UntestablePart:
    """A commit that could not be built or run."""

    line: LineName
    index: int
    commit: CommitPart
    outcome: Outcome
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """One line of the evidence: what, how much, and on what grounds."""

    label: str
    value: Phrase
    grounds: Phrase


@dataclass(frozen=True, kw_only=True, slots=True)
class CostPart:
    """What the job has spent. `elapsed_seconds` is None where nobody told."""

    runs: int
    warmups: int
    commits: int
    builds: int
    builds_reused: int
    run_seconds: Seconds
    build_seconds: Seconds
    elapsed_seconds: Seconds | None


@dataclass(frozen=True, kw_only=True, slots=True)
class EnvironmentPart:
    """Where and how it was measured; `details` is what the host told of itself, by name."""

    runner: RunnerName
    host: str | None
    toolchain: str | None
    image: str | None
    details: Mapping[str, str]
    steps: tuple[str, ...]
    command: str
    env: tuple[str, ...]
    """Names of the variables a scenario sets; a value may be a secret."""
    limits: tuple[str, ...]
    bisector: str
    planners: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """A job, told. `verdict` is None while there is none; what is known so far stands beside it all the same."""

    job: str
    state: str
    kind: JobKind
    verdict: VerdictKind | None
    reason: Reason | None
    sentence: Phrase
    repository: str
    good: str
    bad: str
    candidates: int | None
    scenario: str
    description: str
    runner: RunnerName
    metric: MetricPart
    confidence: float
    ends: EndsPart | None
    culprits: tuple[CulpritPart, ...]
    opposite: tuple[CulpritPart, ...]
    """Changes the other way than the answer's, which take a part of it back."""
    others: tuple[OtherPart, ...]
    lines: tuple[LinePart, ...]
    untestable: tuple[UntestablePart, ...]
    evidence: tuple[Evidence, ...]
    notes: tuple[Phrase, ...]
    cost: CostPart
    environment: EnvironmentPart
    log: tuple[LogEntry, ...]
    advice: tuple[Advice, ...]
    reproduce: str
    artifacts: tuple[Artifact, ...] = ()
    sections: tuple[Section, ...] = field(default=())
    explanations: tuple[Explanation, ...] = ()
    """Why, as far as the sides were profiled: one for each pair of commits."""
    trial: RestorationPart | None = None
    """What came of the one thing that the job was to try."""
    patches: tuple[PatchPart, ...] = ()
    """The scenario's fix-ups for commits that do not build as they are."""
    head: RestorationPart | None = None
    """What the tip of the branch gives back, where it was asked about."""
    packages: tuple[PackageMove, ...] | None = None
    """What differs between the packages of the ends' builds; None where that is not known."""
    rebuilt: RebuiltPart | None = None
    parts: PartsPart | None = None
    """Which of the packages or submodules that a culprit moves it was."""
    counted: CountedPart | None = None
    """What counted the metric, where it is a counter."""

    @property
    def main(self) -> LinePart | None:
        """The main line, once the history is listed."""
        return next((line for line in self.lines if line.name is LineName.MAIN), None)
