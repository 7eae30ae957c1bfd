"""The outside world, one small protocol each. `bisector.adapters` implements them, `bisector.wiring` chooses."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

from bisector.core.explain.sources import SourceChange
from bisector.core.model.builds import Build
from bisector.core.model.calibration import Calibration
from bisector.core.model.counting import CounterTool
from bisector.core.model.facts import EnvironmentSeen, Fact, HistoryListed
from bisector.core.model.history import Commit, Line
from bisector.core.model.investigation import Investigation
from bisector.core.model.profiles import ProfilerName
from bisector.core.model.request import Request, RunnerName
from bisector.core.model.samples import Sample
from bisector.core.model.state import DataSet
from bisector.core.model.units import Bytes, Seconds, Sha
from bisector.engine.background import NOBODY, Background, Neighbours
from bisector.engine.checkouts import Checkouts
from bisector.engine.job import JobRow, JobState
from bisector.engine.locks import Locks as Locks  # noqa: PLC0414  part of the port
from bisector.engine.part_trees import PartTrees
from bisector.engine.running import Archive as Archive  # noqa: PLC0414  part of the port
from bisector.engine.running import BuildOrder as BuildOrder  # noqa: PLC0414  part of the port
from bisector.engine.running import RunOrder as RunOrder  # noqa: PLC0414  part of the port
from bisector.engine.running import RunRecord as RunRecord  # noqa: PLC0414  part of the port
from bisector.engine.stop import StopSignal
from bisector.engine.transplants import Transplants
from bisector.errors import InfraFault

if TYPE_CHECKING:
    from bisector.core.search.planner import Plan


class Repository(Transplants, Checkouts, PartTrees, Protocol):
    """The repository under investigation, read through a bare mirror of our own."""

    @property
    def location(self) -> str:
        """Where it is, for whoever comes later or stands elsewhere: absolute, without credentials."""
        ...

    def resolve(self, ref: str) -> Commit:
        """The commit `ref` names, fetched into the mirror; RefError when it names none."""
        ...

    def contains(self, branch: str, commit: Sha) -> bool:
        """Whether `commit` is in the history of `branch` as it is now; RefError when there is no such branch."""
        ...

    def merge_base(self, one: Sha, other: Sha) -> Sha:
        """The youngest commit that both, which were resolved, have in their histories; RefError where there is none."""
        ...

    def snapshot(self) -> Sha:
        """The tree of the work tree as it is, uncommitted and untracked (not ignored) files included."""
        ...

    def pin(self, job: str, commits: Iterable[Sha]) -> None:
        """Keep `commits` and their history in the mirror until `unpin(job)`."""
        ...

    def unpin(self, job: str) -> None:
        """Let go of what `job` pinned; nothing happens when it pinned nothing."""
        ...

    def list_history(
        self, good: Sha, bad: Sha, *, every_commit: bool, paths: Sequence[str], suspects: Sequence[str] = ()
    ) -> HistoryListed:
        """The candidates between two commits; RefError when there are none.

        `paths` and `suspects` are pathspecs: what the search keeps to, and what it looks at first.
        """
        ...

    def list_branch(self, merge: Sha, *, in_context: bool) -> tuple[Line, int]:
        """The commits that `merge` brought in, and how many of them conflict with its first parent.

        In context index 0 is the first parent and N the merge itself; else index 0 is where the branch left the line
        and N the branch's tip. RefError when the merge brought in nothing that can be searched this way.
        """
        ...

    def archive(self, tree: str) -> AbstractContextManager[BinaryIO]:
        """A tar stream of `tree`, as `Archive` says."""
        ...

    def changes(self, old: str, new: str) -> SourceChange:
        """What differs between two trees that were listed, with what tells which functions it is in."""
        ...

    def content(self, tree: str, path: str, most: Bytes) -> bytes | None:
        """The file at `path` of a tree that was listed; None where there is none of at most so many bytes."""
        ...


class Session(Protocol):
    """A warm container or prepared directory in which runs are made, one after the other."""

    @property
    def container(self) -> str:
        """Id of the container the next run is made in."""
        ...

    @property
    def source(self) -> str:
        """The directory of the checkout, as a run sees it."""
        ...

    @property
    def scenario(self) -> str:
        """The directory of the scenario's own files, as a run sees it."""
        ...

    def prepare(self) -> None:
        """Put in order what the next run finds; `run` does so where nobody has asked for it before."""
        ...

    def run(self) -> RunRecord:
        """One fresh process. What the commit does wrong is an outcome; InfraFault stands for what the machine does."""
        ...


class Runner(Protocol):
    """Builds candidates and runs them: Docker, this machine, or a simulated world."""

    @property
    def name(self) -> RunnerName:
        """Which of them it is."""
        ...

    def resolve_image(self, image: str | None) -> str | None:
        """The id of the base image (None where the runner has none); EnvironmentFault when it cannot be had."""
        ...

    def environment(self, request: Request) -> EnvironmentSeen:
        """The host this runner measures on."""
        ...

    def processors(self) -> int:
        """How many processors runs can be tied to; 0 where they cannot be tied to any."""
        ...

    def unusable_counters(self) -> Mapping[CounterTool, str]:
        """The tools that cannot count instructions here, with why not."""
        ...

    def build(self, order: BuildOrder, stop: StopSignal) -> Build:
        """Build, log to `order.log`. What the commit does wrong is an outcome; InfraFault for what the machine does."""
        ...

    def holds(self, build: Build) -> bool:
        """Whether an earlier build is still at hand."""
        ...

    def open(self, build: Build, order: RunOrder, stop: StopSignal) -> AbstractContextManager[Session]:
        """A place to run `build` in; leaving it removes whatever it left behind."""
        ...

    def run_together(self, sessions: Sequence[Session]) -> tuple[RunRecord | InfraFault, ...]:
        """One fresh process in each of the sessions, all begun at the same moment; what each came to.

        Opened in lanes of their own they have separate processors. Returns when the last has ended.
        """
        ...

    def unusable_profilers(self) -> Mapping[ProfilerName, str]:
        """The profilers that cannot be had with this runner, each with the reason. Of the rest a run will tell."""
        ...

    def size(self, build: Build) -> Bytes:
        """What a build at hand takes on the disk, shared layers of its base apart."""
        ...

    def discard(self, build: Build) -> None:
        """Remove what a build left on the machine; nothing happens when it is gone."""
        ...

    def sweep(self) -> int:
        """Remove containers and the like that a killed process of ours left behind; how many there were."""
        ...


