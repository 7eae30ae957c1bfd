"""Lets alerts join jobs, and sees to it that each is answered: by the job that it joined, or by one of its own."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from bisector.core.model.request import Budget, JobKind, Request
from bisector.core.model.units import Sha
from bisector.core.model.verdict import VerdictKind
from bisector.engine.job import JobState
from bisector.engine.joins import Joined, JoinFate, Joins
from bisector.engine.ports import Repository, Store
from bisector.engine.queue import Enqueued, Order, Queue
from bisector.engine.stop import StopSignal
from bisector.engine.turns import turns
from bisector.errors import BisectorError, RefError, StoreError
from bisector.report.document import CulpritPart, Report
from bisector.report.messages.also import Also
from bisector.report.phrase import Phrase

FOUND = frozenset({VerdictKind.CULPRIT, VerdictKind.CULPRIT_SET, VerdictKind.SEVERAL})


@dataclass(frozen=True, kw_only=True)
class JoiningPorts:
    """What it works with."""

    joins: Joins
    queue: Queue
    store: Store
    open: Callable[[str], Repository]
    report: Callable[[str, tuple[str, ...]], Report]
    """The report of a job as if those metrics had been asked for: its runs tell of every metric of the scenario."""


class Joining:
    """Joins and settles. Several may run, in as many servers: whatever two do at once comes to the same."""

    def __init__(self, ports: JoiningPorts, tell: Callable[[str], None]) -> None:
        """`tell` says to whoever runs the server what goes wrong."""
        self._ports = ports
        self._tell = tell
        self._told: set[str] = set()

    def enqueue(self, request: Request, order: Order) -> tuple[Enqueued, bool]:
        """The job for an alert, and whether it only joined that: a new one where there is none that it may join."""
        if request.kind is JobKind.BISECT:
            for job, other in self._ports.joins.waiting_like(request, order):
                if not alike(request, other) or not self._overlap(request, other):
                    continue
                if self._ports.joins.join(job, request, order):
                    return Enqueued(job=job, new=False), True
        return self._ports.queue.enqueue(request, order), False

    def joined(self, job: str) -> tuple[Joined, ...]:
        """The alerts that joined a job, as they stand."""
        return self._ports.joins.of(job)

    def told(self, job: str) -> tuple[Also, ...]:
        """The same, as messages and pages tell them."""
        return tuple(map(_told, self.joined(job)))

    def told_in_the_end(self, job: str) -> tuple[Also, ...]:
        """The same for a job that has ended, what can be seen to seen to: whoever is told of it is told once."""
        self._see_to(job)
        return self.told(job)

    def run(self, stop: StopSignal) -> None:
        """Until asked to stop."""
        turns(self.turn, stop, "joined alerts", self._tell)

    def turn(self, stop: StopSignal) -> int:
        """Settle what can be; how many jobs that were."""
        jobs = self._ports.joins.to_settle()
        for job in jobs:
            stop.check()
            self._see_to(job)
        return len(jobs)

    def _see_to(self, job: str) -> None:
        try:
            self._settle(job)
        except StoreError:
            raise
        except BisectorError as error:
            # It holds up no other and no answer; it is tried again at each turn, and complained of once.
            if job not in self._told:
                self._tell(f"joined alerts: those of job {job} cannot be seen to yet: {error}")
            self._told.add(job)

    def _settle(self, job: str) -> None:
        state = self._ports.store.job(job).state
        if state in (JobState.QUEUED, JobState.RUNNING):
            return
        for joined in self._ports.joins.of(job):
            if joined.fate is not JoinFate.WAITING:
                continue
            # What stopped the job was not meant for the alert.
            said = self._answer(joined) if state is JobState.DONE else None
            if said is not None:
                self._ports.joins.settle(joined, JoinFate.ANSWERED, said=said)
                continue
            # Who dies before it is settled, or two servers at once, have one job: it bears the question's key.
            own = self._ports.queue.enqueue(joined.request, joined.order).job
            self._ports.joins.settle(joined, JoinFate.OWN, own=own)

    def _answer(self, joined: Joined) -> str | None:
        """What the job says of an alert besides its own answer, where it says that a change of the alert's metric is at
        commits within the alert's range; None for less."""
        asked = self._ports.store.job(joined.job).request
        metric = joined.request.metric.name
        names = tuple(each.name for each in asked.asked)
        report = self._ports.report(joined.job, names if metric in names else (*names, metric))
        if report.metric.name == metric:
            verdict, culprits, said = report.verdict, report.culprits, ""
        else:
            other = next((each for each in report.others if each.metric.name == metric), None)
            if other is None:
                return None
            verdict, culprits, said = other.verdict, other.culprits, str(other.phrase)
        within = verdict in FOUND and culprits and all(self._within(each, joined.request) for each in culprits)
        return said if within else None

    def _within(self, culprit: CulpritPart, request: Request) -> bool:
        """Whether every commit that may be it is in the alert's range."""
        repository = self._ports.open(request.repository)
        commits = [Sha(sha) for sha in culprit.set]
        return all(
            repository.contains(request.bad, sha) and not repository.contains(request.good, sha) for sha in commits
        )

    def _overlap(self, request: Request, other: Request) -> bool:
        """Whether a commit is in both ranges: each begins before the other ends. Only for the same metric."""
        if (request.good, request.bad) == (other.good, other.bad):
            return True
        if request.metric != other.metric:
            return False
        repository = self._ports.open(request.repository)
        try:
            return all(
                good != bad and repository.contains(bad, good)
                for good, bad in ((request.good, other.bad), (other.good, request.bad))
            )
        except RefError:
            return False


def _told(joined: Joined) -> Also:
    return Also(
        asked_by=joined.order.asked_by,
        metric=joined.request.metric.name,
        good=joined.request.good,
        bad=joined.request.bad,
        answered=joined.fate is JoinFate.ANSWERED,
        said=Phrase(joined.said),
        own=joined.own,
    )


def alike(request: Request, other: Request) -> bool:
    """Whether two requests ask the same but for range, metric, words and budget."""
    return _kept(request) == _kept(other)


def _kept(request: Request) -> Request:
    search = replace(request.search, seed=0)
    return replace(
        request,
        good=Sha(""),
        bad=Sha(""),
        good_text="",
        bad_text="",
        scenario_text="",
        metrics=(),
        budget=Budget(),
        noise=None,
        search=search,
    )
