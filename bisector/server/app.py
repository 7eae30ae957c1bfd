"""The application: routes behind the guard, and every error of ours as one answer."""

import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from starlette.exceptions import HTTPException

from bisector import __version__
from bisector.engine.stop import StopSignal
from bisector.errors import BisectorError, EnvironmentFault, JobError, NoSuchJob, QueueFull, UsageError
from bisector.report.pages import message_page
from bisector.server.api import job_routes
from bisector.server.guard import Guard
from bisector.server.hooks import hook_routes
from bisector.server.messages import message_routes
from bisector.server.metrics import metric_routes
from bisector.server.pages import page_routes
from bisector.server.service import Service
from bisector.server.weekly import week_routes

LONGEST_END = 20.0
"""Seconds for the message in hand when the server ends; what is cut off is taken up by the next one."""


def create_app(service: Service) -> FastAPI:
    """The server's application."""
    app = FastAPI(
        title="bisector",
        version=__version__,
        summary="Which commit made it slower, how sure that is, and why.",
        docs_url=None,
        redoc_url=None,
        openapi_url="/v1/openapi.json",
        lifespan=_lifespan(service),
    )
    for routes in (job_routes, hook_routes, metric_routes, page_routes, week_routes, message_routes):
        app.include_router(routes(service))
    app.add_exception_handler(BisectorError, _ours)
    app.add_exception_handler(RequestValidationError, _not_valid)
    app.add_exception_handler(HTTPException, _http)
    app.add_middleware(Guard, tokens=service.tokens, body_bytes=service.settings.body_bytes)
    return app


def _lifespan(service: Service) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """While the server runs, so does what tells of answers, answers commands, marks load, sees to joined alerts."""
    beside = {
        "messages": service.sender,
        "commands": service.bot,
        "marks": service.marking,
        "joined alerts": service.joining,
    }

    @asynccontextmanager
    async def running(_app: FastAPI) -> AsyncIterator[None]:
        stop = StopSignal()
        threads = [
            threading.Thread(target=each.run, args=(stop,), name=name, daemon=True)
            for name, each in beside.items()
            if each is not None
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set("the server ends")
            for thread in threads:
                await run_in_threadpool(thread.join, LONGEST_END)

    return running


def status_of(error: BisectorError) -> int:
    """The status that says whose fault an error is."""
    match error:
        case QueueFull():
            return 429
        case NoSuchJob():
            return 404
        case JobError():
            return 409
        case UsageError():
            return 422
        case EnvironmentFault():
            return 503
        case _:
            return 500


def _ours(request: Request, error: Exception) -> Response:
    status = status_of(error) if isinstance(error, BisectorError) else 500
    headers = {429: {"Retry-After": "60"}, 503: {"Retry-After": "10"}}.get(status)
    return _told(request, status, str(error), headers)


def _not_valid(request: Request, error: Exception) -> Response:
    """What of a request is not as it should be, the first of it; nothing of what was sent is repeated."""
    if not isinstance(error, RequestValidationError):
        return _told(request, 422, "the request cannot be read")
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    return _told(request, 404 if first["loc"][:1] == ("path",) else 422, f"{place}: {first['msg']}")


def _http(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    known = {404: "there is nothing here", 405: "that cannot be done here"}
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else None
    return _told(request, status, known.get(status, "the request failed"), headers)


def _told(request: Request, status: int, what: str, headers: dict[str, str] | None = None) -> Response:
    if "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/v1/"):
        return HTMLResponse(message_page(f"{status}", what), status, headers=headers)
    return JSONResponse({"error": what}, status, headers=headers)
