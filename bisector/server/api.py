"""`/v1/jobs`: orders in, jobs and what came of them out."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse
from pydantic import BaseModel, ConfigDict, Field

from bisector.core.model.again import Changes, again
from bisector.core.model.investigation import Investigation
from bisector.core.model.request import JobKind
from bisector.core.model.trigger import Trigger
from bisector.engine.asking import Ask
from bisector.engine.job import JobRow, JobState
from bisector.engine.joins import Joined, JoinFate
from bisector.engine.queue import DEFAULT_CLASS, Entry, Order, Priority
from bisector.engine.telling import investigation_of, kept_file, told
from bisector.formats.service import Name
from bisector.report.document import Report
from bisector.report.html import render_html
from bisector.report.json_export import result_of
from bisector.report.markdown import render_markdown
from bisector.server.service import Service

Responses = dict[int | str, dict[str, Any]]
JobId = Annotated[str, Path(pattern=r"^[0-9]{1,18}$", description="number of the job")]
MOST_JOBS = 200


class Shape(BaseModel):
    """A body of a request; what is not named is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class OrderShape(Shape):
    """A question: in which commit between good and bad did the scenario's metric change?"""

    kind: Literal["bisect", "compare"] = "bisect"
    repository: Name = Field(description="name of a configured repository")
    scenario: Name = Field(description="name of a scenario")
    metric: str | None = Field(None, min_length=1, max_length=200, description="the scenario's first by default")
    good: str = Field(pattern=r"^[0-9a-f]{7,64}$", description="a commit, at least 7 digits of it")
    bad: str | None = Field(None, pattern=r"^[0-9a-f]{7,64}$", description="a commit; the branch's tip by default")
    priority: Literal["person", "alert", "sweep"] = "person"
    host_class: Name = DEFAULT_CLASS
    link: str = Field("", max_length=2000, description="shown beside the answer")


class JoinedShape(BaseModel):
    """An alert that joined a job."""

    asked_by: str
    metric: str
    good: str
    bad: str
    fate: JoinFate
    job: str | None = Field(description="the job of its own, where the one it joined did not answer it")


class JobShape(BaseModel):
    """A job as lists show it."""

    id: str
    state: str
    kind: str
    repository: str
    scenario: str
    good: str
    bad: str
    created: str
    sentence: str | None
    priority: str | None = None
    attempts: int = 0
    joined: list[JoinedShape] = Field([], description="alerts that asked about the same change while it waited")
    links: dict[str, str]


def job_routes(service: Service) -> APIRouter:
    """The routes of jobs."""
    routes = APIRouter(prefix="/v1/jobs", tags=["jobs"])
    missing: Responses = {404: {"description": "no such job"}}

    @routes.post(
        "",
        status_code=202,
        summary="Ask for a job",
        responses={
            200: {"description": "the same question is being answered already", "model": JobShape},
            422: {"description": "it names what is not configured"},
            429: {"description": "the queue is full"},
        },
    )
    def ask(order: OrderShape, response: Response) -> JobShape:
        queued = service.enqueue(ask_of(order))
        response.headers["Location"] = f"/v1/jobs/{queued.job}"
        response.status_code = 202 if queued.new else 200
        return _shape(service, service.store.job(queued.job))

    @routes.get("", summary="Jobs, the newest first")
    def jobs(
        state: Annotated[JobState | None, Query()] = None,
        limit: Annotated[int, Query(ge=1, le=MOST_JOBS)] = 50,
    ) -> list[JobShape]:
        return [_shape(service, row) for row in service.store.jobs(limit, state=state)]

    @routes.get("/{job}", summary="A job", responses=missing)
    def job(job: JobId) -> JobShape:
        return _shape(service, service.store.job(job))

    @routes.post(
        "/{job}/cancel",
        summary="Stop a job; what it measured is kept",
        responses={**missing, 409: {"description": "the job is done"}},
    )
    def cancel(job: JobId) -> JobShape:
        service.queue.cancel(job)
        return _shape(service, service.store.job(job))

    @routes.post(
        "/{job}/rerun",
        status_code=202,
        summary="Ask the same again, with fresh samples",
        responses=missing,
    )
    def rerun(job: JobId, response: Response) -> JobShape:
        made = asked_again(service, job)
        response.headers["Location"] = f"/v1/jobs/{made}"
        return _shape(service, service.store.job(made))

    _add_documents(routes, service, missing)
    return routes