class Store(Protocol):
    """Jobs, their facts, and what is known of builds, kept for good."""

    def create(self, request: Request) -> str:
        """Make a job, queued; its id."""
        ...

    def job(self, job: str) -> JobRow:
        """One job; JobError when there is none."""
        ...

    def jobs(
        self, most: int | None = None, *, state: JobState | None = None, before: str | None = None
    ) -> list[JobRow]:
        """All jobs, or so many of them, newest first: those in `state`, and older than the job `before`."""
        ...

    def tally(self) -> Mapping[JobState, int]:
        """How many jobs there are in each state that any is in."""
        ...

    def set_state(self, job: str, state: JobState, sentence: str = "") -> None:
        """Move a job to `state`; InvalidTransition when its present state does not lead there."""
        ...

    def append(self, job: str, fact: Fact) -> None:
        """Add a fact, durable on return."""
        ...

    def append_together(self, job: str, facts: Sequence[Fact]) -> None:
        """Add facts in this order, all of them or none, durable on return."""
        ...

    def facts(self, job: str) -> list[Fact]:
        """The facts of a job in their order."""
        ...

    def known_builds(self, keys: Iterable[str]) -> Mapping[str, Build]:
        """What earlier jobs know of builds with these keys, failures included."""
        ...

    def remember_build(self, build: Build) -> None:
        """Keep what came of a build for later jobs, or note that it was used again."""
        ...

    def builds(self) -> list[tuple[Build, Seconds]]:
        """Every build known, with when it was last used (seconds since the epoch), the longest unused first."""
        ...

    def forget_build(self, key: str) -> None:
        """Drop what is known of a build that is no longer at hand."""
        ...

    def samples_of(self, builds: Iterable[str], identity: str, host: str) -> Mapping[str, list[Sample]]:
        """Samples (by job) that other jobs took of these builds with these run settings on this host."""
        ...

    def keep_calibration(self, identity: str, host: str, calibration: Calibration) -> None:
        """Keep what is known of a metric's noise with these run settings on this host, in place of what was known."""
        ...

    def calibration(self, identity: str, host: str, metric: str) -> Calibration | None:
        """What is known of a metric's noise with these run settings on this host; None when nothing is."""
        ...

    def request_cancel(self, job: str) -> None:
        """Ask whoever works on the job to stop."""
        ...

    def cancel_requested(self, job: str) -> bool:
        """Whether somebody asked for the job to be stopped."""
        ...


class Artifacts(Protocol):
    """Files that are kept beside the database."""

    def keep_scenario(self, directory: Path) -> str:
        """Keep a copy of a scenario's files; the digest to find it by ("" when it has none but `scenario.toml`)."""
        ...

    def scenario(self, digest: str) -> Path | None:
        """The kept files of a scenario; None for the empty digest."""
        ...

    def data_set(self, data: DataSet) -> Path:
        """The file of a data set, fetched unless it is here; ScenarioError for another content, InfraFault."""
        ...

    def build_log(self, key: str) -> Path:
        """Where the log of the build with this key is kept."""
        ...

    def keep(self, content: bytes) -> str:
        """Keep a file; its SHA-256 to find it by. Keeping it again changes nothing."""
        ...

    def kept(self, sha256: str) -> Path:
        """A file that was kept; EnvironmentFault when it is gone."""
        ...

    def sweep(self) -> int:
        """Remove what killed processes left half made; how much."""
        ...

    def report(self, job: str) -> Path:
        """The directory for a job's reports, made if need be."""
        ...


class Clock(Protocol):
    """Time: monotonic for durations, wall for display only."""

    def monotonic(self) -> Seconds:
        """Seconds since some fixed moment; never goes back."""
        ...

    def now(self) -> datetime:
        """The time of day, aware, UTC."""
        ...

    def sleep(self, seconds: Seconds, stop: StopSignal) -> None:
        """Wait, or raise Cancelled when asked to stop meanwhile."""
        ...


class Observer(Protocol):
    """Somebody who watches a job: the live view, the event stream."""

    def planned(self, investigation: Investigation, plan: "Plan", elapsed: Seconds) -> None:
        """A step was decided on, on what `investigation` knows."""
        ...

    def learned(self, investigation: Investigation, fact: Fact) -> None:
        """A fact was recorded; `investigation` holds it already."""
        ...


@dataclass(frozen=True, kw_only=True)
class Ports:
    """Everything a job needs of the outside world."""

    repository: Repository
    runner: Runner
    store: Store
    artifacts: Artifacts
    locks: Locks
    clock: Clock
    background: Background
    observers: tuple[Observer, ...] = ()
    neighbours: Neighbours = NOBODY
