"""`/weekly`: what a week brought, as a page and as Markdown."""

from collections.abc import Callable
from datetime import UTC, datetime

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, PlainTextResponse

from bisector.core.model.units import Seconds
from bisector.core.watch.week import DAY, WEEK
from bisector.engine.week import week_before
from bisector.errors import UsageError
from bisector.formats.quantities import parse_moment
from bisector.report.numbers import date
from bisector.report.pages import week_page
from bisector.report.weekly.document import WeekPart, week_part
from bisector.report.weekly.render import render_week_markdown
from bisector.server.service import Service


def week_routes(service: Service) -> APIRouter:
    """The routes of weeks. `until` is the last day of one; without it, it is the week before now."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/weekly")
    def page(until: str = "") -> HTMLResponse:
        now = service.clock.now().timestamp()
        end = _end(until, now)
        week = _week(service, end, lambda job: f"/jobs/{job}")
        after = date(int(end + WEEK) - 1) if end < now else ""
        return HTMLResponse(week_page(week, day=date(int(end) - 1), before=date(int(end - WEEK) - 1), after=after))

    @routes.get("/weekly.md")
    def markdown(until: str = "") -> PlainTextResponse:
        url = service.report_url
        end = _end(until, service.clock.now().timestamp())
        week = _week(service, end, lambda job: f"{url}/jobs/{job}" if url else "")
        return PlainTextResponse(render_week_markdown(week), media_type="text/markdown")

    return routes


def _week(service: Service, end: Seconds, link: Callable[[str], str]) -> WeekPart:
    known = service.series()
    week = week_before(end, known.states, service.records)
    return week_part(week, link, "; ".join(known.problems))


def _end(until: str, now: Seconds) -> Seconds:
    """The end of the day that was named; UsageError for what is no day."""
    if not until:
        return now
    try:
        return datetime.fromisoformat(parse_moment(until[:10])).replace(tzinfo=UTC).timestamp() + DAY
    except (ValueError, OverflowError, OSError):
        raise UsageError(f"there is no such day: {until[:10]!r}", then="Write it like 2026-01-31") from None