def _add_documents(routes: APIRouter, service: Service, missing: Responses) -> None:
    @routes.get(
        "/{job}/result", summary="The answer so far, as `bisector report --schema` describes it", responses=missing
    )
    def result(job: JobId) -> JSONResponse:
        return JSONResponse(result_of(report_now(service, job)))

    @routes.get("/{job}/report", response_class=HTMLResponse, summary="The report as one page", responses=missing)
    def report(job: JobId) -> HTMLResponse:
        return report_response(report_now(service, job))

    @routes.get(
        "/{job}/report.md",
        response_class=Response,
        summary="The report as Markdown",
        responses={**missing, 200: {"content": {"text/markdown": {"schema": {"type": "string"}}}}},
    )
    def markdown(job: JobId) -> PlainTextResponse:
        return PlainTextResponse(render_markdown(report_now(service, job)), media_type="text/markdown")


def ask_of(order: OrderShape) -> Ask:
    """What an order asks for."""
    trigger = Trigger(
        source="api",
        repository=order.repository,
        scenario=order.scenario,
        metric=order.metric,
        good=order.good,
        bad=order.bad,
        link=order.link,
    )
    priority = Priority[order.priority.upper()]
    return Ask(trigger=trigger, priority=priority, host_class=order.host_class, kind=JobKind(order.kind))


def asked_again(service: Service, job: str) -> str:
    """Queue the question of a job once more, to be answered from fresh samples; the new job."""
    request = again(service.store.job(job).request, Changes())
    return service.queue.enqueue(request, Order(asked_by=f"rerun of {job}")).job


def report_now(service: Service, job: str) -> Report:
    """The report of a job as it stands."""
    return report_of_now(service, investigation_of(job, service.store))


def report_of_now(service: Service, investigation: Investigation) -> Report:
    """The same where its facts are read already."""
    job = investigation.job
    entry = service.queue.entry(job)
    page = service.artifacts.report(job) / "report.html"
    working = entry is not None and bool(entry.worker)
    return told(investigation, service.store.job(job), kept_file(service.artifacts), page, working=working)


def report_response(report: Report) -> HTMLResponse:
    """The report's own page, which brings its own policy: it has scripts of ours inside, and nothing else."""
    return HTMLResponse(render_html(report), headers={"Content-Security-Policy": "frame-ancestors 'none'"})


def _shape(service: Service, row: JobRow) -> JobShape:
    entry: Entry | None = service.queue.entry(row.job)
    request = row.request
    here = f"/v1/jobs/{row.job}"
    return JobShape(
        id=row.job,
        state=row.state.value,
        kind=request.kind.value,
        repository=request.repository,
        scenario=request.scenario.name,
        good=request.good,
        bad=request.bad,
        created=row.created.isoformat(),
        sentence=row.sentence or None,
        priority=entry.order.priority.name.lower() if entry is not None else None,
        attempts=entry.attempt if entry is not None else 0,
        joined=[_joined(each) for each in service.joining.joined(row.job)],
        links={"self": here, "result": f"{here}/result", "report": f"{here}/report", "page": f"/jobs/{row.job}"},
    )


def _joined(alert: Joined) -> JoinedShape:
    request = alert.request
    return JoinedShape(
        asked_by=alert.order.asked_by,
        metric=request.metric.name,
        good=request.good,
        bad=request.bad,
        fate=alert.fate,
        job=alert.own or None,
    )
