"""The service's pages: values in, HTML out. They work without a script; with one they follow what happens."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

from bisector.core.model.units import Seconds, digest
from bisector.report.document import Report
from bisector.report.headline import Figure as HeadlineFigure
from bisector.report.headline import badge, key_figures, tone
from bisector.report.html import environment
from bisector.report.phrase import Phrase
from bisector.report.plots import Figure, figures, stylesheet
from bisector.report.weekly.document import CAPTION, LEAD, WeekPart

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
    """A part of the list of jobs, with what it was filtered by."""

    jobs: tuple[JobLine, ...]
    states: tuple[tuple[str, int], ...]
    """Every state there is, with how many jobs are in it."""
    state: str = ""
    text: str = ""
    older: str = ""
    """The job before which the list goes on; "" where it ends here."""
    begun: bool = True
    """Whether it begins with the newest job."""


@dataclass(frozen=True, kw_only=True, slots=True)
class JobStand:
    """What a job's page says of it beside its report."""

    line: JobLine
    now: tuple[str, ...] = ()
    """What it is about while it is under way, in a few lines."""
    elapsed: Seconds | None = None
    priority: str = ""
    host: str = ""
    """Who works on it."""
    links: tuple[tuple[str, str], ...] = ()
    """Pages elsewhere about the culprit: what each is, and its address."""
    follow: str = ""
    also: tuple[Phrase, ...] = ()
    """Of each alert that joined it: what was asked, and whether this answers it."""


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
    scenario: str
    state: str
    priority: str
    host_class: str
    enqueued: str
    asked_by: str
    attempt: int
    failures: int


@dataclass(frozen=True, kw_only=True, slots=True)
class QueueState:
    """Who works, and what waits for them."""

    hosts: tuple[HostLine, ...]
    waiting: tuple[WaitingLine, ...]
    figures: tuple[HeadlineFigure, ...]
    more: int = 0
    """Entries that are not shown."""
    unserved: tuple[str, ...] = ()
    """Kinds of host that a job waits for and no worker belongs to."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangeLine:
    """A change that a sweep detected and searched."""

    job: str
    day: str
    worse: bool
    open: bool
    """Whether nobody acknowledged it."""
    good: str
    bad: str
    answer: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class SeriesPart:
    """A series of a scenario that is swept."""

    name: str
    metric: str
    where: str
    """Repository, branch and kind of host, in words."""
    lines: tuple[str, ...]
    """Its level, last night and next look, in words."""
    changes: tuple[ChangeLine, ...] = ()
    """The newest first."""
    plot: Figure | None = None

    @property
    def open(self) -> int:
        """How many of its changes nobody acknowledged."""
        return sum(change.open for change in self.changes)


@dataclass(frozen=True, kw_only=True, slots=True)
class ScenarioLine:
    """A scenario that can be asked for."""

    name: str
    description: str
    metrics: tuple[str, ...] = ()
    problem: str = ""
    jobs: tuple[JobLine, ...] = field(default=())
    series: tuple[SeriesPart, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageLine:
    """A message about an answer."""

    job: str
    target: str
    state: str
    tone: str
    """A state of a job that looks the same: what is done, under way, or went wrong."""
    noted: str
    """ISO 8601 in UTC, as the next one."""
    due: str
    """When it is tried next; "" where it is not."""
    attempts: int
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class TargetLine:
    """Who is told, with how many messages stand how. `configured`: whether anything is told there now."""

    name: str
    configured: bool
    counts: tuple[tuple[str, int], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageListing:
    """Messages, with what they were chosen by."""

    targets: tuple[TargetLine, ...]
    messages: tuple[MessageLine, ...]
    states: tuple[tuple[str, str, int], ...]
    """What can be chosen by: its name in an address, its words, and how many stand so."""
    state: str = ""
    more: int = 0


def jobs_page(listing: Listing, *, follow: str = "") -> str:
    """The list of jobs."""
    return _render("jobs.html.j2", title="Jobs", here="jobs", listing=listing, follow=follow)


def job_page(report: Report, stand: JobStand) -> str:
    """One job as it narrows."""
    return _render(
        "job.html.j2",
        title=f"{badge(report)}: job {report.job}",
        here="jobs",
        report=report,
        stand=stand,
        follow=stand.follow,
        badge=badge(report),
        tone=tone(report),
        key_figures=key_figures(report),
        figures=figures(report),
        log=report.log[-MOST_STEPS:],
        plot_style=stylesheet(),
    )


def queue_page(state: QueueState, *, follow: str = "") -> str:
    """Hosts, and what waits for them."""
    return _render("queue.html.j2", title="Hosts and queue", here="queue", queue=state, follow=follow)


def scenarios_page(scenarios: Sequence[ScenarioLine], problems: Sequence[str] = ()) -> str:
    """The scenarios that can be asked for, and what is wrong with sweeps."""
    return _render("scenarios.html.j2", title="Scenarios", here="scenarios", scenarios=scenarios, problems=problems)


def scenario_page(scenario: ScenarioLine) -> str:
    """One scenario: its history, the changes in it, its jobs."""
    return _render(
        "scenario.html.j2", title=scenario.name, here="scenarios", scenario=scenario, plot_style=stylesheet()
    )


def week_page(week: WeekPart, *, day: str, before: str, after: str) -> str:
    """The week that ends with `day`; `after` is empty where the next one has not begun."""
    values: dict[str, object] = {"week": week, "until": day, "before": before, "after": after}
    return _render(
        "weekly.html.j2",
        title=week.title,
        here="weekly",
        caption=CAPTION,
        lead=LEAD,
        plot_style=stylesheet(),
        **values,
    )


def messages_page(listing: MessageListing, *, follow: str = "") -> str:
    """Who was told what, and what is still to be told."""
    return _render("messages.html.j2", title="Messages", here="messages", listing=listing, follow=follow)


def message_page(title: str, text: str, *, login: bool = False) -> str:
    """A page that says one thing; with a form for the token where that is what is missing."""
    return _render("message.html.j2", title=title, here="", text=text, login=login)


@cache
def live_script() -> str:
    """The script that lets pages follow what happens."""
    return files("bisector.report.pages").joinpath("live.js").read_text(encoding="utf-8")


@cache
def _script_version() -> str:
    """Part of the script's address: a browser that kept another version of it asks anew."""
    return digest("script", live_script())[:12]


def _render(template: str, **values: object) -> str:
    rest = {"plot_style": "", "follow": "", "script_version": _script_version()}
    return environment().get_template(f"pages/{template}").render(**{**rest, **values})
