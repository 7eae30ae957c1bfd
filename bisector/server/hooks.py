"""`POST /v1/hooks/{hook}`: raw bytes, then who sent them, whether they came before, and only then what they say."""

import json
from typing import Any

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from bisector.engine.asking import Ask, Refused
from bisector.engine.bot import Bot
from bisector.engine.queue import Priority
from bisector.errors import QueueFull
from bisector.formats.alerts import AlertProblem, Defaults, Ignored, read_alert
from bisector.formats.alerts.comments import read_comment
from bisector.formats.alerts.signature import delivery, verified
from bisector.formats.service import HookTable
from bisector.server.service import Service


def hook_routes(service: Service) -> APIRouter:
    """The routes of the hooks."""
    routes = APIRouter(tags=["alerts"])

    @routes.post(
        "/v1/hooks/{hook}",
        status_code=202,
        summary="An alert of another system",
        openapi_extra={"requestBody": {"content": {"application/json": {"schema": {}}}, "required": True}},
        responses={
            200: {"description": "understood; the job is on its way already, or there is nothing to do"},
            401: {"description": "not signed by whoever may send alerts here, or no such hook"},
            409: {"description": "the same delivery is being worked on"},
            413: {"description": "the body is too large"},
            422: {"description": "the alert names what is not configured, or not enough"},
            429: {"description": "the queue is full"},
        },
    )
    async def receive(hook: str, request: Request) -> JSONResponse:
        """Answer within a second: what is asked for is queued, not done."""
        body = await request.body()
        headers = {name.lower(): value for name, value in request.headers.items()}
        return await run_in_threadpool(_received, service, hook, headers, body)

    return routes


def _received(service: Service, hook: str, headers: dict[str, str], body: bytes) -> JSONResponse:
    entry = service.hooks.get(hook)
    now = service.clock.now().timestamp()
    # The same answer for a hook that is not there and a signature that is wrong: neither tells what is configured.
    if entry is None or not verified(entry[0].proof, entry[1], headers, body, now):
        return JSONResponse({"error": "not a sender of alerts here"}, 401)
    name = delivery(entry[0].proof, headers, body)
    before = service.deliveries.begin(hook, name)
    if before is not None:
        if not before.outcome:
            return JSONResponse({"error": "the same delivery is being worked on"}, 409, headers={"Retry-After": "5"})
        return _answer({**json.loads(before.outcome), "repeated": True}, 200)
    status, outcome = 500, {"error": "the server failed"}
    try:
        status, outcome = _done(service, entry[0], headers, body)
    finally:
        # What was refused may be allowed tomorrow, and senders repeat themselves.
        if status in (200, 202):
            service.deliveries.finish(hook, name, json.dumps(outcome))
        else:
            service.deliveries.forget(hook, name)
    return _answer(outcome, status)


def _done(service: Service, hook: HookTable, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, Any]]:
    """What came of an alert, or of a comment: status and answer."""
    if hook.source == "github" and headers.get("x-github-event") == "issue_comment" and service.bot is not None:
        return _commented(service.bot, hook, body)
    defaults = Defaults(source=hook.address, repository=hook.repository, scenario=hook.scenario, metric=hook.metric)
    try:
        received = read_alert(hook.source, headers, body, defaults)
    except AlertProblem as problem:
        return 422, {"error": str(problem)}
    if received.ignored:
        return 200, {"jobs": [], "ignored": received.ignored}
    found, refused = [], []
    for trigger in received.triggers:
        ask = Ask(trigger=trigger, priority=Priority.ALERT, host_class=hook.host_class)
        try:
            queued, joined = service.alerted(ask)
        except Refused as error:
            refused.append(str(error))
        except QueueFull as error:
            return 429, {"error": error.what}
        else:
            found.append({"job": queued.job, "new": queued.new, **({"joined": True} if joined else {})})
    if not found:
        return 422, {"error": "; ".join(dict.fromkeys(refused))}
    status = 202 if any(job["new"] for job in found) else 200
    return status, {"jobs": found, **({"refused": refused} if refused else {})}


def _commented(bot: Bot, hook: HookTable, body: bytes) -> tuple[int, dict[str, Any]]:
    """Note what a comment asks for: whether its author may ask, and what, takes longer than GitHub waits."""
    try:
        ignored = bot.note(read_comment(body, bot.name), hook.repository)
    except AlertProblem as problem:
        return 422, {"error": str(problem)}
    except Ignored as reason:
        ignored = str(reason)
    return (200, {"jobs": [], "ignored": ignored}) if ignored else (202, {"jobs": [], "noted": True})


def _answer(outcome: dict[str, Any], status: int) -> JSONResponse:
    jobs = outcome.get("jobs") or []
    headers = {"Location": f"/v1/jobs/{jobs[0]['job']}"} if jobs else {}
    if status == 429:
        headers["Retry-After"] = "60"
    return JSONResponse(outcome, status, headers=headers)
