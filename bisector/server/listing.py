"""Lists of jobs, of hosts and of what waits, as the pages show them."""

from collections.abc import Iterator

from bisector.engine.job import JobRow, JobState
from bisector.engine.queue import Depth, Entry, EntryState, WorkerRow
from bisector.report import numbers
from bisector.report.headline import Figure
from bisector.report.pages import HostLine, JobLine, Listing, QueueState, WaitingLine
from bisector.server.service import Service

MOST_LISTED = 50
AT_ONCE = 500
"""Jobs that are read at a time where a text is looked for."""


def listing_of(service: Service, *, state: str, text: str, before: str) -> Listing:
    """A page of the jobs that are in `state` and hold `text`, those older than the job `before`."""
    wanted = text.strip().lower()
    state_wanted = next((known for known in JobState if known == state), None)
    found: list[JobRow] = []
    for row in _rows(service, state_wanted, before if before.isdecimal() else "", at_once=AT_ONCE if wanted else 0):
        if wanted in _searched(row):
            found.append(row)
            if len(found) > MOST_LISTED:
                break
    listed = found[:MOST_LISTED]
    tally = service.store.tally()
    return Listing(
        jobs=tuple(line_of(row, service.queue.entry(row.job)) for row in listed),
        states=tuple((known.value, tally.get(known, 0)) for known in JobState),
        state=state_wanted or "",
        text=text,
        older=listed[-1].job if len(found) > len(listed) else "",
        begun=not before,
    )


def line_of(row: JobRow, entry: Entry | None = None) -> JobLine:
    """A job as a line of a list."""
    return JobLine(
        job=row.job,
        state=row.state.value,
        scenario=row.request.scenario.name,
        repository=row.request.repository,
        good=row.request.good,
        bad=row.request.bad,
        created=row.created.isoformat(),
        sentence=row.sentence,
        asked_by=entry.order.asked_by if entry is not None else "",
    )


def queue_of(service: Service) -> QueueState:
    """Who works, and what waits."""
    workers, depth, entries = service.queue.workers(), service.queue.depth(), service.queue.entries()
    return QueueState(
        hosts=tuple(_host(row) for row in workers),
        waiting=tuple(_waiting(service, entry) for entry in entries[:MOST_LISTED]),
        figures=_figures(workers, depth),
        more=max(len(entries) - MOST_LISTED, 0),
        unserved=tuple(_unserved(workers, depth)),
    )


def _rows(service: Service, state: JobState | None, before: str, *, at_once: int) -> Iterator[JobRow]:
    """The jobs, newest first, so many read at a time; 0: no more than a page and one."""
    last = before or None
    while True:
        some = service.store.jobs(at_once or MOST_LISTED + 1, state=state, before=last)
        yield from some
        if len(some) < at_once or not at_once:
            return
        last = some[-1].job


def _searched(row: JobRow) -> str:
    """What a filter looks for its text in."""
    request = row.request
    parts = (row.job, request.scenario.name, request.repository, request.good, request.bad, row.sentence)
    return " ".join(parts).lower()


def _host(row: WorkerRow) -> HostLine:
    return HostLine(
        name=row.info.name,
        host_classes=", ".join(row.info.host_classes),
        cores=row.info.cores,
        fingerprint=row.info.fingerprint,
        since=row.since.isoformat(),
        jobs=row.jobs,
        measuring=row.measuring,
        late=row.late,
    )


def _waiting(service: Service, entry: Entry) -> WaitingLine:
    return WaitingLine(
        job=entry.job,
        scenario=service.store.job(entry.job).request.scenario.name,
        state="leased" if entry.state is EntryState.LEASED else "waiting",
        priority=entry.order.priority.name.lower(),
        host_class=entry.order.host_class,
        enqueued=entry.enqueued.isoformat(),
        asked_by=entry.order.asked_by,
        attempt=entry.attempt,
        failures=entry.failures,
    )


def _figures(workers: list[WorkerRow], depth: list[Depth]) -> tuple[Figure, ...]:
    waiting = [(row.priority.name.lower(), row.waiting) for row in depth if row.waiting]
    by_priority = {name: sum(n for other, n in waiting if other == name) for name, _ in waiting}
    there = [row for row in workers if not row.late]
    silent = len(workers) - len(there)
    return (
        Figure(
            label="waiting",
            value=numbers.whole(sum(by_priority.values())),
            below=", ".join(f"{numbers.whole(number)} for {_whom(name)}" for name, number in by_priority.items()),
        ),
        Figure(label="under way", value=numbers.whole(sum(row.leased for row in depth))),
        Figure(
            label="workers",
            value=numbers.whole(len(there)),
            below=f"{sum(row.measuring for row in there)} measuring" + (f", {silent} silent" if silent else ""),
        ),
    )


def _whom(priority: str) -> str:
    return {"person": "people", "alert": "alerts", "sweep": "sweeps"}[priority]


def _unserved(workers: list[WorkerRow], depth: list[Depth]) -> Iterator[str]:
    """Kinds of host that something waits for and no worker that is there belongs to."""
    served = {name for row in workers if not row.late for name in row.info.host_classes}
    yield from sorted({row.host_class for row in depth if row.waiting} - served)
