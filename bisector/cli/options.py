"""Options that several commands share."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeVar

import click

from bisector.core.model.request import Across, Bracket
from bisector.core.model.scenario import Direction
from bisector.core.model.units import Seconds
from bisector.formats.quantities import parse_duration, parse_moment, parse_share

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


class Share(click.ParamType[float]):
    """ "3%" or "0.03"."""

    name = "SHARE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The share as a number."""
        del param, ctx
        return value if isinstance(value, float) else parse_share(str(value))


class Moment(click.ParamType[str]):
    """ "2026-01-31", "2026-01-31T12:00Z"."""

    name = "DATE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The moment in UTC."""
        del param, ctx
        return parse_moment(str(value))


class Duration(click.ParamType[float]):
    """ "90s", "30m", "1h30m"."""

    name = "DURATION"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Seconds:
        """The duration in seconds."""
        del param, ctx
        return value if isinstance(value, float) else parse_duration(str(value))


@dataclass(frozen=True, kw_only=True)
class MeasureOptions:
    """How to build, run and read: what a bisect and a comparison have in common."""

    repo: str | None = None
    scenario: str | None = None
    runner: str = "auto"
    image: str | None = None
    build: tuple[str, ...] = ()
    results: str | None = None
    metric: tuple[str, ...] = ()
    min_effect: float | None = None
    confidence: float = 0.95
    max_runs: int | None = None
    max_builds: int | None = None
    max_time: Seconds | None = None
    reuse: bool = True
    seed: int = 0
    profile: bool | None = None
    profile_ends: bool = False
    simulate: str | None = None
    command: tuple[str, ...] = ()
    duet: bool = False
    parallel: int = 1
    jobs: int | None = None
    as_of: str | None = None


@dataclass(frozen=True, kw_only=True)
class OutputOptions:
    """Where the answer goes."""

    json: str | None
    events: str | None
    report: str | None
    detach: bool = False
    host_class: str = "default"

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> "OutputOptions":
        """Those of a command's options that say where the answer goes."""
        return cls(**{field.name: options[field.name] for field in fields(cls) if field.name in options})


@dataclass(frozen=True, kw_only=True)
class SearchOptions:
    """How a bisect searches."""

    direction: str = Direction.WORSE
    skip: tuple[str, ...] = ()
    path: tuple[str, ...] = ()
    suspect: tuple[str, ...] = ()
    prior: bool = True
    across_runs: str = Across.MEDIAN
    crash_is_bad: bool = False
    every_commit: bool = False
    descend: bool = True
    packages: bool = True
    dry_run: bool = False
    bracket: str = Bracket.AUTO
    verify_revert: bool = False
    head: str | None = None


