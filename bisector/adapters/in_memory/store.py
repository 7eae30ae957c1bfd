"""A store that forgets everything with its process. Facts go through their text form, as they do for real."""

import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bisector.core.model.builds import Build
from bisector.core.model.calibration import Calibration
from bisector.core.model.facts import Fact
from bisector.core.model.request import Request
from bisector.core.model.samples import Sample
from bisector.engine.job import JobRow, JobState, check_transition
from bisector.engine.ports import Clock
from bisector.errors import NoSuchJob
from bisector.formats.facts import fact_from_text, fact_to_text, kind_of


@dataclass(kw_only=True)
class Memory:
    """What is kept. Several stores may share it, as several connections share a database; each of their writes is made
    while `lock` is held."""

    rows: dict[str, JobRow] = field(default_factory=dict)
    facts: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    builds: dict[str, tuple[Build, float]] = field(default_factory=dict)
    calibrations: dict[tuple[str, str, str], Calibration] = field(default_factory=dict)
    cancelled: set[str] = field(default_factory=set)
    lock: threading.RLock = field(default_factory=threading.RLock)


class InMemoryStore:
    """Implements `bisector.engine.ports.Store`."""

    def __init__(self, clock: Clock, memory: Memory | None = None) -> None:
        """An empty store, or one more way to write to what is kept."""
        self._clock = clock
        self.memory = memory or Memory()
        """To be shared with whoever else writes to it."""

    def create(self, request: Request) -> str:
        """Make a job, queued; its id."""
        memory = self.memory
        with memory.lock:
            job = str(len(memory.rows) + 1)
            memory.rows[job] = JobRow(job=job, state=JobState.QUEUED, request=request, created=self._clock.now())
            memory.facts[job] = []
        return job

    def job(self, job: str) -> JobRow:
        """One job; JobError when there is none."""
        if not job.isdecimal():
            raise NoSuchJob(f"not the number of a job: {job[:40]!r}", then="`bisector jobs list` shows those there are")
        if job not in self.memory.rows:
            raise NoSuchJob(f"there is no job {job}", then="`bisector jobs list` shows those there are")
        return replace(self.memory.rows[job], facts=len(self.memory.facts[job]))

    def jobs(
        self, most: int | None = None, *, state: JobState | None = None, before: str | None = None
    ) -> list[JobRow]:
        """All jobs, or so many of them, newest first: those in `state`, and older than the job `before`."""
        rows = [self.job(job) for job in list(self.memory.rows)[::-1] if before is None or int(job) < int(before)]
        return [row for row in rows if state is None or row.state is state][:most]

    def tally(self) -> Mapping[JobState, int]:
        """How many jobs there are in each state that any is in."""
        return Counter(row.state for row in self.jobs())

    def set_state(self, job: str, state: JobState, sentence: str = "") -> None:
        """Move a job to `state`; InvalidTransition when its present state does not lead there."""
        with self.memory.lock:
            self._guard(job)
            row = self.job(job)
            check_transition(job, row.state, state)
            if row.state in {JobState.PAUSED, JobState.CANCELLED} and state in {JobState.RUNNING, JobState.QUEUED}:
                self.memory.cancelled.discard(job)
            self.memory.rows[job] = replace(row, state=state, sentence=sentence or row.sentence)
            self._moved(job, state)

    def append(self, job: str, fact: Fact) -> None:
        """Add a fact."""
        self.append_together(job, (fact,))

    def append_together(self, job: str, facts: Sequence[Fact]) -> None:
        """Add facts in this order, all of them or none."""
        written = [(kind_of(fact), fact_to_text(fact)) for fact in facts]
        with self.memory.lock:
            self._guard(job)
            self.memory.facts[job].extend(written)

    def _guard(self, job: str) -> None:
        """Called before each write to a job, while nobody else writes."""

    def _guard_builds(self) -> None:
        """Called before each change of what is known of builds, while nobody else writes."""

    def _moved(self, job: str, state: JobState) -> None:
        """Called when a job was moved to `state`, while nobody else writes."""

    def facts(self, job: str) -> list[Fact]:
        """The facts of a job in their order."""
        self.job(job)
        return [fact_from_text(kind, text) for kind, text in self.memory.facts[job]]

    def known_builds(self, keys: Iterable[str]) -> Mapping[str, Build]:
        """What earlier jobs know of builds with these keys, failures included."""
        return {key: self.memory.builds[key][0] for key in keys if key in self.memory.builds}

    def remember_build(self, build: Build) -> None:
        """Keep what came of a build for later jobs, or note that it was used again."""
        with self.memory.lock:
            self._guard_builds()
            self.memory.builds[build.key] = (build, self._clock.now().timestamp())

    def forget_build(self, key: str) -> None:
        """Drop what is known of a build that is no longer at hand."""
        with self.memory.lock:
            self._guard_builds()
            self.memory.builds.pop(key, None)

    def builds(self) -> list[tuple[Build, float]]:
        """Every build known, with when it was last used (seconds since the epoch), the longest unused first."""
        return sorted(self.memory.builds.values(), key=lambda known: known[1])

    def samples_of(self, builds: Iterable[str], identity: str, host: str) -> Mapping[str, list[Sample]]:
        """Samples (by job) that other jobs took of these builds with these run settings on this host."""
        wanted, found = set(builds), dict[str, list[Sample]]()
        for job, row in list(self.memory.rows.items()):
            if row.request.sampling_identity() != identity:
                continue
            for fact in self.facts(job):
                if not isinstance(fact, Sample) or not fact.counts or fact.adopted_from:
                    continue
                if fact.build in wanted and fact.host == host:
                    found.setdefault(job, []).append(fact)
        return found

    def keep_calibration(self, identity: str, host: str, calibration: Calibration) -> None:
        """Keep what is known of a metric's noise with these run settings on this host, in place of what was known."""
        self.memory.calibrations[identity, host, calibration.metric] = calibration

    def calibration(self, identity: str, host: str, metric: str) -> Calibration | None:
        """What is known of a metric's noise with these run settings on this host; None when nothing is."""
        return self.memory.calibrations.get((identity, host, metric))

    def request_cancel(self, job: str) -> None:
        """Ask whoever works on the job to stop."""
        self.job(job)
        self.memory.cancelled.add(job)

    def cancel_requested(self, job: str) -> bool:
        """Whether somebody asked for the job to be stopped."""
        return job in self.memory.cancelled
