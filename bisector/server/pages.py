"""The pages, and the streams by which they follow what happens."""

from collections.abc import Iterator
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse

from bisector.core.model.history import LineName
from bisector.core.model.investigation import Investigation
from bisector.core.search.outlook import outlook
from bisector.engine.job import JobRow, JobState
from bisector.engine.queue import Entry, Order
from bisector.engine.telling import investigation_of
from bisector.report.document import Report
from bisector.report.live import standing_lines
from bisector.report.messages.links import Forge, Links
from bisector.report.pages import (
    JobStand,
    job_page,
    jobs_page,
    live_script,
    message_page,
    queue_page,
    scenario_page,
    scenarios_page,
)
from bisector.server.api import JobId, asked_again, report_of_now
from bisector.server.guard import COOKIE
from bisector.server.listing import MOST_LISTED, line_of, listing_of, queue_of
from bisector.server.scenarios import scenario_line, scenario_lines
from bisector.server.service import Service
from bisector.server.streams import Looks, version_of

LONGEST_TEXT = 100


def page_routes(service: Service) -> APIRouter:
    """The routes of the pages."""
    routes = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

    @routes.get("/")
    def jobs(state: str = "", text: str = "", before: str = "") -> HTMLResponse:
        follow = f"/events?since={version_of(_all(service))}"
        listing = listing_of(service, state=state, text=text[:LONGEST_TEXT], before=before[:18])
        return HTMLResponse(jobs_page(listing, follow=follow))

    @routes.get("/jobs/{job}")
    def job(job: JobId) -> HTMLResponse:
        row = service.store.job(job)
        investigation = investigation_of(job, service.store)
        report = report_of_now(service, investigation)
        return HTMLResponse(job_page(report, _stand(service, row, investigation, report)))

    @routes.get("/scenarios")
    def scenarios() -> HTMLResponse:
        lines, problems = scenario_lines(service)
        return HTMLResponse(scenarios_page(lines, problems))

    @routes.get("/scenarios/{name:path}")
    def scenario(name: str) -> HTMLResponse:
        return HTMLResponse(scenario_page(scenario_line(service, name)))

    @routes.get("/queue")
    def queue() -> HTMLResponse:
        follow = f"/events?since={version_of(_all(service))}"
        return HTMLResponse(queue_page(queue_of(service), follow=follow))

    _add_buttons(routes, service)
    _add_streams(routes, service)
    _add_login(routes, service)
    return routes


def _add_buttons(routes: APIRouter, service: Service) -> None:
    @routes.post("/jobs/{job}/cancel")
    def cancel(job: JobId) -> RedirectResponse:
        service.queue.cancel(job)
        return RedirectResponse(f"/jobs/{job}", 303)

    @routes.post("/jobs/{job}/resume")
    def resume(job: JobId) -> RedirectResponse:
        entry = service.queue.entry(job)
        service.queue.put_back(job, entry.order if entry is not None else Order(asked_by="page"))
        return RedirectResponse(f"/jobs/{job}", 303)

    @routes.post("/jobs/{job}/rerun")
    def rerun(job: JobId) -> RedirectResponse:
        return RedirectResponse(f"/jobs/{asked_again(service, job)}", 303)


def _add_streams(routes: APIRouter, service: Service) -> None:
    looks = Looks(service.clock)

    @routes.get("/events")
    async def all_events(request: Request) -> StreamingResponse:
        return looks.stream(request, "all", lambda: _all(service))

    @routes.get("/jobs/{job}/events")
    async def job_events(job: JobId, request: Request) -> StreamingResponse:
        def read() -> object:
            return _one(service.store.job(job), service.queue.entry(job))

        await run_in_threadpool(read)
        return looks.stream(request, job, read)

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


def _all(service: Service) -> object:
    """What the lists show, as far as it changes."""
    rows = [(row.job, row.state, row.sentence) for row in service.store.jobs(MOST_LISTED)]
    workers = [(row.worker, row.jobs, row.measuring, row.late) for row in service.queue.workers()]
    return rows, sorted(service.store.tally().items()), service.queue.depth(), workers


def _one(row: JobRow, entry: Entry | None) -> object:
    """What a job's page shows, as far as it changes."""
    return row.state, row.facts, entry.worker if entry is not None else ""


def _stand(service: Service, row: JobRow, investigation: Investigation, report: Report) -> JobStand:
    entry = service.queue.entry(row.job)
    live = row.state in (JobState.QUEUED, JobState.RUNNING)
    worker = entry.worker if entry is not None else ""
    hosts = [each.info.name for each in service.queue.workers() if each.worker == worker] if worker else []
    # The row was read before the facts: what came in between is told by the stream at once.
    version = version_of(_one(row, entry))
    return JobStand(
        line=line_of(row, entry),
        now=tuple(_now(investigation, row.state, waits=not worker)) if live else (),
        elapsed=investigation.plans[-1].elapsed if live and investigation.plans else None,
        priority=entry.order.priority.name.lower() if entry is not None else "",
        host=hosts[0] if hosts else "",
        links=tuple(_links(service, row, report)),
        follow=f"/jobs/{row.job}/events?since={version}" if live else "",
        also=tuple(each.phrase for each in service.joining.told(row.job)),
    )


def _now(investigation: Investigation, state: JobState, *, waits: bool) -> Iterator[str]:
    if state is JobState.QUEUED and waits:
        yield "Waits for a worker; the queue's page shows what is before it."
    elif investigation.plans:
        name = LineName.INNER if investigation.branch is not None else LineName.MAIN
        yield from standing_lines(investigation, outlook(investigation, name=name))
    else:
        yield "The commits are being listed."


def _links(service: Service, row: JobRow, report: Report) -> Iterator[tuple[str, str]]:
    """Where the forge shows the culprit, for a repository that is configured with one."""
    known = service.grounds.repositories.values()
    table = next((each for each in known if each.location == row.request.repository), None)
    if table is None or not table.forge or len(report.culprits) != 1 or len(report.culprits[0].set) != 1:
        return
    links, culprit = Links(forge=Forge.of(table.forge, table.web)), report.culprits[0]
    yield "The commit", links.commit(culprit.commit.sha)
    yield "Its difference", links.diff(culprit.parent.sha, culprit.commit.sha)
    request = links.pull_request(culprit.commit.subject)
    if request:
        yield "Its pull request", request
