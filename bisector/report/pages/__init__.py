"""The service's pages: values in, HTML out. They work without a script; with one they follow what happens."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

from bisector.core.model.units import Seconds
from bisector.report.document import Report
from bisector.report.headline import badge, key_figures, tone
from bisector.report.html import environment
from bisector.report.plots import Figure, figures, stylesheet

MOST_STEPS = 40
"""Steps that a job's page shows, the last ones; the report has them all."""


@dataclass(frozen=True, kw_only=True, slots=True)
class JobLine:
    """A job in a list."""

    job: str
    state: str
    scenario: str
    repository: str
    good: str
    bad: str
    created: str
    """ISO 8601 in UTC."""
    sentence: str
    asked_by: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Listing:
    """The list of jobs, with what it was filtered by."""

    jobs: tuple[JobLine, ...]
    states: tuple[str, ...]
    state: str = ""
    text: str = ""
    more: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class HostLine:
    """A worker that is there."""

    name: str
    host_classes: str
    cores: int
    fingerprint: str
    since: str
    jobs: tuple[str, ...]
    measuring: bool
    late: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class WaitingLine:
    """A job that waits or is worked on."""

    job: str
    state: str
    priority: str
    host_class: str
    enqueued: str
    attempt: int
    failures: int


@dataclass(frozen=True, kw_only=True, slots=True)
class SeriesPart:
    """A series of a scenario that is swept."""

    name: str
    lines: tuple[str, ...]
    """Its level, last night and next look, in words."""
    open: tuple[tuple[str, str], ...] = ()
    """Changes that nobody acknowledged: the job, and what it searches."""
    plot: Figure | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ScenarioLine:
    """A scenario that can be asked for."""

    name: str
    description: str
    metrics: tuple[str, ...] = ()
    problem: str = ""
    jobs: tuple[JobLine, ...] = field(default=())
    series: tuple[SeriesPart, ...] = ()


def jobs_page(listing: Listing) -> str:
    """The list of jobs."""
    return page("pages/jobs.html.j2", title="Jobs", here="jobs", listing=listing)


def job_page(report: Report, *, phase: str, running: bool, elapsed: Seconds | None) -> str:
    """One job as it narrows."""
    return page(
        "pages/job.html.j2",
        title=f"Job {report.job}",
        here="jobs",
        report=report,
        phase=phase,
        running=running,
        elapsed=elapsed,
        badge=badge(report),
        tone=tone(report),
        key_figures=key_figures(report),
        figures=figures(report),
        log=report.log[-MOST_STEPS:],
        plot_style=stylesheet(),
    )


def queue_page(hosts: Sequence[HostLine], waiting: Sequence[WaitingLine]) -> str:
    """Hosts, and what waits for them."""
    return page("pages/queue.html.j2", title="Hosts and queue", here="queue", hosts=hosts, waiting=waiting)


def scenarios_page(scenarios: Sequence[ScenarioLine]) -> str:
    """The scenarios that can be asked for."""
    return page(
        "pages/scenarios.html.j2", title="Scenarios", here="scenarios", scenarios=scenarios, plot_style=stylesheet()
    )


def message_page(title: str, text: str, *, login: bool = False) -> str:
    """A page that says one thing; with a form for the token where that is what is missing."""
    return page("pages/message.html.j2", title=title, here="", text=text, login=login)


@cache
def live_script() -> str:
    """The script that lets pages follow what happens."""
    return files("bisector.report.pages").joinpath("live.js").read_text(encoding="utf-8")


def page(template: str, **values: object) -> str:
    """A page of the service from its template."""
    return environment().get_template(template).render(**{"plot_style": "", **values})