_MEASURE = (
    click.option("--repo", metavar="PATH", help="Repository: a path or an https/ssh URL.  [default: where you stand]"),
    click.option("--scenario", metavar="NAME|PATH", help="Scenario by name, directory or file."),
    click.option(
        "--runner",
        type=click.Choice(["auto", "docker", "local"]),
        default="auto",
        show_default=True,
        help="Where to build and run; auto takes Docker where it works and a base image is named.",
    ),
    click.option("--image", metavar="IMAGE", help="Base image; in place of the scenario's."),
    click.option("--build", metavar="CMD", multiple=True, help="Build step (shell), without a scenario. Repeatable."),
    click.option(
        "--as-of",
        type=Moment(),
        help="Resolve packages as of this day, 00:00 UTC: pip from 26 on, and uv.  [default: the scenario's, now]",
    ),
    click.option(
        "--results",
        metavar="FORMAT",
        help="What the command prints, without a scenario: json, number, wall, cpu, peak_memory, regex:PATTERN, or a"
        " tool like go-bench (docs/results.md)."
        "  [default: what it prints if it is a number or JSON, else wall time]",
    ),
    click.option(
        "--metric", metavar="NAME", multiple=True, help="Metric to answer for; the first decides. Repeatable."
    ),
    click.option("--min-effect", type=Share(), help="Smallest change worth naming.  [default: the metric's, 3%]"),
    click.option(
        "--confidence", type=click.FloatRange(0.5, 0.9999), default=0.95, show_default=True, help="How sure to be."
    ),
    click.option("--max-runs", type=click.IntRange(1), help="Most measured runs."),
    click.option("--max-builds", type=click.IntRange(1), help="Most builds."),
    click.option("--max-time", type=Duration(), help="Longest time, like 30m."),
    click.option(
        "--reuse/--no-reuse", default=True, help="Take over samples that earlier jobs took here.  [default: reuse]"
    ),
    click.option(
        "--profile/--no-profile",
        default=None,
        help="Profile both sides of what is found, apart from the measured runs.  [default: profile]",
    ),
    click.option("--profile-ends", is_flag=True, help="Profile good and bad as well."),
    click.option("--seed", type=int, default=0, show_default=True, help="Seed of whatever is drawn."),
    click.option("--simulate", metavar="WORLD", hidden=True, help="Work on a simulated world instead of a repository."),
)
dry_run_option = click.option("--dry-run", is_flag=True, help="Say what would be done and about what it costs.")
duet_option = click.option(
    "--duet", is_flag=True, help="Run two at the same moment, on separate processors, and compare pairs."
)
parallel_option = click.option(
    "--parallel",
    type=click.IntRange(1),
    metavar="N",
    default=1,
    show_default=True,
    help="Make N runs at the same moment, each on processors of its own; a search runs so many commits at once.",
)
jobs_option = click.option(
    "--jobs",
    type=click.IntRange(1),
    metavar="N",
    help="How many things may go on at once: builds that are likely wanted next are made beside the step in hand, on"
    " processors of their own.  [default: 1, more with at least 4 processors to spare]",
)
_OUTPUT = (
    click.option("--json", metavar="FILE|-", help="Write the result as JSON; - is standard output."),
    click.option(
        "--events", metavar="FILE|-", help="Stream every step, fact and the answer so far, one JSON object a line."
    ),
    click.option("--report", metavar="DIR", help="Write the report there.  [default: the state directory]"),
)
_SEARCH = (
    click.option(
        "--direction",
        type=click.Choice([direction.value for direction in Direction]),
        default=Direction.WORSE.value,
        show_default=True,
        help="Which change of the metric to look for.",
    ),
    click.option("--skip", metavar="REF", multiple=True, help="Do not test this commit. Repeatable."),
    click.option("--path", metavar="PATHSPEC", multiple=True, help="Keep to commits that touch this. Repeatable."),
    click.option("--suspect", metavar="PATHSPEC", multiple=True, help="Look first at commits that touch this."),
    click.option(
        "--prior/--no-prior",
        default=True,
        help="Let what a commit changes say how likely it is beforehand.  [default: prior]",
    ),
    click.option(
        "--across-runs",
        type=click.Choice([across.value for across in Across]),
        default=Across.MEDIAN.value,
        show_default=True,
        help="What of the runs to compare: their level, a tail or the spread; all but the median of ten runs a value.",
    ),
    click.option(
        "--bracket",
        type=click.Choice([bracket.value for bracket in Bracket]),
        default=Bracket.AUTO.value,
        show_default=True,
        help="Run an end in every round, or where that teaches enough to be worth it.",
    ),
    click.option("--crash-is-bad", is_flag=True, help="A run that fails is as bad as bad, not untestable."),
    click.option("--first-parent/--every-commit", "first_parent", default=True, help="Search merges, or every commit."),
    click.option("--descend/--no-descend", default=True, help="Go into the merge that is found.  [default: descend]"),
    click.option(
        "--packages/--no-packages",
        default=True,
        help="Go on to which package or submodule's commit it was, where a commit moves nothing else."
        "  [default: packages]",
    ),
    click.option(
        "--verify-revert",
        is_flag=True,
        help="Revert what is found on top of bad: how much of the change is given back?",
    ),
    click.option("--head", metavar="REF", help="Say whether the change is still there at REF, the branch's tip."),
    dry_run_option,
)
_QUEUE = (
    click.option("--detach", is_flag=True, help="Make the job and leave it to a worker; prints its number."),
    click.option(
        "--host-class",
        metavar="NAME",
        default="default",
        show_default=True,
        help="With --detach: the kind of host that measures it.",
    ),
)


def measure_options(function: Decorated) -> Decorated:
    """Add the options of `MeasureOptions`."""
    return _with(_MEASURE, function)


def output_options(function: Decorated) -> Decorated:
    """Add the options of `OutputOptions`."""
    return _with(_OUTPUT, function)


def queue_options(function: Decorated) -> Decorated:
    """Add the options that leave a job to a worker."""
    return _with(_QUEUE, function)


def search_options(function: Decorated) -> Decorated:
    """Add the options of `SearchOptions`."""
    return _with(_SEARCH, function)


def _with(options: Iterable[Callable[[Any], Any]], function: Decorated) -> Decorated:
    for option in reversed(tuple(options)):
        function = option(function)
    return function
