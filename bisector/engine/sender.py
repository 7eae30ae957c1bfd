"""Tells of answers: notes those that are there, and sends what is due."""

import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bisector.core.model.request import JobKind
from bisector.core.model.scenario import Better
from bisector.core.model.units import Seconds
from bisector.engine.notify import (
    Claimed,
    Fate,
    Note,
    Notifier,
    NotSent,
    Outbox,
    Telling,
    subject_of,
    told_by,
)
from bisector.engine.stop import StopSignal
from bisector.engine.turns import turns, waiting_time
from bisector.errors import BisectorError, StoreError
from bisector.formats.service import RepositoryTable
from bisector.formats.targets import NotifyTable
from bisector.report.document import Report
from bisector.report.messages.also import Also
from bisector.report.messages.links import Forge, Links
from bisector.report.messages.news import news_of

GIVE_UP: Seconds = 24 * 3600.0


@dataclass(frozen=True, kw_only=True)
class Target:
    """Who is told, and how."""

    table: NotifyTable
    notifier: Notifier


def _nobody(_job: str) -> Sequence[Also]:
    return ()


@dataclass(frozen=True, kw_only=True)
class Sources:
    """Where the answers come from."""

    report: Callable[[str], Report]
    """The report of a job as it stands."""
    page: Callable[[str], str]
    """The address of a job's page; "" where nobody can reach it."""
    repository: Callable[[str], RepositoryTable | None]
    """The configured repository at a location."""
    also: Callable[[str], Sequence[Also]] = _nobody
    """The alerts that joined a job, each with what became of it."""


class Sender:
    """Notes and sends. Several may run, in as many servers: the outbox lets one of them have each message."""

    def __init__(
        self, outbox: Outbox, targets: Mapping[str, Target], sources: Sources, tell: Callable[[str], None]
    ) -> None:
        """`targets` by name; `tell` says what goes wrong to whoever runs the server."""
        self._outbox = outbox
        self._targets = targets
        self._sources = sources
        self._tell = tell
        self._unreadable: set[str] = set()
        self._repeatable = [name for name, target in targets.items() if target.notifier.repeatable]

    def run(self, stop: StopSignal) -> None:
        """Until asked to stop. What is in hand is finished first."""
        turns(self.turn, stop, "messages", self._tell)

    def turn(self, stop: StopSignal) -> int:
        """Note what is new and send what is due; how many messages were tried."""
        self._outbox.open_for(self._targets)
        self._note(stop)
        tried = 0
        while (claimed := self._outbox.claim(self._targets, self._repeatable)) is not None:
            self._send(claimed)
            tried += 1
            stop.check()
        return tried

    def _note(self, stop: StopSignal) -> None:
        wanting: dict[str, list[str]] = {}
        for job, target in self._outbox.unnoted(self._targets):
            wanting.setdefault(job, []).append(target)
        for job, names in wanting.items():
            stop.check()
            try:
                self._outbox.note(self._notes(job, names))
            except StoreError:
                raise
            except Exception as error:  # noqa: BLE001  one answer that cannot be read must not hold up the others
                # It is tried again at each turn, and complained of once.
                if job not in self._unreadable:
                    self._tell(f"messages: the answer of job {job} cannot be told: {error}")
                self._unreadable.add(job)

    def _notes(self, job: str, names: Sequence[str]) -> list[Note]:
        report = self._sources.report(job)
        repository = self._sources.repository(report.repository)
        return [
            Note(
                job=job,
                target=name,
                subject=subject_of(report),
                told=told_by(report),
                wanted=_wanted(self._targets[name].table, report, repository),
            )
            for name in names
        ]

    def _send(self, claimed: Claimed) -> None:
        notifier = self._targets[claimed.target].notifier
        try:
            telling = self._telling(claimed)
        except BisectorError as error:
            self._failed(claimed, NotSent(f"the answer cannot be read: {error.what}"))
            return
        if not self._outbox.begin(claimed):
            return
        try:
            notifier.send(telling)
        except NotSent as problem:
            self._failed(claimed, problem)
        except Exception as error:  # noqa: BLE001  a defect in one message must not hold up the others
            self._tell(f"messages: a defect of bisector: {''.join(traceback.format_exception(error))}")
            self._failed(claimed, NotSent(f"a defect of bisector: {type(error).__name__}", unsure=True))
        else:
            self._outbox.settle(claimed, Fate.SENT)

    def _failed(self, claimed: Claimed, problem: NotSent) -> None:
        which = f"message to {claimed.target} about job {claimed.job}"
        if problem.unsure and claimed.target not in self._repeatable:
            self._tell(f"{which}: {problem.reason}; it may have arrived, and is not sent again")
            self._outbox.settle(claimed, Fate.UNSURE, problem.reason)
            return
        after = max(waiting_time(claimed.attempt, claimed.delivery), problem.after)
        if claimed.age + after > GIVE_UP:
            self._tell(f"{which}: {problem.reason}; given up")
            self._outbox.settle(claimed, Fate.GIVEN_UP, problem.reason)
            return
        self._tell(f"{which}: {problem.reason}; tried again in {after:.0f} s")
        self._outbox.settle(claimed, Fate.WAITING, problem.reason, after=after)

    def _telling(self, claimed: Claimed) -> Telling:
        report = self._sources.report(claimed.job)
        repository = self._sources.repository(report.repository)
        forge, web = (repository.forge, repository.web) if repository is not None else ("", "")
        links = Links(report=self._sources.page(claimed.job), forge=Forge.of(forge, web) if forge else Forge())
        return Telling(
            report=report,
            news=news_of(report, links, self._sources.also(claimed.job)),
            subject=claimed.subject,
            delivery=claimed.delivery,
            forge=forge,
            web=web,
        )


def _wanted(table: NotifyTable, report: Report, repository: RepositoryTable | None) -> bool:
    if table.repositories and (repository is None or repository.name not in table.repositories):
        return False
    # What a night or a closer look measured is no answer yet: the search that follows from it is.
    if report.kind is JobKind.COMPARE or (_improved(report) and not table.improvements):
        return False
    return report.verdict in table.verdicts


def _improved(report: Report) -> bool:
    """Whether what was found is a change for the better, which is nobody's alarm."""
    change = report.ends.change if report.ends is not None else None
    return change is not None and (change.relative < 0) == (report.metric.better is Better.LOWER)
