"""Sweeps: the tips of branches measured night after night, and searched where their level moves.

What a series does next is a function of what is written down of it (`bisector.core.watch`). The sweeper asks for jobs,
and goes on when they have ended; whoever works the queue works them. Nothing is kept in memory: a sweeper can be killed
anywhere, and several do no more than one. A record is added only to a series that is as it was when it was read, and
two that ask for the same job have one, since it bears a key.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from bisector.core.model.request import Request
from bisector.core.model.units import Seconds, Sha
from bisector.core.watch import moves
from bisector.core.watch.detect import Watch
from bisector.core.watch.log import Asked, Record, Unmeasured, Wanted, history_of, last_tick, waits_for
from bisector.core.watch.moves import Accepted, AcceptedBy, Looked, Searched
from bisector.engine.asking import Grounds, Refused
from bisector.engine.job import JobState
from bisector.engine.ports import Clock, Repository, Store
from bisector.engine.queue import Order, Queue
from bisector.engine.scenarios import scenario_at, scenario_named
from bisector.engine.series import SeriesLog, SeriesName
from bisector.engine.sweep_jobs import Watched, change_of, look_job, night_job, night_of, search_job
from bisector.engine.telling import investigation_of
from bisector.errors import BisectorError, ScenarioError, UsageError
from bisector.formats.cron import newest_tick, next_tick, ticks_a_year
from bisector.formats.service import SweepTable
from bisector.report.series import record_line

MOST_MOVES = 8
"""Records that one look at a series may add: more would be a circle."""
UNMOVED = "the branch is where its level was accepted"
REWRITTEN = "the branch was rewritten: the commit that was accepted is no longer on it"
UNFINISHED = frozenset({JobState.QUEUED, JobState.RUNNING})


@dataclass(frozen=True, kw_only=True)
class SweepPorts:
    """What sweeps need of the outside world."""

    log: SeriesLog
    queue: Queue
    store: Store
    grounds: Grounds
    clock: Clock


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What one look at all series left."""

    jobs: tuple[str, ...]
    """Jobs of sweeps that have not ended."""
    problems: tuple[BisectorError, ...] = ()
    """What kept a series from being seen to, until the next look."""


@dataclass(frozen=True, kw_only=True)
class SeriesState:
    """A series as lists show it."""

    watched: Watched
    log: Sequence[Record]
    next_tick: Seconds
    """Since the epoch."""

    @property
    def history(self) -> list[moves.Entry]:
        """What was measured, said and accepted."""
        return history_of(self.log)


@dataclass(frozen=True, kw_only=True)
class Known:
    """What is known of all series."""

    states: tuple[SeriesState, ...] = ()
    problems: tuple[str, ...] = ()
    """Why a sweep's series cannot be told, in words."""


