"""What was asked: two ends, a scenario, what counts as a change, and how much may be spent."""

from dataclasses import dataclass, field, replace
from enum import StrEnum

from bisector.core.model.calibration import Calibration
from bisector.core.model.scenario import Direction, Metric, Scenario
from bisector.core.model.trial import Trial
from bisector.core.model.units import Seconds, Sha, digest


class RunnerName(StrEnum):
    """Where candidates are built and run."""

    DOCKER = "docker"
    LOCAL = "local"
    SIMULATED = "simulated"


class JobKind(StrEnum):
    """What a job does with its two commits."""

    BISECT = "bisect"
    COMPARE = "compare"
    VERIFY = "verify"
    """Does taking a commit out of bad, or putting it on top of good, give the change back?"""
    TRY = "try"
    """Does a patch on top of bad restore good's level?"""


class Across(StrEnum):
    """What of the runs' values is compared: their level, a tail or their spread."""

    MEDIAN = "median"
    MEAN = "mean"
    MIN = "min"
    MAX = "max"
    P90 = "p90"
    P95 = "p95"
    P99 = "p99"
    IQR = "iqr"
    STDEV = "stdev"


class Bracket(StrEnum):
    """When a run of an end goes with a round: in every one, or where it is worth its price."""

    AUTO = "auto"
    ALWAYS = "always"


@dataclass(frozen=True, kw_only=True, slots=True)
class Budget:
    """What a job may spend at most; None is without limit. Warm-up runs are not counted in `runs`."""

    runs: int | None = None
    builds: int | None = None
    seconds: Seconds | None = None
    more_runs: int = 0
    """Runs that this job makes itself before it answers, whatever is known already."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Search:
    """How the search goes about it."""

    direction: Direction = Direction.WORSE
    min_effect: float | None = None
    """Smallest relative change worth naming; None takes the metric's own."""
    confidence: float = 0.95
    every_commit: bool = False
    descend: bool = True
    parts: bool = True
    """Whether a culprit that only moves packages or submodules is taken apart."""
    skip: tuple[Sha, ...] = ()
    paths: tuple[str, ...] = ()
    suspects: tuple[str, ...] = ()
    prior: bool = True
    """Whether what a commit changes says beforehand how likely it is to be the culprit."""
    across: Across = Across.MEDIAN
    crash_is_bad: bool = False
    """Whether a run that fails is as bad as bad; else it says nothing but that the commit cannot be tested."""
    seed: int = 0
    bracket: Bracket = Bracket.AUTO


@dataclass(frozen=True, kw_only=True, slots=True)
class Bypass:
    """Who let a check pass whatever it measures, and why."""

    by: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """One job's request, refs already resolved: `good` and `bad` are full names, `*_text` what the person typed."""

    kind: JobKind = JobKind.BISECT
    repository: str
    good: Sha
    bad: Sha
    good_text: str = ""
    bad_text: str = ""
    worktree: Sha | None = None
    """The tree that stands for `bad` where the person compares with uncommitted work."""
    scenario: Scenario
    scenario_text: str = ""
    """How the person named the scenario; empty when a command made it."""
    metrics: tuple[str, ...] = ()
    runner: RunnerName
    image_id: str | None = None
    """The base image, resolved once, so that every build of the job starts from the same one."""
    search: Search = field(default_factory=Search)
    budget: Budget = field(default_factory=Budget)
    profile: bool = False
    """Whether both sides of what is named are profiled before the verdict is concluded."""
    profile_ends: bool = False
    """Whether good and bad are profiled as well."""
    noise: Calibration | None = None
    """What was known of the metric's noise on this host when the job was made: the search begins with it."""
    reuse_samples: bool = True
    """Whether samples that earlier jobs took of equal builds on this host may be used again."""
    retracted: tuple[Sha, ...] = ()
    """Commits of which no earlier sample is believed."""
    duet: bool = False
    """Whether every run has one of the reference beside it, at the same moment on other processors."""
    parallel: int = 1
    """How many runs are made at the same moment, each on processors of its own; not with `duet`."""
    trial: Trial | None = None
    """What a job that tries something tries."""
    verify_revert: bool = False
    """Whether bad without the culprit is measured before the verdict is concluded."""
    head: Sha | None = None
    """The tip of the branch, where it is to be said whether the change is still there."""
    jobs: int | None = None
    """How many things may go on at once, builds beside the step in hand included; None: as the host has room for."""
    bypass: Bypass | None = None
    """Of a check: who let it pass."""

    @property
    def leaves_image_open(self) -> bool:
        """Whether whoever made it could not ask an engine for the base image: the first host seen settles it."""
        return self.runner is RunnerName.DOCKER and self.image_id is None and self.scenario.build.image is not None

    def on_image(self, image_id: str) -> "Request":
        """The request once its base image is known; the same where it was before."""
        return replace(self, image_id=image_id) if self.leaves_image_open and image_id else self

    @property
    def searches(self) -> bool:
        """Whether it looks for a commit; else it measures two commits, and what is tried between them."""
        return self.kind is JobKind.BISECT

    @property
    def width(self) -> int:
        """How many runs go on at the same moment."""
        return 2 if self.duet else self.parallel

    @property
    def metric(self) -> Metric:
        """The metric the answer is about."""
        return self.asked[0]

    @property
    def asked(self) -> tuple[Metric, ...]:
        """Every metric asked for, first the one that decides; without a wish the scenario's first."""
        if not self.metrics:
            return self.scenario.metrics[:1]
        return tuple(self.scenario.metric(name) for name in self.metrics)

    def min_effect_of(self, metric: Metric) -> float:
        """Smallest relative change of `metric` worth naming in this job."""
        return metric.min_effect if self.search.min_effect is None else self.search.min_effect

    def sampling_identity(self) -> str:
        """Samples of one build are comparable between two jobs when this digest is the same."""
        scenario = self.scenario
        metrics = [metric.reading() for metric in scenario.metrics]
        # Several at a time share caches and memory: not comparable with a run alone.
        mode = ("--duet",) if self.duet else ("--parallel", str(self.parallel)) if self.parallel > 1 else ()
        return digest(self.runner, scenario.run.identity(), scenario.files, *metrics, *mode)
