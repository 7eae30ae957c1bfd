"""`/health`, `/ready` and Prometheus' `/metrics`: computed from what is stored, the same after a restart."""

from collections import Counter
from collections.abc import Iterator

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from bisector.core.model.samples import Outcome
from bisector.engine.records import Figures
from bisector.errors import BisectorError
from bisector.server.service import Service


class _Collector:
    """Reads the figures when Prometheus asks for them."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def collect(self) -> Iterator[Metric]:
        """The metrics, each with all of its series."""
        yield from self._standing()
        messages = GaugeMetricFamily("bisector_messages", "Messages about answers.", labels=["target", "state"])
        for count in self._service.outbox.counts():
            messages.add_metric([count.target, count.fate.name.lower()], count.messages)
        yield messages
        figures = self._service.tally.figures()
        # After a start they are left out until everything was read once: a part would look like a fall and a rise.
        if figures is not None:
            yield from _made(figures)

    def _standing(self) -> Iterator[Metric]:
        depth = GaugeMetricFamily(
            "bisector_queue_jobs", "Jobs in the queue.", labels=["priority", "host_class", "state"]
        )
        for row in self._service.queue.depth():
            for state, number in (("waiting", row.waiting), ("leased", row.leased)):
                depth.add_metric([row.priority.name.lower(), row.host_class, state], number)
        yield depth
        jobs = GaugeMetricFamily("bisector_jobs", "Jobs by state.", labels=["state"])
        for job_state, number in sorted(self._service.store.tally().items()):
            jobs.add_metric([job_state.value], number)
        yield jobs
        workers = GaugeMetricFamily("bisector_workers", "Workers that are there.", labels=["state"])
        found = Counter("late" if row.late else "there" for row in self._service.queue.workers())
        for state in ("there", "late"):
            workers.add_metric([state], found[state])
        yield workers


def _made(figures: Figures) -> Iterator[Metric]:
    """What all jobs together have made. Outcomes that never were stand at 0, so that their first one is a rise."""
    runs = CounterMetricFamily("bisector_runs", "Runs made, warm-ups included.", labels=["outcome"])
    builds = CounterMetricFamily("bisector_builds", "Builds made.", labels=["outcome"])
    for outcome in Outcome:
        runs.add_metric([outcome.value], figures.runs.get(outcome, 0))
        builds.add_metric([outcome.value], figures.builds.get(outcome, 0))
    yield from (runs, builds)
    for name, about, value in (
        ("bisector_run_seconds", "Wall time of runs.", figures.run_seconds),
        ("bisector_build_seconds", "Wall time of builds.", figures.build_seconds),
        ("bisector_builds_reused", "Builds that were at hand.", figures.builds_reused),
        ("bisector_leases_lost", "Jobs taken from workers that were silent for too long.", figures.leases_lost),
    ):
        yield CounterMetricFamily(name, about, value=value)


def metric_routes(service: Service) -> APIRouter:
    """The routes for whoever watches the server."""
    routes = APIRouter(tags=["operation"])
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(service))

    @routes.get("/health", summary="The process answers")
    def health() -> dict[str, str]:
        return {"status": "ok"}

    @routes.get("/ready", summary="The database answers", responses={503: {"description": "it does not"}})
    def ready() -> JSONResponse:
        try:
            service.queue.depth()
        except BisectorError as error:
            return JSONResponse({"status": "not ready", "error": error.what}, 503, headers={"Retry-After": "10"})
        return JSONResponse({"status": "ready"})

    @routes.get("/metrics", summary="Figures for Prometheus", response_class=Response)
    def metrics() -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return routes
