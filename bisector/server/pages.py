"""The pages, and the streams by which they follow what happens."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse

from bisector.engine.job import JobRow, JobState
from bisector.engine.queue import Entry, EntryState
from bisector.engine.telling import investigation_of
from bisector.errors import ScenarioError
from bisector.report.live import phase_of
from bisector.report.pages import (
    HostLine,
    JobLine,
    Listing,
    ScenarioLine,
    SeriesPart,
    WaitingLine,
    job_page,
    jobs_page,
    live_script,
    message_page,
    queue_page,
    scenarios_page,
)
from bisector.report.plots.nights import history_figure
from bisector.report.series import open_lines, series_lines
from bisector.server.api import JobId, report_of_now
from bisector.server.guard import COOKIE
from bisector.server.service import Service

MOST_LISTED = 100
LOOK_SECONDS = 1.0
"""How often a stream looks whether something changed."""
SILENCE_SECONDS = 15.0
"""After which a stream says that it is there, so that whatever stands between does not end it."""
JOBS_OF_A_SCENARIO = 5


def page_routes(service: Service) -> APIRouter:
    """The routes of the pages."""
    routes = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

    @routes.get("/")
    def jobs(state: str = "", text: str = "") -> HTMLResponse:
        return HTMLResponse(jobs_page(_listing(service, state, text[:100])))

    @routes.get("/jobs/{job}")
    def job(job: JobId) -> HTMLResponse:
        row = service.store.job(job)
        investigation = investigation_of(job, service.store)
        running = row.state in (JobState.QUEUED, JobState.RUNNING)
        elapsed = investigation.plans[-1].elapsed if investigation.plans else None
        phase = phase_of(investigation) if row.state is JobState.RUNNING else "waiting"
        report = report_of_now(service, investigation)
        return HTMLResponse(job_page(report, phase=phase, running=running, elapsed=elapsed))

    @routes.post("/jobs/{job}/cancel")
    def cancel(job: JobId) -> RedirectResponse:
        service.queue.cancel(job)
        return RedirectResponse(f"/jobs/{job}", 303)

    @routes.get("/scenarios")
    def scenarios() -> HTMLResponse:
        return HTMLResponse(scenarios_page(_scenarios(service)))

    @routes.get("/queue")
    def queue() -> HTMLResponse:
        hosts = [
            HostLine(
                name=row.info.name,
                host_classes=", ".join(row.info.host_classes),
                cores=row.info.cores,
                fingerprint=row.info.fingerprint,
                since=row.since.isoformat(),
                jobs=row.jobs,
                measuring=row.measuring,
                late=row.late,
            )
            for row in service.queue.workers()
        ]
        return HTMLResponse(queue_page(hosts, [_waiting(entry) for entry in service.queue.entries()]))

    _add_streams(routes, service)
    _add_login(routes, service)
    return routes


def _add_streams(routes: APIRouter, service: Service) -> None:
    @routes.get("/events")
    async def all_events(request: Request) -> StreamingResponse:
        def state() -> object:
            rows = [(row.job, row.state, row.facts) for row in service.store.jobs(MOST_LISTED)]
            return rows, [(entry.job, entry.state, entry.worker) for entry in service.queue.entries()[:MOST_LISTED]]

        return _stream(request, state)

    @routes.get("/jobs/{job}/events")
    async def job_events(job: JobId, request: Request) -> StreamingResponse:
        def state() -> object:
            row = service.store.job(job)
            return row.state, row.facts

        await run_in_threadpool(state)
        return _stream(request, state)

    @routes.get("/static/live.js")
    def script() -> Response:
        return Response(live_script(), media_type="text/javascript", headers={"Cache-Control": "max-age=3600"})


def _add_login(routes: APIRouter, service: Service) -> None:
    @routes.get("/login")
    def login() -> HTMLResponse:
        return HTMLResponse(message_page("A token is needed", "Whoever runs this server has it.", login=True))

    @routes.post("/login")
    async def let_in(request: Request) -> Response:
        form = parse_qs((await request.body()).decode("utf-8", "replace"), max_num_fields=10)
        answer = RedirectResponse("/", 303)
        # The guard looks at the cookie as it looks at a header: a wrong token leads back here.
        token = form.get("token", [""])[0]
        if token.isascii() and token.isprintable() and len(token) < 500:
            secure = service.report_url.startswith("https:")
            answer.set_cookie(COOKIE, token, httponly=True, samesite="strict", secure=secure)
        return answer


def _stream(request: Request, state: Callable[[], object]) -> StreamingResponse:
    async def events() -> AsyncIterator[str]:
        known = await run_in_threadpool(state)
        silent = 0.0
        yield "retry: 2000\n\n"
        while not await request.is_disconnected():
            await asyncio.sleep(LOOK_SECONDS)
            now = await run_in_threadpool(state)
            silent += LOOK_SECONDS
            if now != known:
                known, silent = now, 0.0
                yield "event: changed\ndata:\n\n"
            elif silent >= SILENCE_SECONDS:
                silent = 0.0
                yield ": still here\n\n"

    return StreamingResponse(events(), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


def _listing(service: Service, state: str, text: str) -> Listing:
    wanted = text.strip().lower()
    if wanted or state:
        rows = [row for row in service.store.jobs() if (not state or row.state == state) and wanted in _searched(row)]
        number = len(rows)
    else:
        rows, number = service.store.jobs(MOST_LISTED), sum(service.store.tally().values())
    listed = rows[:MOST_LISTED]
    return Listing(
        jobs=tuple(_line(row, service.queue.entry(row.job)) for row in listed),
        states=tuple(state.value for state in JobState),
        state=state,
        text=text,
        more=max(number - len(listed), 0),
    )


def _searched(row: JobRow) -> str:
    """What a filter looks for its text in."""
    request = row.request
    parts = (row.job, request.scenario.name, request.repository, request.good, request.bad, row.sentence)
    return " ".join(parts).lower()


def _line(row: JobRow, entry: Entry | None = None) -> JobLine:
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


def _waiting(entry: Entry) -> WaitingLine:
    return WaitingLine(
        job=entry.job,
        state="leased" if entry.state is EntryState.LEASED else "waiting",
        priority=entry.order.priority.name.lower(),
        host_class=entry.order.host_class,
        enqueued=entry.enqueued.isoformat(),
        attempt=entry.attempt,
        failures=entry.failures,
    )


def _series(service: Service) -> dict[str, tuple[SeriesPart, ...]]:
    """The series of the sweeps by their scenarios; none where a sweep names a scenario that cannot be read."""
    found: dict[str, tuple[SeriesPart, ...]] = {}
    with suppress(ScenarioError):
        for number, state in enumerate(service.series()):
            name, metric = state.watched.name, state.watched.metric
            part = SeriesPart(
                name=str(name),
                lines=series_lines(metric, state.history, state.next_tick),
                open=open_lines(state.history),
                plot=history_figure(f"series-{number}", metric, state.history),
            )
            found[name.scenario] = (*found.get(name.scenario, ()), part)
    return found


def _scenarios(service: Service) -> list[ScenarioLine]:
    rows = service.store.jobs()
    lines, series = [], _series(service)
    for name, found in service.scenarios():
        jobs = tuple(_line(row) for row in rows if row.request.scenario_text == name)[:JOBS_OF_A_SCENARIO]
        if isinstance(found, str):
            lines.append(ScenarioLine(name=name, description="", problem=found, jobs=jobs))
        else:
            metrics = tuple(metric.name for metric in found.metrics)
            told = series.get(name, ())
            lines.append(
                ScenarioLine(name=name, description=found.description, metrics=metrics, jobs=jobs, series=told)
            )
    return lines