class Sweeper:
    """Sees to sweeps, one look at a time."""

    def __init__(self, ports: SweepPorts, sweeps: Sequence[SweepTable], tell: Callable[[str], None]) -> None:
        """`tell` is given a line for each thing that was done."""
        self._ports = ports
        self._sweeps = sweeps
        self._tell = tell

    def look(self, due_by: Seconds | None = None) -> Seen:
        """See to every series: take in what has ended, ask for what is due now, or was due at a moment before."""
        jobs: dict[str, None] = {}
        problems: list[BisectorError] = []
        for sweep in self._sweeps:
            series, unreadable = self._series(sweep)
            mistakes: list[BisectorError] = [*unreadable]
            try:
                for watched in series:
                    self._see_to(watched, self._now() if due_by is None else due_by)
                    jobs.update(dict.fromkeys(self._unfinished(watched)))
            except BisectorError as error:
                mistakes.append(error)
            for mistake in mistakes:
                self._tell(f"sweep {sweep.name}: {mistake}")
            problems += mistakes
        return Seen(jobs=tuple(jobs), problems=tuple(problems))

    def known(self) -> Known:
        """Every series that is watched, and what keeps others from being."""
        now = self._now()
        states: list[SeriesState] = []
        problems: list[str] = []
        for sweep in self._sweeps:
            series, unreadable = self._series(sweep)
            problems += [f"sweep {sweep.name}: {error}" for error in unreadable]
            for watched in series:
                log = self._ports.log.records(str(watched.name))
                states.append(SeriesState(watched=watched, log=log, next_tick=next_tick(sweep.cron, now)))
        return Known(states=tuple(states), problems=tuple(problems))

    def accept(self, series: str, note: str) -> SeriesName:
        """Take the newest night's level as the one to compare with, and its open changes as known.

        `series` is a series' name, or a part of it that no other has; UsageError where there is none such.
        """
        known = self.known()
        found = [state for state in known.states if series in str(state.watched.name)]
        exact = [state for state in found if series == str(state.watched.name)]
        if len(exact or found) != 1:
            which = ", ".join(str(state.watched.name) for state in found) or "none"
            then = "`bisector sweep list` shows the series there are"
            raise UsageError("; ".join((f"{series!r} names not one series, but: {which}", *known.problems)), then=then)
        state = (exact or found)[0]
        if not any(isinstance(entry, Accepted) for entry in state.history):
            raise UsageError("nothing was measured of it yet", where=str(state.watched.name))
        nights = moves.since_accepted(state.history)
        commit = nights[-1].tip if nights else moves.level(state.history).commit
        accepted = Accepted(commit=commit, time=self._now(), by=AcceptedBy.PERSON, note=note)
        # A measurement under way refers to the level before: what it tells is left out.
        if not self._ports.log.append(str(state.watched.name), len(state.log), accepted):
            raise UsageError("the series went on at this moment", where=series, then="Look at it, and accept again")
        return state.watched.name

    def _see_to(self, watched: Watched, due_by: Seconds) -> None:
        for _ in range(MOST_MOVES):
            log = self._ports.log.records(str(watched.name))
            record = self._next(watched, log, due_by)
            if record is None:
                return
            if self._ports.log.append(str(watched.name), len(log), record):
                self._tell(f"{watched.name}: {record_line(record)}")

    def _next(self, watched: Watched, log: Sequence[Record], due_by: Seconds) -> Record | None:
        """What is to be written down next of a series; None where it waits."""
        waiting = waits_for(log)
        if waiting is not None:
            return self._answer(watched, waiting)
        history = history_of(log)
        if not history:
            return Accepted(commit=self._tip(watched), time=self._now(), by=AcceptedBy.START)
        watch = Watch(
            false_alarms_a_year=watched.sweep.false_alarms_a_year, nights_a_year=ticks_a_year(watched.sweep.cron)
        )
        match moves.next_move(history, watched.metric, moves.level(history).commit, watch):
            case moves.Accept(commit=commit, by=by):
                return Accepted(commit=commit, time=self._now(), by=by)
            case moves.Look() as look:
                return self._closer_look(watched, look, len(log))
            case moves.Search() as search:
                return self._search(watched, search, history[-1].time)
            case _:
                return self._night(watched, log, due_by)

    def _night(self, watched: Watched, log: Sequence[Record], due_by: Seconds) -> Record | None:
        """The night that is due; several that were missed are made up for once."""
        history, seen = history_of(log), last_tick(log)
        tick = newest_tick(watched.sweep.cron, history[0].time if seen is None else seen, due_by)
        if tick is None:
            return None
        measure, tip = moves.due(history), self._tip(watched)
        if tip == measure.reference:
            return Unmeasured(tip=tip, time=tick, why=UNMOVED)
        if not self._repository(watched).contains(watched.name.branch, measure.reference):
            return Accepted(commit=tip, time=self._now(), by=AcceptedBy.START, note=REWRITTEN)
        job = self._enqueue(night_job(watched, measure, tip, tick, self._ports.grounds))
        return Asked(wanted=Wanted.NIGHT, good=measure.reference, bad=tip, time=tick, job=job)

    def _closer_look(self, watched: Watched, look: moves.Look, number: int) -> Record:
        denied = Looked(good=look.good, bad=look.bad, time=self._now(), change=None)
        if look.good == look.bad:
            # The same commit on both sides: whatever moved is not in the repository.
            return denied
        try:
            job = self._enqueue(look_job(watched, look, number, self._ports.grounds))
        except Refused as error:
            self._tell(f"{watched.name}: {error}")
            return denied
        return Asked(wanted=Wanted.LOOK, good=look.good, bad=look.bad, time=self._now(), job=job)

    def _search(self, watched: Watched, search: moves.Search, since: Seconds) -> Record:
        try:
            request, order = search_job(watched, search, self._ports.grounds)
        except Refused as error:
            return Accepted(commit=search.bad, time=self._now(), by=AcceptedBy.STEP, note=error.what)
        # Asked for before, by a sweeper that ended before it could write that down.
        job = self._asked_since(request, since) or self._enqueue((request, order))
        return Searched(good=search.good, bad=search.bad, time=self._now(), job=job, worse=search.worse)

    def _asked_since(self, request: Request, since: Seconds) -> str | None:
        for row in self._ports.store.jobs():
            if row.created.timestamp() < since:
                return None
            if (row.request.kind, row.request.good, row.request.bad) == (request.kind, request.good, request.bad) and (
                row.request.repository,
                row.request.scenario,
                row.request.metrics,
            ) == (request.repository, request.scenario, request.metrics):
                return row.job
        return None

    def _answer(self, watched: Watched, asked: Asked) -> Record | None:
        """What the job that a series waits for told; None while it has not ended."""
        row = self._ports.store.job(asked.job)
        if row.state in UNFINISHED:
            return None
        done = investigation_of(asked.job, self._ports.store)
        if asked.wanted is Wanted.LOOK:
            change = change_of(done) if row.state is JobState.DONE else None
            return Looked(good=asked.good, bad=asked.bad, time=self._now(), change=change)
        night = night_of(asked, done, watched.metric.name) if row.state is JobState.DONE else None
        why = row.sentence or f"its job was {row.state}"
        return night or Unmeasured(tip=asked.bad, time=asked.time, why=why, job=asked.job)

    def _unfinished(self, watched: Watched) -> Iterator[str]:
        log = self._ports.log.records(str(watched.name))
        waiting = waits_for(log)
        searched = [record.job for record in log if isinstance(record, Searched)]
        for job in (*searched, *([waiting.job] if waiting is not None else ())):
            if self._ports.store.job(job).state in UNFINISHED:
                yield job

    def _enqueue(self, wanted: tuple[Request, Order]) -> str:
        return self._ports.queue.enqueue(*wanted).job

    def _series(self, sweep: SweepTable) -> tuple[list[Watched], list[ScenarioError]]:
        """The series of the scenarios that can be read, and what is wrong with the others."""
        series: list[Watched] = []
        unreadable: list[ScenarioError] = []
        for name in sweep.scenarios:
            try:
                series += self._series_of(sweep, name)
            except ScenarioError as error:
                unreadable.append(error)
        return series, unreadable

    def _series_of(self, sweep: SweepTable, scenario_name: str) -> list[Watched]:
        entry = self._ports.grounds.repositories[sweep.repository]
        scenario = scenario_at(scenario_named(scenario_name, self._ports.grounds.scenario_places(entry.location)))
        metrics = sweep.metrics or (scenario.metrics[0].name,)
        unknown = [metric for metric in metrics if all(metric != known.name for known in scenario.metrics)]
        if unknown:
            known = ", ".join(metric.name for metric in scenario.metrics)
            where = f"sweep {sweep.name}"
            raise ScenarioError(f"{scenario_name} has no metric {unknown[0]!r}", where=where, then=f"It has: {known}")
        place = {"repository": sweep.repository, "branch": sweep.branch or entry.branches[0]}
        return [
            Watched(
                name=SeriesName(**place, scenario=scenario_name, metric=metric, host_class=sweep.host_class),
                sweep=sweep,
                repository=entry,
                metric=scenario.metric(metric),
                together=tuple(metrics),
            )
            for metric in metrics
        ]

    def _repository(self, watched: Watched) -> Repository:
        return self._ports.grounds.open(watched.repository.location)

    def _tip(self, watched: Watched) -> Sha:
        return self._repository(watched).resolve(watched.name.branch).sha

    def _now(self) -> Seconds:
        return self._ports.clock.now().timestamp()
